//! Rules about the repository as a whole: what lies at the top, and what no file may give away.

use crate::tree::Tree;

/// The folders at the top.
const FOLDERS: &[&str] = &["proto", "crates", "cluster", "loadtest", "docs", "scripts", ".ci", "fuzz"];
/// The files at the top: what cargo, its tools, git, just and people look for there.
const FILES: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "clippy.toml",
    "rustfmt.toml",
    "deny.toml",
    "justfile",
    "README.md",
    "LICENSE",
    "SECURITY.md",
    "CONTRIBUTING.md",
    ".gitignore",
    ".gitattributes",
];

/// Folders and files at the top that have no place there.
pub fn strangers_at_the_top(tree: &Tree) -> Vec<String> {
    let mut broken: Vec<String> = Vec::new();
    for file in tree.files() {
        let stranger = match file.path.split_once('/') {
            Some((folder, _)) if !FOLDERS.contains(&folder) => format!("{folder}/"),
            None if !FILES.contains(&file.path.as_str()) => file.path.clone(),
            Some(_) | None => continue,
        };
        if !broken.contains(&stranger) {
            broken.push(stranger);
        }
    }
    broken
}

/// Lines that name a path of somebody's own machine.
pub fn private_paths(tree: &Tree) -> Vec<String> {
    // Put together here, so that this file does not break its own rule.
    let signs = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("/tmp/", "brief"),
        concat!("../sha", "red/"),
    ];
    let mut broken = Vec::new();
    for file in tree.files() {
        for (number, line) in file.text().unwrap_or_default().lines().enumerate() {
            if signs.iter().any(|sign| line.contains(sign)) {
                broken.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    broken
}

#[test]
fn a_stranger_at_the_top_is_found_once() {
    let tree = Tree::of(&[
        ("Cargo.toml", ""),
        ("NOTES.txt", ""),
        ("crates/a/src/lib.rs", ""),
        ("tools/a", ""),
        ("tools/b", ""),
    ]);
    assert_eq!(strangers_at_the_top(&tree), ["NOTES.txt", "tools/"]);
}

#[test]
fn a_private_path_is_found() {
    let tree = Tree::of(&[("scripts/x", concat!("cd \"$HOME\"\ncd /ho", "me/ana/src\n"))]);
    assert_eq!(private_paths(&tree), [concat!("scripts/x:2: cd /ho", "me/ana/src")]);
}
