//! `portcullis connect` as a person runs it: what it shows, and what becomes of each client's own file.
//!
//! Every client has its files under `connect/`: what is shown (`print.txt`, and `link.txt` where there is a link), an
//! empty file after an install (`fresh`), and a file that somebody has used for a while `before` and `after` one. They
//! are compared byte for byte, line ends included, and written anew with UPDATE_GOLDEN=1.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use keyring::token::{self, TokenKind};
use seams::SystemEntropy;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");
const URL: &str = "https://gw.example:7450/mcp/github/";

/// Each client: its name, the golden files' extension, and its own file for a person and for a project.
const CLIENTS: [(&str, &str, &str, Option<&str>); 6] = [
    ("claude-code", "json", ".claude.json", Some(".mcp.json")),
    ("codex", "toml", ".codex/config.toml", Some(".codex/config.toml")),
    ("gemini", "json", ".gemini/settings.json", Some(".gemini/settings.json")),
    ("cursor", "json", ".cursor/mcp.json", Some(".cursor/mcp.json")),
    ("vscode", "json", "config/Code/User/mcp.json", Some(".vscode/mcp.json")),
    ("windsurf", "json", ".codeium/windsurf/mcp_config.json", None),
];

/// A person with a home directory and a project.
struct Person {
    dir: TempDir,
}

impl Person {
    fn new() -> Self {
        let person = Self { dir: tempfile::tempdir().expect("a directory") };
        fs::create_dir(person.home()).expect("a home");
        fs::create_dir(person.project()).expect("a project");
        person
    }

    fn home(&self) -> PathBuf {
        self.dir.path().canonicalize().expect("it is there").join("home")
    }

    fn project(&self) -> PathBuf {
        self.dir.path().canonicalize().expect("it is there").join("project")
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(BINARY)
            .arg("connect")
            .args(arguments)
            .current_dir(self.project())
            .env_clear()
            .env("HOME", self.home())
            .env("XDG_CONFIG_HOME", self.home().join("config"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        // A command that needs no token reads nothing, which is its right.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        child.wait_with_output().expect("the command ends")
    }

    /// What a command that succeeds prints, with the directories of the test named instead of spelled.
    fn said_with(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run_with(arguments, input);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        let text = text.replace(&self.home().display().to_string(), "~");
        text.replace(&self.project().display().to_string(), ".")
    }

    fn said(&self, arguments: &[&str]) -> String {
        self.said_with(arguments, "")
    }

    /// What a command that fails says; it prints no data.
    fn refused_with(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run_with(arguments, input);
        assert!(!output.status.success(), "{arguments:?} succeeded");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?} printed data");
        String::from_utf8(output.stderr).expect("text")
    }

    fn refused(&self, arguments: &[&str]) -> String {
        self.refused_with(arguments, "")
    }

    /// Writes a file below the home directory.
    fn has(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let file = self.home().join(name);
        fs::create_dir_all(file.parent().expect("it is below home")).expect("directories");
        fs::write(&file, bytes).expect("a file");
        file
    }
}

fn arguments<'a>(client: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&[client, "--server", "github", "--url", URL], more].concat()
}

fn golden(client: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/connect").join(client).join(name)
}

/// Compares `text` with a golden file of a client, or writes it.
#[track_caller]
fn is_golden(client: &str, name: &str, text: &str) {
    let path = golden(client, name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).expect("a golden file can be written");
    }
    let wanted = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, wanted, "{} is written anew with UPDATE_GOLDEN=1", path.display());
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).expect("it is there").permissions().mode() & 0o777
}

