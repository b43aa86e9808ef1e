//! Putting a member into a client's file on disk.
//!
//! The file belongs to the client and to its user, so it is treated as precious: what cannot be read is left alone, the
//! file as it was is kept beside it, and the new one takes its place in one step. What must stay true: after a failure
//! the file is as it was; what is written is readable by its owner only; and a token does not get where `git add` finds
//! it unless somebody asked for that. A file that is a symbolic link stays one: its target is what counts, for the
//! search of a work tree too.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};

use super::recipe::{Member, Merged};

/// The largest file of a client that is read. Claude Code keeps histories in its own, of some megabytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Whether the member holds a token, and where it may then go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawToken {
    /// It holds none.
    None,
    /// Only where no git work tree is.
    OutsideWorkTrees,
    /// Anywhere; somebody asked for it.
    Anywhere,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The entry was there already, and the file was not touched.
    None,
    /// It has a new entry.
    Added,
    /// An entry of the same name has become ours.
    Replaced,
}

/// What was done.
pub struct Installed {
    /// The file, behind all symbolic links.
    pub file: PathBuf,
    /// What became of it.
    pub change: Change,
    /// The file as it was, if there was one and it was changed.
    pub backup: Option<PathBuf>,
}

/// Puts `member` into the file, which need not exist.
///
/// # Errors
/// The file is not what the client reads, cannot be written, was changed by somebody else meanwhile, or may not get the
/// token. It is then as it was.
pub fn install(file: &Path, member: &Member, raw_token: RawToken) -> Result<Installed> {
    let file = resolved(file)?;
    if raw_token == RawToken::OutsideWorkTrees
        && let Some(tree) = work_tree_of(&file)
    {
        bail!(
            "{} lies in the git work tree {}, from which a token may be committed: leave out --token-file, so that the \
             client takes the token from its environment, or say --token-in-work-tree",
            file.display(),
            tree.display()
        );
    }
    let before = read(&file)?;
    let merged = member
        .put_into(before.as_deref().unwrap_or_default())
        .with_context(|| format!("{} is left as it was", file.display()))?;
    let (change, text) = match merged {
        Merged::Unchanged => return Ok(Installed { file, change: Change::None, backup: None }),
        Merged::Added(text) => (Change::Added, text),
        Merged::Replaced(text) => (Change::Replaced, text),
    };
    if let Some(parent) = file.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
    }
    let backup = match &before {
        Some(text) => {
            let backup = with_suffix(&file, ".bak");
            replace(&backup, text.as_bytes())?;
            Some(backup)
        }
        None => None,
    };
    // Clients write their files themselves. The moment that is left is as short as it gets without a lock that they
    // would have to know of.
    ensure!(
        read(&file)? == before,
        "{} was changed by somebody else in this moment: run the command again",
        file.display()
    );
    replace(&file, text.as_bytes())?;
    Ok(Installed { file, change, backup })
}

/// The path behind all symbolic links, as far as it exists.
fn resolved(path: &Path) -> Result<PathBuf> {
    let mut missing = Vec::new();
    let mut present = path;
    loop {
        match present.canonicalize() {
            Ok(resolved) => {
                return Ok(missing.iter().rev().fold(resolved, |path: PathBuf, name| path.join(name)));
            }
            Err(error) if error.kind() == ErrorKind::NotFound && !present.is_symlink() => {
                let (Some(parent), Some(name)) = (present.parent(), present.file_name()) else {
                    return Err(error).with_context(|| format!("cannot find {}", path.display()));
                };
                missing.push(name);
                present = parent;
            }
            Err(error) => {
                return Err(error).with_context(|| format!("cannot follow {}", present.display()));
            }
        }
    }
}

/// The git work tree that the file lies in: the nearest directory with a `.git`, which in a linked work tree is a file.
fn work_tree_of(file: &Path) -> Option<&Path> {
    file.ancestors().skip(1).find(|directory| directory.join(".git").symlink_metadata().is_ok())
}

/// The text of the file, or none if there is no file.
fn read(file: &Path) -> Result<Option<String>> {
    let attempt = || -> std::io::Result<Option<String>> {
        let opened = match File::open(file) {
            Ok(opened) => opened,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        opened.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(ErrorKind::FileTooLarge.into());
        }
        Ok(Some(text))
    };
    attempt().with_context(|| format!("cannot read {}", file.display()))
}

/// Puts a file with these bytes, readable by its owner only, in the place of whatever is there, in one step.
fn replace(file: &Path, bytes: &[u8]) -> Result<()> {
    let attempt = || -> std::io::Result<()> {
        let beside = with_suffix(file, ".portcullis-new");
        // Made anew, never opened: in a directory of somebody else's project a link may wait under this name.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        let written =
            new.write_all(bytes).and_then(|()| new.sync_all()).and_then(|()| fs::rename(&beside, file));
        if written.is_err() {
            // The half-written file may hold a token; if it cannot be removed either, the first error says why.
            drop(fs::remove_file(&beside));
        }
        written
    };
    attempt().with_context(|| format!("cannot write {}", file.display()))
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    name.into()
}
