//! `Debug` for the messages that carry a secret or a token: it shows which message it is and nothing in it, so that no
//! log line and no panic can print one.

use std::fmt;

use crate::pb::admin::v1::{
    CreateOperatorResponse, IssueGrantResponse, RotateGrantResponse, RotateOperatorTokenResponse,
    SetCredentialRequest,
};

macro_rules! unprintable {
    ($($message:ident),*) => {$(
        impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($message)).finish_non_exhaustive()
            }
        }
    )*};
}

unprintable!(
    CreateOperatorResponse,
    IssueGrantResponse,
    RotateGrantResponse,
    RotateOperatorTokenResponse,
    SetCredentialRequest
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_with_a_secret_prints_none_of_it() {
        let request = SetCredentialRequest { secret: b"canary".to_vec(), ..Default::default() };
        assert_eq!(format!("{request:?}"), "SetCredentialRequest { .. }");
        let answer = IssueGrantResponse { token: "canary".into(), ..Default::default() };
        assert_eq!(format!("{answer:?}"), "IssueGrantResponse { .. }");
    }
}