fn text(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A token of a form that the gateway would issue.
fn minted(kind: TokenKind) -> String {
    token::mint(kind, &SystemEntropy).reveal().to_owned()
}

#[test]
fn each_client_is_shown_its_file_its_entry_and_its_command() {
    let person = Person::new();
    for (client, ..) in CLIENTS {
        is_golden(client, "print.txt", &person.said(&arguments(client, &[])));
    }
    assert!(fs::read_dir(person.home()).expect("a home").next().is_none(), "showing wrote something");
}

#[test]
fn each_client_gets_its_entry_in_an_empty_file_and_in_a_used_one() {
    for (client, extension, name, _) in CLIENTS {
        let person = Person::new();
        let file = person.home().join(name);
        person.said(&arguments(client, &["--install"]));
        assert_eq!(mode(&file), 0o600, "{client}");
        is_golden(client, &format!("fresh.{extension}"), &text(&file));

        let before = fs::read(golden(client, &format!("before.{extension}"))).expect("it is committed");
        person.has(name, &before);
        person.said(&arguments(client, &["--install"]));
        assert_eq!(mode(&file), 0o600, "{client}");
        is_golden(client, &format!("after.{extension}"), &text(&file));
        let backup = PathBuf::from(format!("{}.bak", file.display()));
        assert_eq!((fs::read(&backup).expect("a backup"), mode(&backup)), (before, 0o600), "{client}");
        let files = fs::read_dir(file.parent().expect("it has one")).expect("a directory").count();
        assert_eq!(files, 2, "{client} left more than the file and its backup");
    }
}

#[test]
fn a_second_install_changes_nothing() {
    for (client, extension, name, _) in CLIENTS {
        let person = Person::new();
        let file =
            person.has(name, &fs::read(golden(client, &format!("before.{extension}"))).expect("committed"));
        person.said(&arguments(client, &["--install"]));
        let after = (text(&file), fs::metadata(&file).expect("it is there").modified().expect("a time"));
        fs::remove_file(format!("{}.bak", file.display())).expect("a backup");
        let said = person.said(&arguments(client, &["--install", "-o", "json"]));
        assert!(said.contains("\"change\": \"none\"") && said.contains("\"backup\": null"), "{said}");
        let again = (text(&file), fs::metadata(&file).expect("it is there").modified().expect("a time"));
        assert_eq!(again, after, "{client}");
        assert!(!Path::new(&format!("{}.bak", file.display())).exists(), "{client}");
    }
}

#[test]
fn a_new_address_replaces_the_entry_and_says_so() {
    for (client, _, name, _) in CLIENTS {
        let person = Person::new();
        person.said(&[client, "--server", "github", "--url", "https://old.example/mcp/github/", "--install"]);
        let said = person.said(&arguments(client, &["--install"]));
        assert!(said.starts_with("Replaced `portcullis-github` in ~/"), "{said}");
        let now = text(&person.home().join(name));
        assert!(now.contains(URL) && !now.contains("old.example"), "{now}");
    }
}

#[test]
fn a_broken_file_is_refused_and_left_as_it_was() {
    for (client, _, name, _) in CLIENTS {
        let person = Person::new();
        for broken in
            ["{ \"mcpServers\": { \"canary-3f\": ", "[mcp_servers\nx = \"canary-3f\"\n", "\"canary-3f\""]
        {
            let file = person.has(name, broken.as_bytes());
            let said = person.refused(&arguments(client, &["--install"]));
            assert!(said.contains("is left as it was"), "{client}: {said}");
            assert!(!said.contains("canary"), "{client} quoted the file: {said}");
            assert_eq!(text(&file), broken, "{client}");
            assert!(!Path::new(&format!("{}.bak", file.display())).exists(), "{client}");
        }
    }
}

#[test]
fn a_token_goes_into_the_file_and_nowhere_else() {
    for (client, _, name, _) in CLIENTS {
        let person = Person::new();
        let token = minted(TokenKind::Grant);
        let output =
            person.run_with(&arguments(client, &["--install", "--token-file", "-"]), &format!("{token}\n"));
        assert!(output.status.success(), "{client}: {}", String::from_utf8_lossy(&output.stderr));
        let told = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&told).contains(&token), "{client} printed the token");
        let file = person.home().join(name);
        assert!(text(&file).contains(&format!("\"Bearer {token}\"")), "{client}: {}", text(&file));
        assert_eq!(mode(&file), 0o600, "{client}");
    }
}

#[test]
fn a_token_does_not_get_into_a_git_work_tree_unless_asked_for() {
    for (client, _, _, project_file) in CLIENTS {
        let Some(name) = project_file else { continue };
        let person = Person::new();
        fs::create_dir(person.project().join(".git")).expect("a repository");
        let (token, file) = (minted(TokenKind::Grant), person.project().join(name));
        let with_token = arguments(client, &["--scope", "project", "--install", "--token-file", "-"]);
        let said = person.refused_with(&with_token, &token);
        assert!(said.contains("--token-in-work-tree") && !said.contains(&token), "{client}: {said}");
        assert!(!file.exists(), "{client}");
        person.said(&arguments(client, &["--scope", "project", "--install"]));
        assert!(file.exists(), "{client}: without a token there is nothing to refuse");
        person.said_with(&[&with_token[..], &["--token-in-work-tree"]].concat(), &token);
        assert!(text(&file).contains(&token), "{client}");
    }
}

