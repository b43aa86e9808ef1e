//! Sealed secrets open where they belong and nowhere else.

use proptest::prelude::*;
use seams::SeededEntropy;

use super::*;
use crate::keyring::fixture::{keyring, keyring_with_versions};

const AAD: Aad<'_> =
    Aad { kind: "credential", id: "cred-1", origin: "https://api.example.com:443", version: 3 };

fn sealed(plaintext: &[u8]) -> Sealed {
    keyring(1).seal(&AAD, plaintext, &SeededEntropy::new(9)).expect("the secret is short")
}

fn refusal(keyring: &Keyring, aad: &Aad<'_>, sealed: &Sealed) -> Option<OpenRefused> {
    keyring.open_sealed(aad, sealed).err()
}

#[test]
fn a_sealed_secret_opens_with_the_same_aad() {
    let opened = keyring(1).open_sealed(&AAD, &sealed(b"hunter2")).expect("it was just sealed");
    assert_eq!(opened.expose(), b"hunter2");
}

/// D22: moved to another server (origin), record, kind, or put back after a newer one, it does not open.
#[test]
fn d22_a_ciphertext_moved_anywhere_does_not_open() {
    let sealed = sealed(b"hunter2");
    for moved in [
        Aad { kind: "signing", ..AAD },
        Aad { id: "cred-2", ..AAD },
        Aad { origin: "https://evil.example.com:443", ..AAD },
        Aad { origin: "", ..AAD },
        Aad { version: 2, ..AAD },
        Aad { version: 4, ..AAD },
    ] {
        assert_eq!(refusal(&keyring(1), &moved, &sealed), Some(OpenRefused::NotAuthentic), "{moved:?}");
    }
    assert_eq!(refusal(&keyring(2), &AAD, &sealed), Some(OpenRefused::NotAuthentic));
}

/// D22: fields cannot be shifted into one another.
#[test]
fn d22_the_boundary_between_fields_is_bound() {
    let sealed = sealed(b"hunter2");
    let shifted = Aad { kind: "credentialc", id: "red-1", ..AAD };
    assert_eq!(refusal(&keyring(1), &shifted, &sealed), Some(OpenRefused::NotAuthentic));
}

/// D22: neither layer of one record fits the other layer of another.
#[test]
fn d22_parts_of_two_ciphertexts_do_not_open_together() {
    let entropy = SeededEntropy::new(4);
    let seal = |plaintext| keyring(1).seal(&AAD, plaintext, &entropy).expect("the secret is short");
    let (one, other) = (seal(b"one"), seal(b"other"));
    let mixed = Sealed { key_nonce: other.key_nonce, wrapped_key: other.wrapped_key, ..one };
    assert_eq!(refusal(&keyring(1), &AAD, &mixed), Some(OpenRefused::NotAuthentic));
}

/// D23: a machine cloned with its randomness seals a second secret under other nonces, and the same secret twice
/// gives nothing that was not known.
#[test]
fn d23_a_cloned_machine_repeats_no_nonce() {
    let (one, other) = (sealed(b"first secret"), sealed(b"other secret"));
    assert_ne!(one.nonce, other.nonce);
    assert_eq!(one, sealed(b"first secret"));

    let moved = Aad { id: "cred-2", ..AAD };
    let elsewhere = keyring(1).seal(&moved, b"first secret", &SeededEntropy::new(9)).expect("it is short");
    assert_ne!(one.nonce, elsewhere.nonce);
    assert_ne!(one.key_nonce, elsewhere.key_nonce);
}

/// D23: on a healthy machine nothing repeats.
#[test]
fn d23_the_same_secret_sealed_twice_looks_different() {
    let entropy = SeededEntropy::new(4);
    let seal = || keyring(1).seal(&AAD, b"hunter2", &entropy).expect("the secret is short");
    let (one, again) = (seal(), seal());
    assert_ne!(one.key_nonce, again.key_nonce);
    assert_ne!(one.wrapped_key, again.wrapped_key);
    assert_ne!(one.nonce, again.nonce);
    assert_ne!(one.ciphertext, again.ciphertext);
}

#[test]
fn older_key_versions_still_open_what_they_sealed() {
    let before = keyring_with_versions(1, 1).seal(&AAD, b"old", &SeededEntropy::new(4)).expect("it is short");
    let rotated = keyring_with_versions(1, 3);
    assert!(rotated.open_sealed(&AAD, &before).is_ok_and(|secret| secret.expose() == b"old"));

    let after = rotated.seal(&AAD, b"new", &SeededEntropy::new(4)).expect("it is short");
    assert_eq!((before.key_version(), after.key_version()), (KeyVersion(1), KeyVersion(3)));
    let unknown = OpenRefused::UnknownKeyVersion { version: KeyVersion(3) };
    assert_eq!(refusal(&keyring_with_versions(1, 2), &AAD, &after), Some(unknown));
}

