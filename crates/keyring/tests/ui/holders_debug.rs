//! D20: nor can anything else in the crate that holds a secret be printed.

fn demands<T: std::fmt::Debug>() {}

fn main() {
    demands::<keyring::Keyring>();
    demands::<keyring::root::RootKey>();
    demands::<keyring::token::Token>();
    demands::<keyring::pepper::Pepper>();
    demands::<keyring::signing::AuditSigner>();
    demands::<keyring::fingerprint::ArgumentFingerprinter>();
}