#[test]
fn a_link_into_a_work_tree_is_a_way_into_it() {
    let person = Person::new();
    let dotfiles = person.home().join("dotfiles");
    fs::create_dir_all(&dotfiles).expect("a directory");
    fs::write(dotfiles.join(".git"), "gitdir: ../elsewhere\n").expect("a linked work tree");
    fs::write(dotfiles.join("claude.json"), "{}\n").expect("a file");
    symlink(dotfiles.join("claude.json"), person.home().join(".claude.json")).expect("a link");
    let with_token = arguments("claude-code", &["--install", "--token-file", "-"]);
    let said = person.refused_with(&with_token, &minted(TokenKind::Grant));
    assert!(said.contains("dotfiles"), "{said}");
    person.said(&arguments("claude-code", &["--install"]));
    assert!(person.home().join(".claude.json").is_symlink(), "the link was replaced by a file");
    assert!(text(&dotfiles.join("claude.json")).contains(URL));
}

#[test]
fn a_file_that_waits_under_the_temporary_name_is_not_written_through() {
    let person = Person::new();
    let victim = person.has("victim", b"precious");
    symlink(&victim, person.project().join(".mcp.json.portcullis-new")).expect("a link");
    symlink(&victim, person.project().join(".mcp.json.bak")).expect("a link");
    fs::write(person.project().join(".mcp.json"), "{}\n").expect("a file");
    person.said(&arguments("claude-code", &["--scope", "project", "--install"]));
    assert_eq!(text(&victim), "precious");
    assert_eq!(text(&person.project().join(".mcp.json.bak")), "{}\n");
}

#[test]
fn only_a_whole_token_of_a_grant_is_taken() {
    let person = Person::new();
    let grant = minted(TokenKind::Grant);
    for (input, reason) in [
        (minted(TokenKind::Operator), "which no client may hold"),
        (minted(TokenKind::Join), "which no client may hold"),
        (grant[..grant.len() - 1].to_owned(), "no token on standard input"),
        (format!("{grant}{grant}"), "no token on standard input"),
        (String::new(), "no token on standard input"),
    ] {
        let said = person.refused_with(&arguments("cursor", &["--install", "--token-file", "-"]), &input);
        assert!(said.contains(reason), "{said}");
        assert!(input.is_empty() || !said.contains(&input), "{said}");
    }
    assert!(person.refused(&arguments("cursor", &["--token-file", "-"])).contains("--install"));
    assert!(!person.home().join(".cursor").exists());
}

#[test]
fn a_link_installs_without_a_token() {
    let person = Person::new();
    for (client, ..) in CLIENTS {
        if golden(client, "link.txt").exists() {
            is_golden(client, "link.txt", &person.said(&arguments(client, &["--link"])));
        } else {
            let said = person.refused(&arguments(client, &["--link"]));
            assert!(said.contains("has no install link: use --print or --install"), "{client}: {said}");
        }
    }
}

#[test]
fn a_project_has_a_file_of_its_own() {
    for (client, _, _, project_file) in CLIENTS {
        let person = Person::new();
        let in_project = arguments(client, &["--scope", "project", "--install"]);
        match project_file {
            Some(name) => {
                person.said(&in_project);
                assert!(text(&person.project().join(name)).contains(URL), "{client}");
                assert!(fs::read_dir(person.home()).expect("a home").next().is_none(), "{client}");
            }
            None => assert!(person.refused(&in_project).contains("use --scope user"), "{client}"),
        }
    }
}

#[test]
fn the_url_comes_from_the_context_unless_it_is_given() {
    let person = Person::new();
    let context = person.home().join("context.toml");
    let base = "admin_url = \"https://127.0.0.1:1\"\nca_file = \"ca\"\noperator_token_file = \"t\"\n";
    let told = ["codex", "--server", "github", "--context", context.to_str().expect("text"), "-o", "json"];
    assert!(person.refused(&["codex", "--server", "github"]).contains("give --url"));
    fs::write(&context, base).expect("a file");
    assert!(person.refused(&told).contains("data_url = "));
    fs::write(&context, format!("{base}data_url = \"http://127.0.0.1:7450\"\n")).expect("a file");
    assert!(person.said(&told).contains("\"http://127.0.0.1:7450/mcp/github/\""));
    let given = person.said(&[&told[..], &["--url", URL]].concat());
    assert!(given.contains(&format!("\"{URL}\"")), "{given}");
}

#[test]
fn a_token_without_tls_to_another_machine_is_warned_about() {
    let person = Person::new();
    for (url, warned) in [("http://gw.example/mcp/x/", true), ("http://127.0.0.1:7450/mcp/x/", false)] {
        let output = person.run_with(&["gemini", "--server", "x", "--url", url], "");
        assert_eq!(String::from_utf8_lossy(&output.stderr).contains("has no TLS"), warned, "{url}");
    }
}
