//! D20: a secret has no `Clone`, so no copy of it escapes the wiping.

fn demands<T: Clone>() {}

fn main() {
    demands::<keyring::Secret>();
}
