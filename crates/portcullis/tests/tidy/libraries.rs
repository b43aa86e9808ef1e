//! Which crate may name which outside library, and that versions and features stand in one place.
//!
//! Only libraries that shape the code around them have a row; a library without one (thiserror, bytes, …) may be named anywhere. `deny.toml` says
//! the same for the few that no library below us may bring in either.

use crate::crate_table::{DRIVERS, Member};
use crate::tree::Tree;

/// A library, the crates that may name it, and why only they.
const LIBRARIES: &[(&str, &[&str], &str)] = &[
    ("openraft", &["replica"], "consensus can be replaced in one crate"),
    ("sled", &["replica"], "the log store can be replaced in one crate"),
    ("object_store", &["ledger"], "the archive's storage is ledger's business"),
    (
        "prost",
        &["wire", "wal", "ledger", "replica", "admin"],
        "protobuf lives in wire; these encode its messages",
    ),
    (
        "prost-types",
        &["wire", "admin", "portcullis"],
        "protobuf lives in wire; its times and lengths of time are made and read at both ends of the API",
    ),
    ("tonic", &["wire", "replica", "admin", "portcullis"], "gRPC is spoken by the control plane only"),
    ("tonic-prost", &["wire", "replica", "admin"], "gRPC is spoken by the control plane only"),
    ("tonic-types", &["admin", "portcullis"], "error details are made by admin and read by the command line"),
    ("tonic-reflection", &["admin"], "the admin API describes itself"),
    ("hyper", &["edge", "upstream", "admin", "portcullis"], "HTTP is spoken at the two ends of a call"),
    ("hyper-util", &["edge", "upstream", "admin", "portcullis"], "HTTP is spoken at the two ends of a call"),
    ("rustls", &["edge", "upstream", "admin", "portcullis"], "TLS ends at a listener or at the dialer"),
    ("tokio-rustls", &["edge", "upstream", "admin", "portcullis"], "TLS ends at a listener or at the dialer"),
    ("rcgen", &["portcullis"], "certificates are made by `init` and `dev`"),
    ("webpki-roots", &["upstream"], "only the dialer trusts the public roots"),
    ("chacha20poly1305", &["keyring"], "sealing is keyring's business"),
    ("ed25519-dalek", &["keyring"], "signing is keyring's business"),
    ("hmac", &["keyring"], "token hashes are keyring's business"),
    ("subtle", &["keyring"], "secrets are compared by keyring's types"),
    ("getrandom", &["seams"], "randomness comes from seams"),
    ("anyhow", &["portcullis"], "a library's errors name each failure"),
    ("serde", &["mcp", "edge", "portcullis"], "values are turned into text at the borders only"),
    (
        "serde_json",
        &["mcp", "edge", "upstream", "ledger", "portcullis"],
        "JSON is read and written at the borders only",
    ),
    ("toml", &["portcullis"], "one configuration file, read by the binary"),
    ("toml_edit", &["portcullis"], "files of others are edited by `portcullis connect` only"),
    ("jsonc-parser", &["portcullis"], "files of others are edited by `portcullis connect` only"),
    ("serde-saphyr", &["portcullis"], "output formats belong to the command line"),
    ("clap", &["portcullis"], "the command line is the binary's"),
    ("comfy-table", &["portcullis"], "the command line is the binary's"),
    ("tracing-subscriber", &["portcullis"], "libraries emit, the binary collects"),
    (
        "tracing",
        &["wal", "upstream", "ledger", "replica", "edge", "admin", "portcullis"],
        "values do not log; what happens to them is logged by whoever makes it happen",
    ),
    (
        "tokio",
        &["seams", "wal", "upstream", "ledger", "replica", "edge", "admin", "portcullis"],
        "authority, mcp, wire and keyring take values and return values",
    ),
];

/// Libraries named by a crate that may not.
pub fn strangers(members: &[Member]) -> Vec<String> {
    let mut broken = Vec::new();
    let shipped = members.iter().filter(|member| !DRIVERS.contains(&member.name.as_str()));
    for Member { name, outside, .. } in shipped {
        for library in outside {
            let Some((_, may, why)) = LIBRARIES.iter().find(|(row, ..)| row == library) else { continue };
            if !may.contains(&name.as_str()) {
                broken.push(format!("{name} names {library}; only {} may: {why}", may.join(", ")));
            }
        }
    }
    broken
}

/// Dependencies of a crate that carry a version or features of their own.
pub fn declared_elsewhere(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    let manifests =
        tree.files().filter(|file| file.path.starts_with("crates/") && file.name() == "Cargo.toml");
    for file in manifests {
        let mut among_dependencies = false;
        for (number, line) in file.text().unwrap_or_default().lines().map(str::trim).enumerate() {
            if line.starts_with('[') {
                among_dependencies = line.ends_with("dependencies]");
            } else if among_dependencies && !line.is_empty() && !line.starts_with('#') && !is_inherited(line)
            {
                broken.push(format!("{}:{}: {line}", file.path, number + 1));
            }
        }
    }
    broken
}

/// `optional` is let through: whether a crate is linked at all is not a feature of the linked crate.
fn is_inherited(line: &str) -> bool {
    line.contains("workspace = true") && !line.contains("features")
}

#[test]
fn a_library_in_the_wrong_crate_is_found() {
    let member = |name: &str, outside: &[&str]| Member {
        name: name.into(),
        ours: vec![],
        outside: outside.iter().map(|it| (*it).into()).collect(),
    };
    let members = [member("replica", &["sled", "bytes"]), member("admin", &["sled", "bytes"])];
    assert_eq!(
        strangers(&members),
        ["admin names sled; only replica may: the log store can be replaced in one crate"]
    );
}

#[test]
fn a_version_outside_the_root_is_found() {
    let text = "[package]\nversion = \"1\"\n[dev-dependencies]\nbytes.workspace = true\nhttp = \"1\"\n\
                tokio = { workspace = true, features = [\"full\"] }\n";
    let tree = Tree::of(&[("crates/a/Cargo.toml", text)]);
    assert_eq!(
        declared_elsewhere(&tree),
        [
            "crates/a/Cargo.toml:5: http = \"1\"",
            "crates/a/Cargo.toml:6: tokio = { workspace = true, features = [\"full\"] }"
        ]
    );
}
