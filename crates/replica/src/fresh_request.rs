//! Request ids of what this node itself asks for.

use authority::request;
use seams::{Entropy, entropy};

/// A fresh request id: a random UUID (RFC 9562, section 5.4).
pub(crate) fn fresh_request(source: &dyn Entropy) -> request::Id {
    let mut id: [u8; 16] = entropy::array(source);
    id[6] = (id[6] & 0x0f) | 0x40;
    id[8] = (id[8] & 0x3f) | 0x80;
    request::Id(id)
}

#[cfg(test)]
mod tests {
    use seams::SeededEntropy;

    use super::*;

    #[test]
    fn it_is_a_random_uuid_and_a_new_one_each_time() {
        let source = SeededEntropy::new(1);
        let (one, two) = (fresh_request(&source).to_string(), fresh_request(&source).to_string());
        assert_ne!(one, two);
        assert_eq!((&one[14..15], one.len()), ("4", 36));
        assert!(matches!(&one[19..20], "8" | "9" | "a" | "b"));
    }
}
