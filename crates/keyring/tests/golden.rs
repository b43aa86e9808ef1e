//! Bytes written when their format was born. They are never edited: a release that cannot read them has lost its
//! users' secrets. A new format adds files beside these.
//!
//! The keys in them were made from a seed for this purpose and protect nothing.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic like the test itself")]

use std::path::Path;

use keyring::Keyring;
use keyring::seal::{Aad, Sealed};
use keyring::signing::VerifyingKey;
use keyring::token;
use seams::{Disk, SeededEntropy, SimulatedDisk};

const DIR: &str = "/keys";

const AAD: Aad<'_> =
    Aad { kind: "credential", id: "cred-7", origin: "https://api.example.com:443", version: 2 };

/// The keyring of the golden key files.
fn keyring() -> Keyring {
    let disk = SimulatedDisk::new();
    disk.create_dir_all(Path::new(DIR)).unwrap();
    for (name, text) in [
        ("root.key", include_str!("golden/root-key-v1.txt")),
        ("keyring", include_str!("golden/keyring-v1.txt")),
    ] {
        disk.create_new(&Path::new(DIR).join(name)).unwrap().append(text.as_bytes()).unwrap();
    }
    Keyring::open(Path::new(DIR), &disk).expect("version 1 of the key files is read for ever")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.trim();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn a_secret_sealed_in_version_1_opens() {
    let sealed = Sealed::from_bytes(&unhex(include_str!("golden/sealed-v1.hex"))).unwrap();
    let opened = keyring().open_sealed(&AAD, &sealed).expect("version 1 of sealed secrets is read for ever");
    assert_eq!(opened.expose(), b"an upstream secret");
}

/// The writer, too, is held to the bytes, so that a change of format cannot happen unnoticed.
#[test]
fn sealing_still_writes_version_1() {
    let sealed = keyring().seal(&AAD, b"an upstream secret", &SeededEntropy::new(7)).unwrap();
    assert_eq!(hex(&sealed.to_bytes()), include_str!("golden/sealed-v1.hex").trim());
}

#[test]
fn a_session_id_of_version_1_opens_and_is_still_written() {
    let id = include_str!("golden/session-v1.txt").trim();
    let opened = keyring().open_session(id).expect("session ids outlive an upgrade");
    assert_eq!(opened.expose(), b"an upstream session");
    assert_eq!(keyring().seal_session(b"an upstream session", &SeededEntropy::new(7)).unwrap(), id);
}

/// Tokens and their hashes must outlive every release: the tokens are in people's hands.
#[test]
fn a_token_of_version_1_still_has_its_hash() {
    let (text, hash) = include_str!("golden/token-v1.txt").trim().split_once(' ').unwrap();
    let token = token::parse(text.as_bytes()).ok().unwrap();
    assert_eq!(hex(&keyring().pepper().hash(&token)), hash);
}

/// The public key is in the hands of those who verify archives.
#[test]
fn the_audit_key_stays_the_same() {
    let expected: VerifyingKey = include_str!("golden/audit-key-v1.txt").trim().parse().unwrap();
    let signer = keyring().audit_signer("audit.example.com".parse().unwrap());
    assert_eq!(signer.verifying_key(), expected);
}

#[test]
fn argument_fingerprints_stay_comparable() {
    let digest = keyring().argument_fingerprinter().digest(br#"{"path":"/srv"}"#);
    assert_eq!(digest.to_string(), include_str!("golden/fingerprint-v1.txt").trim());
}
