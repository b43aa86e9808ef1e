//! Root key, key versions, sealing, signing, token hashing; secret types that cannot be printed.
//!
//! ```text
//!  root key (file, never replicated)
//!    └─ wraps ─┬─ lasting key ── derives ── token pepper, audit signing key, argument fingerprint key
//!              └─ key versions 1, 2, … ─┬─ wrap one data key per sealed record
//!                                       └─ derive the session sealing key
//! ```
//!
//! It decides nothing about who may use a secret and sends nothing anywhere. What must stay true: no type that holds
//! a secret can be printed, cloned, compared with `==` or serialised (`tests/ui` holds this); every ciphertext is
//! bound to what it belongs to, so that it opens nowhere else; no nonce is ever used twice for two messages, even
//! when a cloned machine repeats its randomness; and no error carries a byte of a secret.

pub mod derived_id;
pub mod fingerprint;
pub mod key_directory;
pub mod keyring;
pub mod keyring_id;
pub mod pepper;
pub mod record;
pub mod root;
pub mod seal;
pub mod secret;
pub mod secret_value;
pub mod session;
pub mod signed_note;
pub mod signing;
pub mod token;

mod crc32;
mod key_file;
mod symmetric;

pub use keyring::Keyring;
pub use secret::Secret;
