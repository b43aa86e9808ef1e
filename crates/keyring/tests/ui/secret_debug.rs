//! D20: a secret has no `Debug`, so it cannot stand in a log line or in another type's derived `Debug`.

fn demands<T: std::fmt::Debug>() {}

fn main() {
    demands::<keyring::Secret>();
}
