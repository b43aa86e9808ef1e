//! D20: a secret has no `Serialize`, so it gets into no file and no answer.

fn demands<T: serde::Serialize>() {}

fn main() {
    demands::<keyring::Secret>();
}
