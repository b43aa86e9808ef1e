//! Failures as people and scripts see them: one message that says what to do, and an exit status for each kind.

use std::process::ExitCode;

use tonic::{Code, Status};

/// Something failed that no other status names.
const FAILED: u8 = 1;

/// The operator token is missing or refused.
const AUTHENTICATION_NEEDED: u8 = 4;

/// The operator may not do this.
const NOT_ALLOWED: u8 = 5;

/// The state is not as the command needs it.
const CONFLICT: u8 = 7;

/// The gateway cannot be reached, or not now.
const UNAVAILABLE: u8 = 8;

/// Prints what failed and answers the exit status.
pub fn report(error: &anyhow::Error) -> ExitCode {
    let status = error.chain().find_map(|cause| cause.downcast_ref::<Status>());
    let Some(status) = status else {
        eprintln!("error: {error:#}");
        return ExitCode::from(if error.chain().any(|cause| cause.is::<tonic::transport::Error>()) {
            UNAVAILABLE
        } else {
            FAILED
        });
    };
    eprintln!("error: {}", status.message());
    if let Some(next) = next_step(status.code()) {
        eprintln!("{next}");
    }
    ExitCode::from(exit_status(status.code()))
}

fn exit_status(code: Code) -> u8 {
    match code {
        Code::Unauthenticated => AUTHENTICATION_NEEDED,
        Code::PermissionDenied => NOT_ALLOWED,
        Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted => CONFLICT,
        Code::Unavailable | Code::DeadlineExceeded => UNAVAILABLE,
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::ResourceExhausted
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => FAILED,
    }
}

fn next_step(code: Code) -> Option<&'static str> {
    match code {
        Code::Unauthenticated => Some(
            "Put an operator token into the file that the context names, or into PORTCULLIS_OPERATOR_TOKEN.",
        ),
        Code::PermissionDenied => {
            Some("Ask an owner for the role, or use the token of an operator who has it.")
        }
        Code::Unavailable | Code::DeadlineExceeded => {
            Some("The change may have been made all the same; look before you try again.")
        }
        _ => None,
    }
}