#[test]
fn a_ciphertext_under_another_version_number_does_not_open() {
    let rotated = keyring_with_versions(1, 2);
    let renumbered = Sealed { key_version: KeyVersion(2), ..sealed(b"hunter2") };
    assert_eq!(refusal(&rotated, &AAD, &renumbered), Some(OpenRefused::NotAuthentic));
}

#[test]
fn the_longest_secret_is_sealed_and_a_longer_one_refused() {
    let longest = vec![7; MAX_SEALED_PLAINTEXT_BYTES];
    let sealed = sealed(&longest);
    assert_eq!(Sealed::from_bytes(&sealed.to_bytes()), Ok(sealed));
    let longer = vec![7; MAX_SEALED_PLAINTEXT_BYTES + 1];
    let refused = keyring(1).seal(&AAD, &longer, &SeededEntropy::new(9)).err();
    assert_eq!(refused, Some(SealRefused { len: longer.len() }));
}

#[test]
fn malformed_bytes_are_refused_by_form() {
    let good = sealed(b"").to_bytes();
    assert_eq!(good.len(), HEAD_BYTES + TAG_BYTES);
    assert!(Sealed::from_bytes(&good).is_ok());
    assert_eq!(Sealed::from_bytes(b""), Err(SealedMalformed::Length { len: 0 }));
    assert_eq!(
        Sealed::from_bytes(&good[..good.len() - 1]),
        Err(SealedMalformed::Length { len: good.len() - 1 })
    );
    assert_eq!(Sealed::from_bytes(&[2; 200]), Err(SealedMalformed::Format { format: 2 }));
    let endless = vec![FORMAT; MAX_SEALED_BYTES + 1];
    assert_eq!(Sealed::from_bytes(&endless), Err(SealedMalformed::Length { len: endless.len() }));
}

#[test]
fn the_plaintext_is_nowhere_in_the_stored_form() {
    let canary = b"CANARY-0123456789-CANARY";
    let bytes = sealed(canary).to_bytes();
    assert!(!bytes.windows(8).any(|window| canary.windows(8).any(|part| part == window)));
}

#[derive(Clone, Debug)]
struct Owned {
    kind: String,
    id: String,
    origin: String,
    version: u64,
}

impl Owned {
    fn aad(&self) -> Aad<'_> {
        Aad { kind: &self.kind, id: &self.id, origin: &self.origin, version: self.version }
    }
}

/// Short texts from a small alphabet, so that two of them often agree in all but one field or in their sum.
fn any_aad() -> impl Strategy<Value = Owned> {
    ("[ab]{0,3}", "[ab]{0,3}", "[ab]{0,3}", 0_u64..3).prop_map(|(kind, id, origin, version)| Owned {
        kind,
        id,
        origin,
        version,
    })
}

proptest! {
    /// D22: opens under an AAD if and only if it is the one it was sealed with.
    #[test]
    fn d22_only_the_same_aad_opens(
        one in any_aad(),
        other in any_aad(),
        plaintext in proptest::collection::vec(any::<u8>(), 0..100),
        seed in any::<u64>(),
    ) {
        let keyring = keyring(1);
        let sealed = keyring.seal(&one.aad(), &plaintext, &SeededEntropy::new(seed)).expect("the secret is short");
        let same = one.aad() == other.aad();
        prop_assert!(keyring.open_sealed(&one.aad(), &sealed).is_ok_and(|secret| secret.expose() == plaintext));
        prop_assert_eq!(keyring.open_sealed(&other.aad(), &sealed).is_ok(), same);
    }

    /// Every bit of the stored form is covered.
    #[test]
    fn no_flipped_bit_goes_unnoticed(bit in 0_usize..(HEAD_BYTES + 7 + TAG_BYTES) * 8) {
        let mut bytes = sealed(b"hunter2").to_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let opened = Sealed::from_bytes(&bytes).ok().and_then(|sealed| keyring(1).open_sealed(&AAD, &sealed).ok());
        prop_assert!(opened.is_none());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(sealed) = Sealed::from_bytes(&bytes) {
            prop_assert!(keyring(1).open_sealed(&AAD, &sealed).is_err());
        }
    }
}
