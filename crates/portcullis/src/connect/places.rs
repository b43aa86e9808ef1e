//! Where clients keep their files: under the home directory, under a directory of the client's own variable, or in the
//! directory one works in.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Scope;

/// The directories below which the clients' files lie.
pub struct Places {
    home: PathBuf,
    project: PathBuf,
    claude: Option<PathBuf>,
    codex: Option<PathBuf>,
    config: Option<PathBuf>,
}

impl Places {
    /// The places of whoever runs the command.
    ///
    /// # Errors
    /// There is no home directory, or no current one.
    pub fn of_environment() -> Result<Self> {
        // An empty variable is an unset one, as for the clients themselves.
        let directory = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Ok(Self {
            home: directory("HOME").context("HOME is not set: it says where the clients' files are")?,
            project: std::env::current_dir().context("the current directory is gone")?,
            claude: directory("CLAUDE_CONFIG_DIR"),
            codex: directory("CODEX_HOME"),
            config: directory("XDG_CONFIG_HOME"),
        })
    }

    /// `in_home` under the home directory, or `in_project` under the current one.
    pub fn of_scope(&self, scope: Scope, in_home: &str, in_project: &str) -> PathBuf {
        match scope {
            Scope::User => self.home.join(in_home),
            Scope::Project => self.project.join(in_project),
        }
    }

    /// The directory of Claude Code's own file.
    pub fn claude(&self) -> &Path {
        self.claude.as_deref().unwrap_or(&self.home)
    }

    /// The directory of Codex.
    pub fn codex(&self) -> PathBuf {
        self.codex.clone().unwrap_or_else(|| self.home.join(".codex"))
    }

    /// The directory of the default profile of VS Code.
    pub fn vscode(&self) -> PathBuf {
        let config = if cfg!(target_os = "macos") {
            self.home.join("Library/Application Support")
        } else {
            self.config.clone().unwrap_or_else(|| self.home.join(".config"))
        };
        config.join("Code/User")
    }
}
