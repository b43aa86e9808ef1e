//! `portcullis init` over the real binary: what it makes, and that it never takes anything away.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

fn init(dir: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.args(["init", "--dir"]).arg(dir).output().expect("the binary runs")
}

/// Every file and folder below `dir`, `dir` included.
fn tree(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![dir.to_owned()];
    let mut at = 0;
    while at < found.len() {
        if found[at].is_dir() {
            let below = fs::read_dir(&found[at]).expect("it can be read");
            found.extend(below.map(|entry| entry.expect("it can be read").path()));
        }
        at += 1;
    }
    found
}

#[test]
fn nobody_else_on_the_machine_may_read_a_file_of_the_node() {
    let root = tempfile::tempdir().expect("a directory");
    let dir = root.path().join("node");
    assert!(init(&dir).status.success());
    for path in tree(&dir) {
        let mode = fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
    }
}

#[test]
fn a_second_init_is_refused_and_changes_no_key() {
    let root = tempfile::tempdir().expect("a directory");
    let dir = root.path().join("node");
    assert!(init(&dir).status.success());
    let keys =
        || tree(&dir.join("keys")).into_iter().filter(|path| path.is_file()).map(fs::read).map(Result::ok);
    let before: Vec<_> = keys().collect();
    let second = init(&dir);
    assert!(!second.status.success() && second.stdout.is_empty());
    assert!(String::from_utf8_lossy(&second.stderr).contains("holds a node already"));
    assert_eq!(keys().collect::<Vec<_>>(), before);
}

#[test]
fn an_init_that_broke_off_before_there_was_an_operator_can_be_finished() {
    let root = tempfile::tempdir().expect("a directory");
    let dir = root.path().join("node");
    assert!(init(&dir).status.success());
    // What a crash after the keys leaves behind: keys and authority, and no state.
    fs::remove_dir_all(dir.join("raft")).expect("it is there");
    let again = init(&dir);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(again.stdout.starts_with(b"pcla_"));
}
