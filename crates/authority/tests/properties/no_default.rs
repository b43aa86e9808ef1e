//! There is no default identity: a failed authentication cannot fall back to one by accident.

use authority::{
    Permit, View,
    event::Actor,
    grant::{self, Grant, TokenHash},
    name::Name,
    operator::{self, Operator},
    principal::{self, Principal},
    server,
};

/// For a type with no `Default` there is one implementation and `A` is inferred; for one that has it there are two, and
/// naming the function no longer compiles.
trait NoDefault<A> {
    fn holds() {}
}

/// Tells the second implementation from the first.
struct HasDefault;

impl<T> NoDefault<()> for T {}
impl<T: Default> NoDefault<HasDefault> for T {}

/// FAULTS C24: checked when this compiles.
#[test]
fn c24_no_identity_has_a_default() {
    <Principal as NoDefault<_>>::holds();
    <principal::Id as NoDefault<_>>::holds();
    <Operator as NoDefault<_>>::holds();
    <operator::Id as NoDefault<_>>::holds();
    <operator::Role as NoDefault<_>>::holds();
    <Actor as NoDefault<_>>::holds();
    <Grant as NoDefault<_>>::holds();
    <grant::Id as NoDefault<_>>::holds();
    <TokenHash as NoDefault<_>>::holds();
    <server::Id as NoDefault<_>>::holds();
    <Name as NoDefault<_>>::holds();
    <Permit as NoDefault<_>>::holds();
    <View as NoDefault<_>>::holds();
}
