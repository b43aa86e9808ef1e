//! Sealing of what a client's session id stands for into the id itself.
//!
//! The state of an old-revision session (upstream id, server, grant, expiry) travels in the client's session id, so
//! that any edge continues it and none has to remember it. What the bytes mean is the edge's business; that they come
//! back unchanged, unread and made by this cluster is this file's. What must stay true: an id is visible ASCII of
//! bounded length, and only the edge that checks the grant inside it may act on it (FAULTS E06).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use seams::Entropy;
use thiserror::Error;

use crate::keyring::Keyring;
use crate::record::KeyVersion;
use crate::secret::Secret;
use crate::symmetric::{NONCE_BYTES, SymmetricKey, TAG_BYTES};

/// The longest content of a session id, in bytes: room for an upstream id of some hundred characters beside our own
/// fields. The id is then at most [`MAX_SESSION_ID_CHARS`] long, which every client and proxy takes in a header.
pub const MAX_SESSION_BYTES: usize = 1024;

/// The longest session id; longer text is not even decoded.
pub const MAX_SESSION_ID_CHARS: usize = (HEAD_BYTES + MAX_SESSION_BYTES + TAG_BYTES).div_ceil(3) * 4;

const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 1 + 4 + NONCE_BYTES;
const KEY_LABEL: &str = "session";
const AAD_LABEL: &[u8] = b"portcullis/v1/session";

/// The content is too long for a session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the session's content has {len} bytes, and at most {MAX_SESSION_BYTES} fit an id")]
pub struct SessionTooLong {
    /// Its length in bytes.
    pub len: usize,
}

/// Why a session id is not one of ours. A client is told the same (unknown session) for each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SessionRefused {
    /// Longer than any of ours, or not of their form.
    #[error("the session id is not of the form that this gateway gives out")]
    Malformed,
    /// Sealed under a key version that this node does not have.
    #[error("the session id names key version {version}, which this node does not have")]
    UnknownKeyVersion {
        /// The version it names.
        version: KeyVersion,
    },
    /// Of the right form, but not made by this cluster.
    #[error("the session id was not made by this cluster, or was changed")]
    NotAuthentic,
}

impl Keyring {
    /// A session id that carries `content`: base64url, without padding.
    ///
    /// # Errors
    /// [`SessionTooLong`] above [`MAX_SESSION_BYTES`].
    pub fn seal_session(&self, content: &[u8], entropy: &dyn Entropy) -> Result<String, SessionTooLong> {
        if content.len() > MAX_SESSION_BYTES {
            return Err(SessionTooLong { len: content.len() });
        }
        let (version, key) = self.current();
        let (nonce, ciphertext) = session_key(key).seal(&self.session_aad(version), content, entropy);
        let bytes = [&[FORMAT], &version.0.to_be_bytes()[..], &nonce, &ciphertext].concat();
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The content of a session id that this cluster made.
    ///
    /// # Errors
    /// [`SessionRefused`].
    pub fn open_session(&self, id: &str) -> Result<Secret, SessionRefused> {
        if id.len() > MAX_SESSION_ID_CHARS {
            return Err(SessionRefused::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD.decode(id).map_err(|_| SessionRefused::Malformed)?;
        let rest = bytes.strip_prefix(&[FORMAT]).ok_or(SessionRefused::Malformed)?;
        let (version, rest) = rest.split_first_chunk::<4>().ok_or(SessionRefused::Malformed)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SessionRefused::Malformed)?;
        let version = KeyVersion(u32::from_be_bytes(*version));
        let key = self.version(version).ok_or(SessionRefused::UnknownKeyVersion { version })?;
        let content = session_key(key).open(&self.session_aad(version), nonce, ciphertext);
        content.ok_or(SessionRefused::NotAuthentic)
    }

    fn session_aad(&self, version: KeyVersion) -> Vec<u8> {
        [AAD_LABEL, self.id().as_bytes(), &version.0.to_be_bytes()].concat()
    }
}

/// Sessions have a key of their own beside the records' data keys, so that no id can ever be read as a record.
fn session_key(version_key: &SymmetricKey) -> SymmetricKey {
    version_key.derive(KEY_LABEL)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use seams::SeededEntropy;

    use super::*;
    use crate::keyring::fixture::{keyring, keyring_with_versions};

    fn id(content: &[u8]) -> String {
        keyring(1).seal_session(content, &SeededEntropy::new(5)).expect("the content is short")
    }

    fn refusal(id: &str) -> Option<SessionRefused> {
        keyring(1).open_session(id).err()
    }

    #[test]
    fn the_content_comes_back_and_cannot_be_read_from_the_id() {
        let id = id(b"upstream-session");
        assert!(keyring(1).open_session(&id).is_ok_and(|content| content.expose() == b"upstream-session"));
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert!(!URL_SAFE_NO_PAD.decode(&id).unwrap().windows(8).any(|window| window == b"upstream"));
    }

    /// E07: an id that the client chose, or that another cluster made, is refused.
    #[test]
    fn e07_an_id_that_this_cluster_did_not_make_is_refused() {
        assert_eq!(refusal("chosen-by-the-client"), Some(SessionRefused::Malformed));
        assert_eq!(refusal(""), Some(SessionRefused::Malformed));
        assert_eq!(refusal("é"), Some(SessionRefused::Malformed));
        assert_eq!(refusal(&format!("{}=", id(b"x"))), Some(SessionRefused::Malformed));
        let foreign = keyring(2).seal_session(b"x", &SeededEntropy::new(5)).expect("the content is short");
        assert_eq!(refusal(&foreign), Some(SessionRefused::NotAuthentic));
    }

    #[test]
    fn the_longest_content_fits_and_nothing_longer() {
        let longest = id(&[7; MAX_SESSION_BYTES]);
        assert!(longest.len() <= MAX_SESSION_ID_CHARS);
        assert_eq!(refusal(&longest), None);
        let refused = keyring(1).seal_session(&[7; MAX_SESSION_BYTES + 1], &SeededEntropy::new(5));
        assert_eq!(refused, Err(SessionTooLong { len: MAX_SESSION_BYTES + 1 }));
        assert_eq!(refusal(&"A".repeat(MAX_SESSION_ID_CHARS + 1)), Some(SessionRefused::Malformed));
    }

    #[test]
    fn a_rotation_keeps_the_sessions_that_are_out() {
        let rotated = keyring_with_versions(1, 2);
        assert!(rotated.open_session(&id(b"x")).is_ok());
        let new = rotated.seal_session(b"x", &SeededEntropy::new(5)).expect("the content is short");
        assert_eq!(refusal(&new), Some(SessionRefused::UnknownKeyVersion { version: KeyVersion(2) }));
    }

    proptest! {
        #[test]
        fn no_changed_character_goes_unnoticed(position in 0_usize..70, character in "[A-Za-z0-9_-]") {
            let good = id(b"upstream-session");
            let position = position % good.len();
            let mut changed = good.clone();
            changed.replace_range(position..=position, &character);
            prop_assert_eq!(refusal(&changed).is_none(), changed == good);
        }
    }
}
