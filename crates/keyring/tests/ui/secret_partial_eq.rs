//! D20: a secret has no `PartialEq`, so it is compared in constant time or not at all.

fn demands<T: PartialEq>() {}

fn main() {
    demands::<keyring::Secret>();
}
