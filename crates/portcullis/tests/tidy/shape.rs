//! Rules about a single Rust file: its first paragraph, its length, its name, and what may not be in it.
//!
//! Everything here looks at text, line by line; nothing parses Rust. A rule that would need to belongs in clippy's configuration.

use crate::tree::{File, Tree};

/// The most lines a file of code may have, its tests not counted.
const MAX_CODE_LINES: usize = 500;
/// The most lines a file of tests may have.
const MAX_TEST_LINES: usize = 800;
/// Names that say nothing about what is inside, singular and plural.
const NAMELESS: &[&str] =
    &["util", "utils", "common", "helper", "helpers", "misc", "manager", "managers", "state", "states"];

/// Files that do not open with a `//!` paragraph.
pub fn without_essay(tree: &Tree) -> Vec<String> {
    let silent = tree.rust().filter(|(_, text)| !text.starts_with("//!"));
    silent.map(|(file, _)| file.path.clone()).collect()
}

/// Files over their bound.
pub fn too_long(tree: &Tree) -> Vec<String> {
    let mut broken = Vec::new();
    for (file, text) in tree.rust() {
        let (lines, bound) = if file.is_test() {
            (text.lines().count(), MAX_TEST_LINES)
        } else {
            (code_lines(text), MAX_CODE_LINES)
        };
        if lines > bound {
            broken.push(format!("{}: {lines} lines, the bound is {bound}", file.path));
        }
    }
    broken
}

/// Files and folders of code with a name that says nothing.
pub fn nameless(tree: &Tree) -> Vec<String> {
    let says_nothing = |file: &&File| {
        let mut parts = file.path.split('/').map(|part| part.split('.').next().unwrap_or(part));
        parts.any(|part| NAMELESS.contains(&part.to_ascii_lowercase().as_str()))
    };
    let code = tree.files().filter(|file| !file.path.starts_with("docs/"));
    code.filter(says_nothing).map(|file| file.path.clone()).collect()
}

/// Lines with a placeholder macro or a test that is switched off.
pub fn placeholders(tree: &Tree) -> Vec<String> {
    // Put together here, so that this file does not break its own rule.
    let signs = [concat!("to", "do!("), concat!("unimpl", "emented!("), concat!("#[", "ignore")];
    let mut broken = Vec::new();
    for (file, text) in tree.rust() {
        for (number, line) in text.lines().enumerate() {
            if signs.iter().any(|sign| line.contains(sign)) {
                broken.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    broken
}

/// Catch-all arms in the files that translate errors at a border.
pub fn catch_all_at_a_border(tree: &Tree) -> Vec<String> {
    let is_border = |file: &File| {
        (file.path.starts_with("crates/admin/src/") && file.name() == "status.rs")
            || (file.path.starts_with("crates/edge/src/") && file.name() == "rescue.rs")
    };
    let mut broken = Vec::new();
    for (file, text) in tree.rust().filter(|(file, _)| is_border(file)) {
        for (number, line) in text.lines().take(code_lines(text)).enumerate() {
            if line.trim_start().starts_with("_ =>") {
                broken.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    broken
}

/// The lines before the file's own tests: before the first `#[cfg(test)]` that stands on a module.
fn code_lines(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let opens_tests = |at: &usize| {
        lines[*at] == "#[cfg(test)]" && lines.get(at + 1).is_some_and(|next| next.starts_with("mod "))
    };
    (0..lines.len()).find(opens_tests).unwrap_or(lines.len())
}

#[test]
fn a_file_without_a_paragraph_is_found() {
    let tree = Tree::of(&[("crates/a/src/lib.rs", "//! A.\n"), ("crates/a/src/b.rs", "use std::fmt;\n")]);
    assert_eq!(without_essay(&tree), ["crates/a/src/b.rs"]);
}

#[test]
fn a_long_file_is_found_and_its_tests_are_not_counted() {
    let line = "let x = 1;\n";
    let with_tests = line.repeat(500) + "#[cfg(test)]\nmod tests {\n" + &line.repeat(400);
    let tree = Tree::of(&[
        ("crates/a/src/fits.rs", &with_tests),
        ("crates/a/src/long.rs", &line.repeat(501)),
        ("crates/a/src/long/tests.rs", &line.repeat(800)),
        ("crates/a/tests/long.rs", &line.repeat(801)),
    ]);
    assert_eq!(
        too_long(&tree),
        [
            "crates/a/src/long.rs: 501 lines, the bound is 500",
            "crates/a/tests/long.rs: 801 lines, the bound is 800"
        ]
    );
}

#[test]
fn a_name_that_says_nothing_is_found() {
    let tree = Tree::of(&[
        ("crates/a/src/utils.rs", ""),
        ("crates/a/src/helpers/x.rs", ""),
        ("scripts/common.sh", ""),
        ("crates/a/src/state_hash.rs", ""),
        ("docs/state.md", ""),
    ]);
    assert_eq!(nameless(&tree), ["crates/a/src/utils.rs", "crates/a/src/helpers/x.rs", "scripts/common.sh"]);
}

#[test]
fn a_placeholder_is_found() {
    let text = concat!("//! A.\nfn f() {\n    to", "do!(\"later\")\n}\n#[", "ignore = \"slow\"]\n");
    let tree = Tree::of(&[("crates/a/src/lib.rs", text)]);
    assert_eq!(
        placeholders(&tree),
        [
            concat!("crates/a/src/lib.rs:3: to", "do!(\"later\")"),
            concat!("crates/a/src/lib.rs:5: #[", "ignore = \"slow\"]"),
        ]
    );
}

#[test]
fn a_catch_all_is_found_only_at_a_border() {
    let text = "//! A.\nmatch e {\n    _ => 1,\n}\n";
    let tree = Tree::of(&[("crates/admin/src/status.rs", text), ("crates/edge/src/listener.rs", text)]);
    assert_eq!(catch_all_at_a_border(&tree), ["crates/admin/src/status.rs:3: _ => 1,"]);
}
