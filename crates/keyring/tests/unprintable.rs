//! D20: the types that hold secrets can be neither printed nor copied, compared or serialised by accident. Each file
//! of `tests/ui` is a program that must not compile, with the compiler's words beside it.

#[test]
fn d20_types_that_hold_secrets_do_not_compile_where_they_could_leak() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
