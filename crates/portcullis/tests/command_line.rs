//! The command line against a real `portcullis dev`, as a person and as a script use it: what it prints, where, and with
//! which exit status.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");
const SECRET: &str = "canary-5d2c9a-sekrit";

/// A running gateway of a directory that goes away.
struct Gateway {
    process: Child,
    dir: TempDir,
    ready: Value,
}

impl Gateway {
    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let data = dir.path().join("data");
        let mut process = Command::new(BINARY)
            .args(["dev", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "-o", "json"])
            .arg("--data-dir")
            .arg(&data)
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the gateway starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it says that it is ready");
        let ready = serde_json::from_str(&line).expect("it says so in JSON");
        Self { process, dir, ready }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Runs a command with `input` on its standard input.
    fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(BINARY)
            .args(arguments)
            .env("PORTCULLIS_CONTEXT", self.data().join("context.toml"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut stdin = child.stdin.take().expect("it is piped");
        // A command that refuses its arguments reads nothing, which is its right.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        let output = child.wait_with_output().expect("the command ends");
        assert!(!told(&output).contains(SECRET), "{arguments:?} printed the secret");
        output
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    /// What a command that succeeds prints to standard output.
    fn said(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", told(&output));
        String::from_utf8(output.stdout).expect("text")
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let said = self.said(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"))
    }

    /// The exit status of a command that fails, and what it says; standard output stays empty.
    fn fails(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{arguments:?} printed data");
        let code = output.status.code().expect("it ends by itself");
        assert_ne!(code, 0, "{arguments:?}");
        (code, String::from_utf8(output.stderr).expect("text"))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // A test may have ended it before, which changes nothing here.
        self.process.kill().expect("it can be ended");
        self.process.wait().expect("it is gone");
    }
}

fn told(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

#[test]
fn a_server_a_secret_a_principal_and_a_grant_come_and_go() {
    let gateway = Gateway::start();
    let added = gateway.json(&["server", "add", "github", "--url", "http://127.0.0.1:9/mcp"]);
    assert_eq!((&added["server"], &added["status"]), (&"github".into(), &"enabled".into()));
    let set = gateway.run_with(
        &["credential", "set", "github", "--header", "X-Api-Key", "-o", "json"],
        &format!("{SECRET}\n"),
    );
    let set: Value = serde_json::from_slice(&set.stdout).expect("JSON");
    assert_eq!((&set["attachment"], &set["version"]), (&"x-api-key".into(), &1.into()));
    assert_eq!(gateway.json(&["server", "show", "github"])["credential"], "github");
    assert!(gateway.said(&["credential", "list", "-o", "yaml"]).contains("version: 1\n"));

    gateway.said(&["principal", "add", "ana", "--kind", "person"]);
    let agent = gateway.json(&["principal", "add", "ana-agent", "--kind", "agent", "--owner", "ana"]);
    assert_eq!((&agent["kind"], &agent["owner"]), (&"agent".into(), &"ana".into()));
    let issue = ["grant", "issue", "--principal", "ana-agent", "--server", "github", "--tool", "get_*"];
    let issued = gateway.json(&issue);
    let id = issued["grant"].as_str().expect("an id");
    assert!(issued["token"].as_str().expect("a token").starts_with("pcl_"));
    let token = gateway.said(&[&issue[..], &["-o", "token"]].concat());
    assert!(token.starts_with("pcl_") && token.lines().count() == 1, "the token stands alone");

    let listed = gateway.json(&["grant", "list", "--principal", "ana-agent"]);
    let listed = listed.as_array().expect("a list");
    assert_eq!((listed.len(), listed[0]["grant"].as_str()), (2, Some(id)));
    assert!(listed.iter().all(|grant| grant["status"] == "live" && grant.get("token").is_none()));
    let revoked = gateway.json(&["grant", "revoke", id]);
    assert_eq!((&revoked["grant"], &revoked["enforced"]), (&id.into(), &true.into()));
    assert_eq!(gateway.json(&["grant", "show", id])["status"], "revoked");

    gateway.said(&["principal", "suspend", "ana"]);
    assert_eq!(gateway.json(&["grant", "list", "--principal", "ana-agent"])[1]["status"], "suspended");
    gateway.said(&["principal", "resume", "ana"]);
    gateway.said(&["server", "remove", "github", "--yes"]);
    let servers = gateway.json(&["server", "list"]);
    assert_eq!(servers.as_array().map(Vec::len), Some(1), "the demo is left");
}

#[test]
fn a_failure_says_what_to_run_next_and_its_exit_status_says_its_kind() {
    let gateway = Gateway::start();
    let grant = gateway.ready["grant"].as_str().expect("an id");
    gateway.said(&["grant", "revoke", grant]);
    let nobody = format!("gr_{}", "a".repeat(26));
    for (arguments, code, says) in [
        (&["grant", "rotate", grant][..], 7, "portcullis grant issue"),
        (&["server", "add", "demo", "--url", "http://127.0.0.1:9/"], 7, "portcullis server list"),
        (&["grant", "show", &nobody], 1, "portcullis grant list"),
        (&["grant", "show", "nonsense"], 2, "portcullis grant list"),
        (&["grant", "issue", "--principal", "you", "--server", "demo"], 2, "--all"),
        (&["grant", "list", "-o", "token"], 2, "grant issue"),
        (&["server", "remove", "demo"], 2, "--yes"),
        (&["server", "add", "meta", "--url", "http://169.254.169.254/"], 2, "metadata"),
        (&["principal", "add", "bot", "--kind", "agent"], 2, "--owner"),
        (&["principal", "add", "Ana", "--kind", "person"], 2, "error: \"Ana\" is not a name"),
        (&["grant", "issue", "--principal", "you", "--server", "demo", "--tool", ""], 2, "error: --tool: "),
        (&["grant", "issue", "--principal", "you", "--server", "demo", "--all", "--ttl", "8"], 2, "like 30m"),
        (&["audit", "list", "--since", "yesterday"], 2, "like 30m"),
        (&["server", "list", "--request-id", "x"], 2, "unexpected argument"),
        (&["--context", "nowhere.toml", "server", "list"], 1, "nowhere.toml"),
    ] {
        let (found, told) = gateway.fails(arguments);
        assert_eq!(found, code, "{arguments:?}: {told}");
        assert!(told.contains(says), "{arguments:?}: {told}");
    }
    let unusable = gateway.run_with(&["credential", "set", "demo"], &format!("{SECRET}\r\nx: y"));
    assert_eq!(unusable.status.code(), Some(2), "{}", told(&unusable));
    let stranger = Command::new(BINARY)
        .args(["server", "list"])
        .env("PORTCULLIS_CONTEXT", gateway.data().join("context.toml"))
        .env("PORTCULLIS_OPERATOR_TOKEN", gateway.ready["token"].as_str().expect("a token"))
        .output()
        .expect("the command runs");
    assert_eq!(stranger.status.code(), Some(4), "a grant token is no operator token");
}

#[test]
fn a_gateway_that_is_not_there_is_told_apart_and_named() {
    let gateway = Gateway::start();
    let context = gateway.data().join("context.toml");
    let text = std::fs::read_to_string(&context).expect("a context");
    let url = gateway.ready["admin_url"].as_str().expect("a URL");
    // Port 1 of loopback is not listened on.
    std::fs::write(&context, text.replace(url, "https://127.0.0.1:1")).expect("it is written");
    let (code, told) = gateway.fails(&["server", "list"]);
    assert_eq!(code, 8, "{told}");
    assert!(told.contains("https://127.0.0.1:1") && told.contains("portcullis dev"), "{told}");
}

/// The answer of a change that was lost is asked for again under the same id: the change is made once, and its token is
/// not shown twice.
#[test]
fn a_repeated_request_changes_nothing_and_shows_no_token() {
    let gateway = Gateway::start();
    let issue = [
        "grant",
        "issue",
        "--principal",
        "you",
        "--server",
        "demo",
        "--all",
        "--request-id",
        "7f1c2a9e-5c1b-4c39-9a7e-2f4d1f0b8a6c",
    ];
    let first = gateway.json(&issue);
    let again = gateway.run(&[&issue[..], &["-o", "json"]].concat());
    assert!(String::from_utf8_lossy(&again.stderr).contains("portcullis grant rotate"), "{}", told(&again));
    let again: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!(again["grant"], first["grant"]);
    assert!(again.get("token").is_none());
    assert_eq!(gateway.json(&["grant", "list"]).as_array().map(Vec::len), Some(2));
}

#[test]
fn the_record_is_listed_followed_and_verified() {
    let gateway = Gateway::start();
    gateway.said(&["principal", "add", "ana", "--kind", "person"]);
    let lines = gateway.said(&["audit", "list", "--limit", "0", "-o", "jsonl"]);
    let entries: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let added = entries.last().expect("an entry");
    assert_eq!((&added["kind"], &added["subject"]), (&"principal.added".into(), &"principals/ana".into()));
    assert!(entries.iter().any(|entry| entry["kind"] == "epoch_started"), "{lines}");
    let newest = gateway.json(&["audit", "list", "--limit", "1"]);
    assert_eq!(newest[0]["id"], added["id"]);
    let changes = gateway.json(&["audit", "list", "--kind", "change", "--principal", "ana"]);
    assert_eq!(changes.as_array().map(Vec::len), Some(1));

    let mut follower = Command::new(BINARY)
        .args(["audit", "tail", "--follow", "-o", "jsonl"])
        .env("PORTCULLIS_CONTEXT", gateway.data().join("context.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it follows");
    let mut followed = BufReader::new(follower.stdout.take().expect("it is piped")).lines();
    let mut until = |subject: &str| {
        let found = followed.by_ref().map(|line| line.expect("a line")).find(|line| line.contains(subject));
        found.unwrap_or_else(|| panic!("{subject} did not come"))
    };
    until("principals/ana");
    gateway.said(&["principal", "add", "bob", "--kind", "person"]);
    until("principals/bob");
    follower.kill().expect("it follows until now");
    follower.wait().expect("it is gone");

    let archive = gateway.data().join("archive");
    let verify = ["audit", "verify", "--archive", archive.to_str().expect("a path")];
    // The archive is made moments after the first event; a listing says when it holds one.
    while !gateway.said(&["audit", "list", "--limit", "0", "-o", "jsonl"]).contains("\"archived\":true") {}
    let report = gateway.json(&verify);
    assert_eq!(report["verified"], true);
    assert!(report["leaves"].as_u64() > Some(0));
    a_shortened_archive_is_missed(&gateway, &archive);
    let key = gateway.dir.path().join("other.pub");
    std::fs::write(&key, "not a key").expect("it is written");
    let (code, told) =
        gateway.fails(&[&verify[..], &["--public-key", key.to_str().expect("a path")]].concat());
    assert_eq!(code, 1);
    assert!(told.contains("no public key"), "{told}");
}

/// B15: the newest head, with its checkpoint, is taken away. The files alone cannot show it; a kept checkpoint does.
fn a_shortened_archive_is_missed(gateway: &Gateway, archive: &Path) {
    let copy = gateway.dir.path().join("copy");
    for folder in ["segments", "checkpoints"] {
        std::fs::create_dir_all(copy.join(folder)).expect("it is made");
        for file in std::fs::read_dir(archive.join(folder)).expect("it is there") {
            let file = file.expect("it is there").path();
            std::fs::copy(&file, copy.join(folder).join(file.file_name().expect("a name")))
                .expect("it is copied");
        }
    }
    std::fs::copy(archive.join("verifier.pub"), copy.join("verifier.pub")).expect("it is copied");
    let notes = std::fs::read_dir(copy.join("checkpoints")).expect("it is there");
    let newest = notes.map(|file| file.expect("it is there").path()).max().expect("one at least");
    let kept = gateway.dir.path().join("kept.note");
    std::fs::rename(newest, &kept).expect("it is moved");
    let path = |path: &Path| path.to_str().expect("a path").to_owned();
    let (code, told) =
        gateway.fails(&["audit", "verify", "--archive", &path(&copy), "--checkpoint", &path(&kept)]);
    assert_eq!(code, 1, "{told}");
}

#[test]
fn a_reader_that_goes_away_early_is_no_failure() {
    let gateway = Gateway::start();
    let mut child = Command::new(BINARY)
        .args(["audit", "list", "--limit", "0", "-o", "jsonl"])
        .env("PORTCULLIS_CONTEXT", gateway.data().join("context.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), told(&output)), (Some(0), String::new()));
}

/// A change names the grant by its id alone; the record is asked for people.
#[test]
fn a_rotation_and_a_revocation_are_found_by_whose_grant_it_was() {
    let gateway = Gateway::start();
    gateway.said(&["principal", "add", "ana", "--kind", "person"]);
    gateway.said(&["principal", "add", "ana-claude", "--kind", "agent", "--owner", "ana"]);
    let issue = ["grant", "issue", "--principal", "ana-claude", "--server", "demo"];
    let parent = gateway.json(&[&issue[..], &["--all", "--ttl", "1h"]].concat());
    let parent = parent["grant"].as_str().expect("an id");
    let child = gateway.json(&[&issue[..], &["--tool", "add", "--ttl", "30m", "--parent", parent]].concat());
    let child = child["grant"].as_str().expect("an id");
    let (code, told) = gateway.fails(&[&issue[..], &["--all", "--ttl", "2h", "--parent", parent]].concat());
    assert_eq!(code, 7, "{told}");
    assert!(told.contains(&format!("would reach more, or longer, than its parent {parent}")), "{told}");
    let (code, told) = gateway.fails(&["grant", "rotate", child, "--overlap", "8d"]);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("7 days for an overlap"), "{told}");
    gateway.said(&["grant", "rotate", child]);
    gateway.said(&["grant", "revoke", child]);
    let wanted = ["grant.issued", "grant.token_rotated", "grant.revoked"];
    for filter in [["--principal", "ana"], ["--principal", "ana-claude"], ["--grant", parent]] {
        let found = gateway.json(&[&["audit", "list"][..], &filter].concat());
        let of_child: Vec<_> =
            found.as_array().expect("a list").iter().filter(|entry| entry["grant"] == child).collect();
        for entry in &of_child {
            assert_eq!((&entry["principal"], &entry["owner"]), (&"ana-claude".into(), &"ana".into()));
            assert_eq!(entry["ancestors"], serde_json::json!([parent]), "{entry}");
        }
        let kinds: Vec<_> = of_child.iter().filter_map(|entry| entry["kind"].as_str()).collect();
        assert_eq!(kinds.iter().filter(|kind| wanted.contains(kind)).count(), 3, "{filter:?}: {kinds:?}");
    }
}

#[test]
fn a_new_token_comes_with_the_address_and_the_next_command() {
    let gateway = Gateway::start();
    let issued =
        gateway.run(&["grant", "issue", "--principal", "you", "--server", "demo", "--tool", "[ae]dd"]);
    let told = String::from_utf8(issued.stderr).expect("text");
    assert!(told.contains("only * is a wildcard"), "{told}");
    assert!(told.contains("/mcp/demo/\n"), "{told}");
    let next = told.split('`').find(|words| words.starts_with("portcullis connect")).expect("a command");
    let shown = gateway.said(&next.split(' ').skip(1).collect::<Vec<_>>());
    assert!(shown.contains("/mcp/demo/"), "{shown}");
}

#[test]
fn the_end_of_the_gateway_ends_what_follows_it_with_what_to_do() {
    let mut gateway = Gateway::start();
    let mut follower = Command::new(BINARY)
        .args(["audit", "tail", "--follow"])
        .env("PORTCULLIS_CONTEXT", gateway.data().join("context.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it follows");
    let mut messages = BufReader::new(follower.stderr.take().expect("it is piped"));
    let mut told = String::new();
    messages.read_line(&mut told).expect("it says that it follows");
    gateway.process.kill().expect("it runs until now");
    gateway.process.wait().expect("it is gone");
    messages.read_to_string(&mut told).expect("text");
    assert_eq!(follower.wait().expect("it ends").code(), Some(8), "{told}");
    assert!(told.contains("audit list --since 10m"), "{told}");
    assert!(!told.contains("h2") && !told.contains("change was made"), "{told}");
}
