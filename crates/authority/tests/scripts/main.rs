//! Golden scripts: each `.txt` file beside this one tells a part of the authority as a dialogue.
//!
//! A line that begins with `> ` is put in, the lines after it are what came out, `#` begins a comment. To learn how something
//! works, read a script; to add one, write its `> ` lines and run `UPDATE_EXPECT=1 cargo test -p authority --test
//! scripts`. Times are seconds. Grants and tokens have short names; a grant's first token has the name of the grant.

mod line;
mod told;
mod world;

use std::{fmt::Write, path::Path};

use expect_test::expect_file;

use crate::world::World;

/// Runs the script and compares what it says with what the file says.
fn check(script: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts").join(script);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{script}: {error}"));
    let mut world = World::default();
    let mut told = String::new();
    for line in text.lines() {
        match line.strip_prefix("> ") {
            Some(input) => {
                let answer = world.run(input).unwrap_or_else(|error| panic!("{script}: {line}: {error}"));
                writeln!(told, "{line}\n{answer}").expect("a String takes every write");
            }
            None if line.starts_with('#') || line.is_empty() => {
                told.push_str(line);
                told.push('\n');
            }
            None => {} // what came out the last time
        }
    }
    expect_file![path].assert_eq(&told);
}

#[test]
fn first_grant() {
    check("first_grant.txt");
}

#[test]
fn scopes() {
    check("scopes.txt");
}

#[test]
fn revocation() {
    check("revocation.txt");
}

#[test]
fn sub_grants() {
    check("sub_grants.txt");
}

#[test]
fn rotation() {
    check("rotation.txt");
}

#[test]
fn expiry() {
    check("expiry.txt");
}

#[test]
fn suspension() {
    check("suspension.txt");
}

#[test]
fn servers_and_credentials() {
    check("servers_and_credentials.txt");
}

#[test]
fn retries() {
    check("retries.txt");
}

#[test]
fn archive() {
    check("archive.txt");
}

#[test]
fn operators_and_nodes() {
    check("operators_and_nodes.txt");
}

#[test]
fn calls_in_flight() {
    check("calls_in_flight.txt");
}
