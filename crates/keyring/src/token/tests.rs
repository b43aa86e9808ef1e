//! The form of tokens, from both sides.

use proptest::prelude::*;
use seams::SeededEntropy;

use super::*;

fn refusal(bytes: &[u8]) -> Option<TokenRefused> {
    parse(bytes).err()
}

/// The same body with the checksum that belongs to it.
fn with_checksum(checked: &str) -> String {
    let checksum = base62::encode_checksum(crc32(checked.as_bytes()));
    format!("{checked}{}", std::str::from_utf8(&checksum).unwrap())
}

#[test]
fn a_minted_token_has_the_documented_form_and_parses() {
    for (kind, prefix, len) in
        [(TokenKind::Grant, "pcl_", 53), (TokenKind::Operator, "pcla_", 54), (TokenKind::Join, "pclj_", 54)]
    {
        let token = mint(kind, &SeededEntropy::new(1));
        let text = token.reveal();
        assert!(text.starts_with(prefix));
        assert_eq!(text.len(), len);
        assert!(text[prefix.len()..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert!(text.ends_with(token.last_four()));
        assert_eq!(token.last_four().len(), 4);

        let parsed = parse(text.as_bytes()).expect("it was just made");
        assert_eq!(parsed.kind(), kind);
        assert_eq!(parsed.reveal(), text);
    }
}

#[test]
fn two_tokens_differ() {
    let entropy = SeededEntropy::new(1);
    assert_ne!(mint(TokenKind::Grant, &entropy).reveal(), mint(TokenKind::Grant, &entropy).reveal());
}

/// E03: a wrong token is refused by its form alone.
#[test]
fn e03_each_fault_of_form_has_its_reason() {
    let zeros = "0".repeat(43);
    let largest_digits = "z".repeat(43);
    for (text, reason) in [
        (String::new(), TokenRefused::Prefix),
        ("pcl".to_owned(), TokenRefused::Prefix),
        ("pcl_".to_owned(), TokenRefused::Length),
        ("pcla_abcdef".to_owned(), TokenRefused::Length),
        (with_checksum(&format!("PCL_{zeros}")), TokenRefused::Prefix),
        (with_checksum(&format!("pclx_{zeros}")), TokenRefused::Prefix),
        (with_checksum(&format!(" pcl_{zeros}")), TokenRefused::Prefix),
        (with_checksum(&format!("pcl_{}", &zeros[1..])), TokenRefused::Length),
        (with_checksum(&format!("pcl_{zeros}0")), TokenRefused::Length),
        (with_checksum(&format!("pcl_-{}", &zeros[1..])), TokenRefused::Alphabet),
        (with_checksum(&format!("pcl_{largest_digits}")), TokenRefused::OutOfRange),
        (format!("pcl_{zeros}000000"), TokenRefused::Checksum),
        (format!("pcl_{zeros}......"), TokenRefused::Checksum),
    ] {
        assert_eq!(refusal(text.as_bytes()), Some(reason), "{text}");
    }
    assert_eq!(refusal(with_checksum(&format!("pcl_{zeros}")).as_bytes()), None);
}

/// E03: any single wrong character is found.
#[test]
fn e03_a_change_of_any_character_is_refused() {
    let token = mint(TokenKind::Operator, &SeededEntropy::new(3));
    for position in 0..token.reveal().len() {
        let mut bytes = token.reveal().as_bytes().to_vec();
        bytes[position] = if bytes[position] == b'Q' { b'R' } else { b'Q' };
        assert!(refusal(&bytes).is_some(), "position {position}");
    }
}

/// E03: the checksum covers the prefix, so that a join token does not become an operator's by one letter.
#[test]
fn e03_one_kind_cannot_be_respelled_as_another() {
    let join = mint(TokenKind::Join, &SeededEntropy::new(3));
    let respelled = join.reveal().replacen("pclj_", "pcla_", 1);
    assert_eq!(refusal(respelled.as_bytes()), Some(TokenRefused::Checksum));
}

/// E05: 64 KB in place of a token is refused by its length.
#[test]
fn e05_a_64_kb_token_is_refused_by_its_length() {
    let mut huge = mint(TokenKind::Grant, &SeededEntropy::new(3)).reveal().as_bytes().to_vec();
    huge.resize(64 * 1024, b'0');
    assert_eq!(refusal(&huge), Some(TokenRefused::Length));
}

#[test]
fn no_refusal_repeats_what_was_refused() {
    let token = mint(TokenKind::Grant, &SeededEntropy::new(3));
    let bad = token.reveal().replacen("pcl_", "pcla_", 1);
    let refused = parse(bad.as_bytes()).err().expect("the checksum covers the prefix");
    for shown in [refused.to_string(), format!("{refused:?}")] {
        assert!(!shown.contains(&bad[8..16]));
    }
}

proptest! {
    #[test]
    fn every_minted_token_parses(seed in any::<u64>()) {
        let token = mint(TokenKind::Grant, &SeededEntropy::new(seed));
        prop_assert!(parse(token.reveal().as_bytes()).is_ok());
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        prop_assert!(parse(&bytes).is_err());
    }

    #[test]
    fn arbitrary_bytes_after_a_prefix_never_panic(tail in proptest::collection::vec(any::<u8>(), 0..60)) {
        prop_assert!(parse(&[b"pclj_", tail.as_slice()].concat()).is_err());
    }
}
