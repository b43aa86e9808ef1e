//! The house rules that a machine can hold, one test a rule.
//!
//! A fresh checkout tells a newcomer the rules by failing with a sentence: what is asked, why, and where it is not so. Each
//! rule is a function from the [`tree::Tree`] of committed files to the list of places that break it, and is tested here on a small
//! tree that does. What needs judgement (good names, comments that say why) is not here, and neither is what rustfmt, clippy, rustdoc,
//! buf and cargo-deny hold already.
//!
//! What must stay true: a rule reads files and nothing else; it never depends on git, on the network or on the machine.

mod crate_table;
mod faults;
mod golden;
mod layout;
mod libraries;
mod shape;
mod tree;

use tree::Tree;

/// Fails with the rule and every place that breaks it, one a line.
#[track_caller]
fn hold(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "\n\n{rule}\n\n  {}\n", broken.join("\n  "));
}

#[test]
fn every_file_says_what_it_is() {
    hold(
        "A Rust file opens with a `//!` paragraph: what it is, what it is not, what must stay true in it.",
        &shape::without_essay(&Tree::read()),
    );
}

#[test]
fn files_stay_readable() {
    hold(
        "A file holds one main thing: at most 500 lines without its tests (aim under 300), and at most 800 for a file of tests. \
         Split it where a reader would look for the parts.",
        &shape::too_long(&Tree::read()),
    );
}

#[test]
fn files_are_named_for_what_they_hold() {
    hold(
        "No file or folder of code is called utils, common, helpers, misc, manager or state: such a place attracts whatever has no \
         home. Name it for the one thing it holds.",
        &shape::nameless(&Tree::read()),
    );
}

#[test]
fn nothing_is_left_for_later() {
    hold(
        "What is committed works: no macro that panics as a placeholder, and no test that is switched off. Leave the thing out until \
         it is real.",
        &shape::placeholders(&Tree::read()),
    );
}

#[test]
fn borders_translate_exhaustively() {
    hold(
        "Where errors become statuses (`status.rs` of admin, `rescue.rs` of edge) every match names every variant. A catch-all arm \
         would give a new error an answer that nobody chose.",
        &shape::catch_all_at_a_border(&Tree::read()),
    );
}

#[test]
fn crates_import_only_downwards() {
    hold(
        "Crates import one another by the table in tests/tidy/crate_table.rs, downwards only. Where a crate needs another's service \
         without importing it, it declares a narrow trait and `portcullis` joins the two.",
        &crate_table::upward_imports(&crate_table::members()),
    );
}

#[test]
fn outside_libraries_stay_where_they_belong() {
    hold(
        "An outside library that shapes the code is named only by the crates in tests/tidy/libraries.rs, so that it can be replaced \
         there. Put the code into one of them, or argue for a new row in the commit.",
        &libraries::strangers(&crate_table::members()),
    );
}

#[test]
fn versions_and_features_are_declared_once() {
    hold(
        "A crate says `name.workspace = true`; the version and the one feature set stand in the root Cargo.toml. A feature \
         toggled by one crate rebuilds everything above the library for everybody.",
        &libraries::declared_elsewhere(&Tree::read()),
    );
}

#[test]
fn the_top_level_is_fixed() {
    hold(
        "The top level holds `proto crates cluster loadtest docs scripts .ci fuzz` and the files that tools and people look for there. \
         Everything else has a place inside one of them.",
        &layout::strangers_at_the_top(&Tree::read()),
    );
}

#[test]
fn no_file_names_somebodys_machine() {
    hold(
        "No committed file names a path of somebody's own machine. Use a path relative to the repository, or a temporary directory \
         made for the run.",
        &layout::private_paths(&Tree::read()),
    );
}

#[test]
fn golden_bytes_are_only_added() {
    hold(
        "Golden files are bytes that a released version wrote, and every later version must read them: they are added, never edited. \
         If a test against them fails, the code is wrong. A new file gets a line of its own at the end of crates/wire/golden/MANIFEST, \
         made there with `sha256sum FOLDER/NAME >> MANIFEST`.",
        &golden::edited_or_unlisted(&Tree::read()),
    );
}

#[test]
fn every_fault_has_a_test() {
    hold(
        "Each row of docs/faults.md is named by a test: its id is in the test's name (`c01_duplicate_key_is_refused`) or in the comment \
         above it. These rows are named by none.",
        &faults::untested(&Tree::read()),
    );
}
