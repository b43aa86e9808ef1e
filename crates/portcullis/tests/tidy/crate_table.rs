//! The crate table: which of our crates may import which.
//!
//! The table is the architecture: arrows run down only, `authority`, `mcp` and `seams` stand on nothing, and the binary joins the rest.
//! It is checked over `cargo metadata`, on what a build links (`[dependencies]`); tests may import sideways, since nothing ships from there.

use std::process::Command;

use serde_json::Value;

use crate::tree;

/// Each crate and what it may import, lowest first: a row names only rows above it.
const TABLE: &[(&str, &[&str])] = &[
    ("authority", &[]),
    ("mcp", &[]),
    ("seams", &[]),
    ("wire", &["authority"]),
    ("keyring", &["authority", "seams"]),
    ("wal", &["authority", "seams", "wire"]),
    ("upstream", &["authority", "mcp", "keyring", "seams"]),
    ("ledger", &["authority", "wire", "wal", "keyring", "seams"]),
    ("replica", &["authority", "wire", "keyring", "seams"]),
    ("edge", &["authority", "mcp", "wal", "upstream", "keyring", "seams"]),
    ("admin", &["authority", "wire", "keyring", "seams", "replica", "ledger"]),
    (
        "portcullis",
        &[
            "authority",
            "mcp",
            "seams",
            "wire",
            "keyring",
            "wal",
            "upstream",
            "ledger",
            "replica",
            "edge",
            "admin",
        ],
    ),
    ("cluster", &["seams"]),
    ("loadtest", &[]),
];

/// Members that drive the built binary from outside. Nothing links them, so they may name any library.
pub const DRIVERS: [&str; 2] = ["cluster", "loadtest"];

/// A crate of the workspace with what it links.
#[derive(Debug)]
pub struct Member {
    /// The crate's name.
    pub name: String,
    /// Our crates among its dependencies.
    pub ours: Vec<String>,
    /// Outside libraries among its dependencies.
    pub outside: Vec<String>,
}

/// The crates of the workspace, from `cargo metadata`.
pub fn members() -> Vec<Member> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(tree::root())
        .output()
        .expect("cargo can be run: it runs this test");
    assert!(output.status.success(), "cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    metadata["packages"].as_array().expect("metadata has packages").iter().map(member).collect()
}

/// Imports that the table does not have, and crates it does not know.
pub fn upward_imports(members: &[Member]) -> Vec<String> {
    let mut broken = Vec::new();
    for Member { name, ours, .. } in members {
        let Some((_, allowed)) = TABLE.iter().find(|(row, _)| row == name) else {
            broken.push(format!("{name} has no row in the table"));
            continue;
        };
        let wrong = ours.iter().filter(|import| !allowed.contains(&import.as_str()));
        broken.extend(wrong.map(|import| format!("{name} imports {import}")));
    }
    broken
}

fn member(package: &Value) -> Member {
    let name = package["name"].as_str().expect("a package has a name").to_owned();
    let (mut ours, mut outside) = (Vec::new(), Vec::new());
    for dependency in package["dependencies"].as_array().expect("a package lists its dependencies") {
        if !dependency["kind"].is_null() {
            continue; // for tests or for the build script
        }
        let to = dependency["name"].as_str().expect("a dependency has a name").to_owned();
        if dependency["path"].is_string() { ours.push(to) } else { outside.push(to) }
    }
    Member { name, ours, outside }
}

#[test]
fn the_table_has_no_circle() {
    for (at, (name, imports)) in TABLE.iter().enumerate() {
        for import in *imports {
            let below = TABLE[..at].iter().any(|(row, _)| row == import);
            assert!(below, "{name} may import {import}, which does not stand above it in the table");
        }
    }
}

#[test]
fn an_upward_import_is_found() {
    let member = |name: &str, ours: &[&str]| Member {
        name: name.into(),
        ours: ours.iter().map(|it| (*it).into()).collect(),
        outside: vec![],
    };
    let members = [member("edge", &["mcp", "wal"]), member("wal", &["wire", "edge"]), member("extras", &[])];
    assert_eq!(upward_imports(&members), ["wal imports edge", "extras has no row in the table"]);
}
