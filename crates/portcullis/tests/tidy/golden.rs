//! Golden bytes are only added: each folder of them has a MANIFEST with the SHA-256 of every file, and the two agree.
//!
//! The manifest does not stop somebody who edits both. It turns an edit in passing into a deliberate one, which a reviewer sees.

use sha2::{Digest, Sha256};

use crate::tree::{File, Tree};

/// The name of the list in each golden folder, in the format of `sha256sum`.
const MANIFEST: &str = "MANIFEST";

/// Golden files that changed, are gone, or are not listed.
pub fn edited_or_unlisted(tree: &Tree) -> Vec<String> {
    let golden: Vec<&File> = tree.files().filter(|file| is_golden(file)).collect();
    let mut broken = Vec::new();
    for file in golden.iter().filter(|file| file.name() != MANIFEST) {
        let folder = folder(file);
        let manifest = tree.get(&format!("{folder}/{MANIFEST}")).and_then(File::text).unwrap_or_default();
        match manifest.lines().filter_map(entry).find(|(_, name)| *name == file.name()) {
            None => broken.push(format!("{} is not listed in {folder}/{MANIFEST}", file.path)),
            Some((sum, _)) if sum != sha256(&file.bytes) => {
                broken.push(format!("{} is not what was recorded", file.path));
            }
            Some(_) => {}
        }
    }
    for manifest in golden.iter().filter(|file| file.name() == MANIFEST) {
        for (_, name) in manifest.text().unwrap_or_default().lines().filter_map(entry) {
            let path = format!("{}/{name}", folder(manifest));
            if tree.get(&path).is_none() {
                broken.push(format!("{path} is listed but gone"));
            }
        }
    }
    broken
}

/// Whether this is a file of a `golden` folder of `wire`, the crate that owns stored bytes.
fn is_golden(file: &File) -> bool {
    file.path.starts_with("crates/wire/") && folder(file).rsplit('/').next() == Some("golden")
}

fn folder(file: &File) -> &str {
    file.path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A line of `sha256sum`: the sum, two characters, the name.
fn entry(line: &str) -> Option<(&str, &str)> {
    let (sum, name) = line.split_once(' ')?;
    Some((sum, name.trim_start_matches([' ', '*'])))
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_edited_a_missing_and_an_unlisted_file_are_found() {
    let sum_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let manifest = format!("{sum_of_abc}  kept.bin\n{sum_of_abc}  edited.bin\n{sum_of_abc}  gone.bin\n");
    let tree = Tree::of(&[
        ("crates/wire/tests/golden/MANIFEST", &manifest),
        ("crates/wire/tests/golden/edited.bin", "abcd"),
        ("crates/wire/tests/golden/kept.bin", "abc"),
        ("crates/wire/tests/golden/new.bin", "abc"),
    ]);
    assert_eq!(
        edited_or_unlisted(&tree),
        [
            "crates/wire/tests/golden/edited.bin is not what was recorded",
            "crates/wire/tests/golden/new.bin is not listed in crates/wire/tests/golden/MANIFEST",
            "crates/wire/tests/golden/gone.bin is listed but gone"
        ]
    );
}
