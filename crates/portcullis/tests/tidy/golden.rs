//! Golden bytes are only added: their folder has a MANIFEST with the SHA-256 of every file, and the two agree.
//!
//! The manifest does not stop somebody who edits both. It turns an edit in passing into a deliberate one, which a reviewer sees.

use sha2::{Digest, Sha256};

use crate::tree::{File, Tree};

/// The list at the top of the golden folder, in the format of `sha256sum`.
const MANIFEST: &str = "MANIFEST";
/// The golden folder of `wire`, the crate that owns stored bytes: one folder in it for each version of each message.
const GOLDEN: &str = "crates/wire/golden/";

/// Golden files that changed, are gone, or are not listed.
pub fn edited_or_unlisted(tree: &Tree) -> Vec<String> {
    let manifest = tree.get(&format!("{GOLDEN}{MANIFEST}")).and_then(File::text).unwrap_or_default();
    let listed: Vec<(&str, &str)> = manifest.lines().filter_map(entry).collect();
    let mut broken = Vec::new();
    for file in tree.files() {
        let Some(name) = file.path.strip_prefix(GOLDEN).filter(|name| *name != MANIFEST) else { continue };
        match listed.iter().find(|(_, listed)| *listed == name) {
            None => broken.push(format!("{name} is not listed in {GOLDEN}{MANIFEST}")),
            Some((sum, _)) if *sum != sha256(&file.bytes) => {
                broken.push(format!("{name} is not what was recorded"));
            }
            Some(_) => {}
        }
    }
    let gone = listed.iter().filter(|(_, name)| tree.get(&format!("{GOLDEN}{name}")).is_none());
    broken.extend(gone.map(|(_, name)| format!("{name} is listed but gone")));
    broken
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
    let manifest =
        ["kept", "edited", "gone"].map(|name| format!("{sum_of_abc}  event_v1/{name}.bin\n")).concat();
    let tree = Tree::of(&[
        ("crates/wire/golden/MANIFEST", &manifest),
        ("crates/wire/golden/event_v1/edited.bin", "abcd"),
        ("crates/wire/golden/event_v1/kept.bin", "abc"),
        ("crates/wire/golden/event_v1/new.bin", "abc"),
    ]);
    assert_eq!(
        edited_or_unlisted(&tree),
        [
            "event_v1/edited.bin is not what was recorded",
            "event_v1/new.bin is not listed in crates/wire/golden/MANIFEST",
            "event_v1/gone.bin is listed but gone"
        ]
    );
}
