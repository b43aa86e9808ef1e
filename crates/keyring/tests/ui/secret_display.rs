//! D20: a secret has no `Display`, so it cannot be formatted or turned into a `String`.

fn demands<T: std::fmt::Display>() {}

fn main() {
    demands::<keyring::Secret>();
}
