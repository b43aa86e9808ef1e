//! Failures as people and scripts see them: one message, the next command to run, and an exit status for each kind.

use std::{error::Error, fmt, process::ExitCode};

use tonic::{Code, Status};
use tonic_types::{ErrorInfo, StatusExt};

/// Something failed that no other status names.
const FAILED: u8 = 1;

/// The command was used wrongly; clap's own status for it.
const USAGE: u8 = 2;

/// The operator token is missing or refused.
const AUTHENTICATION_NEEDED: u8 = 4;

/// The operator may not do this.
const NOT_ALLOWED: u8 = 5;

/// The state is not as the command needs it.
const CONFLICT: u8 = 7;

/// The gateway cannot be reached, or not now.
const UNAVAILABLE: u8 = 8;

/// The command was used wrongly, in a way that only running it shows.
#[derive(Debug)]
pub struct Usage(String);

/// Whoever read the output went away, as `head` does. There is nobody to tell, and nothing failed.
#[derive(Debug)]
pub struct ReaderGone;

/// The gateway ended what was followed: it stopped, or the way to it broke.
#[derive(Debug)]
pub struct StreamEnded;

/// What a command set out to do, which decides what may be left of it when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Nothing can be left.
    Read,
    /// The change may have been made although its answer was lost.
    Change,
}

/// An argument of the command line.
enum Argument {
    /// One with this name.
    Option(&'static str),
    /// One that stands in its place, without a name.
    Place,
}

/// A failure as it is shown.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    message: String,
    next: Option<String>,
    exit: u8,
}

impl Usage {
    /// What is wrong, and what to say instead.
    pub fn of(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Usage {}

impl fmt::Display for ReaderGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the output any more")
    }
}

impl Error for ReaderGone {}

impl fmt::Display for StreamEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the gateway ended the stream; run the command again when it is back, \
             and `portcullis audit list --since 10m` shows what came between",
        )
    }
}

impl Error for StreamEnded {}

/// Why a stream that was followed ended. Without a reason of the gateway the connection broke; how it says so is about
/// frames and resets, which helps nobody.
pub fn of_stream(status: Status) -> anyhow::Error {
    match status.get_details_error_info().map(|info| info.reason).as_deref() {
        None | Some("NODE_STOPPING") => StreamEnded.into(),
        Some(_) => status.into(),
    }
}

/// Prints what failed and answers the exit status.
pub fn report(error: &anyhow::Error, attempt: Attempt) -> ExitCode {
    if error.is::<ReaderGone>() {
        return ExitCode::SUCCESS;
    }
    let shown = shown(error, attempt);
    eprintln!("error: {}", shown.message);
    if let Some(next) = shown.next {
        eprintln!("next: {next}");
    }
    ExitCode::from(shown.exit)
}

fn shown(error: &anyhow::Error, attempt: Attempt) -> Shown {
    if let Some(status) = error.chain().find_map(|cause| cause.downcast_ref::<Status>()) {
        return refused(status, attempt);
    }
    let message = format!("{error:#}");
    if error.is::<Usage>() {
        return Shown { message, next: None, exit: USAGE };
    }
    if error.is::<StreamEnded>() {
        return Shown { message, next: None, exit: UNAVAILABLE };
    }
    if error.chain().any(|cause| cause.downcast_ref::<tonic::transport::Error>().is_some()) {
        let next = "start the gateway with `portcullis dev` or `portcullis run --config FILE`, \
                    or name another one with --context FILE";
        return Shown { message, next: Some(next.to_owned()), exit: UNAVAILABLE };
    }
    Shown { message, next: None, exit: FAILED }
}

/// What the gateway said, or what became of the way to it.
fn refused(status: &Status, attempt: Attempt) -> Shown {
    let (message, info) = (status.message(), status.get_details_error_info());
    // The gateway gives every refusal a reason; one without comes from the connection, and is told with its cause.
    let message = match (&info, status.source()) {
        (None, Some(source)) => format!("{message}: {source}"),
        (None, None) if message.is_empty() => format!("the gateway answered {:?}", status.code()),
        (None, None) => message.to_owned(),
        (Some(info), _) => of_arguments(message, info),
    };
    let by_code = || next_by_code(status.code(), attempt).map(str::to_owned);
    let next = info.as_ref().and_then(next_for).or_else(by_code);
    Shown { message, next, exit: exit_status(status.code()) }
}

/// The message in the words of the command line: the gateway names a field of the request, where people gave an argument.
fn of_arguments(message: &str, info: &ErrorInfo) -> String {
    if info.reason == "TOKEN_UNKNOWN" {
        // No command of this version prints a new one.
        return "nobody holds this operator token".to_owned();
    }
    let why = info.metadata.get("field").and_then(|field| {
        let why = message.strip_prefix(field.as_str())?.strip_prefix(": ")?;
        Some((argument(field)?, why))
    });
    match why {
        None => message.to_owned(),
        Some((Argument::Option(option), why)) => format!("{option}: {why}"),
        // What is wrong with a name quotes it, unless there is nothing to quote.
        Some((Argument::Place, why)) if why.starts_with("is ") => format!("the name {why}"),
        Some((Argument::Place, why)) => why.to_owned(),
    }
}

/// The argument that a field of a request comes from; none for a field that no command fills.
fn argument(field: &str) -> Option<Argument> {
    Some(Argument::Option(match field {
        "name" | "server_id" | "principal_id" | "server" => return Some(Argument::Place),
        "attachment.header.name" => "--header",
        "credential_id" => "--name",
        "filter.grant" => "--grant",
        "filter.kinds" => "--kind",
        "filter.principal" | "grant.principal" | "principal" => "--principal",
        "filter.server" | "grant.scopes.server" => "--server",
        "filter.start_time" => "--since",
        "filter.target" => "--target",
        "grant.parent" => "--parent",
        "grant.scopes.prompts" => "--prompt",
        "grant.scopes.resources" => "--resource",
        "grant.scopes.tools" => "--tool",
        "overlap" => "--overlap",
        "principal.groups" => "--group",
        "principal.owner" => "--owner",
        "request_id" => "--request-id",
        "secret" => "the secret",
        "server.url" => "--url",
        "ttl" => "--ttl",
        _ => return None,
    }))
}

fn exit_status(code: Code) -> u8 {
    match code {
        Code::InvalidArgument | Code::OutOfRange => USAGE,
        Code::Unauthenticated => AUTHENTICATION_NEEDED,
        Code::PermissionDenied => NOT_ALLOWED,
        Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted => CONFLICT,
        // A deadline of the transport shows as a cancellation.
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted => UNAVAILABLE,
        Code::Ok | Code::Unknown | Code::NotFound | Code::Unimplemented | Code::Internal | Code::DataLoss => {
            FAILED
        }
    }
}

/// The next command for a published reason.
fn next_for(info: &ErrorInfo) -> Option<String> {
    let fact = |name: &str| info.metadata.get(name).map(String::as_str).unwrap_or_default();
    let subject = fact("subject");
    match info.reason.as_str() {
        "NOT_FOUND" | "ALREADY_EXISTS" => {
            Some(format!("`portcullis {} list` shows what is there", noun(subject)?))
        }
        "GRANT_REVOKED" => Some("`portcullis grant issue` makes a new one".to_owned()),
        "WIDER_THAN_PARENT" => Some("`portcullis grant show` of the parent shows what it reaches".to_owned()),
        "ORIGIN_MISMATCH" => {
            Some("`portcullis credential set SERVER --name NAME` makes one of another name".to_owned())
        }
        "OUTCOME_UNKNOWN" => Some(format!("the same command with --request-id {}", fact("request_id"))),
        "TOKEN_UNKNOWN" => Some(
            "put back the token that `portcullis init` printed or `portcullis dev` wrote: into the file that the context \
             names, or into PORTCULLIS_OPERATOR_TOKEN"
                .to_owned(),
        ),
        "AUDIT_DAMAGED" => Some("`portcullis audit verify --archive DIR` names the damage".to_owned()),
        _ => None,
    }
}

/// The noun of the command line for a resource such as `servers/github`.
fn noun(resource: &str) -> Option<&'static str> {
    match resource.split_once('/')?.0 {
        "servers" => Some("server"),
        "credentials" => Some("credential"),
        "principals" => Some("principal"),
        "grants" => Some("grant"),
        _ => None,
    }
}

fn next_by_code(code: Code, attempt: Attempt) -> Option<&'static str> {
    match code {
        Code::Unauthenticated => Some(
            "put an operator token into the file that the context names, or into PORTCULLIS_OPERATOR_TOKEN",
        ),
        Code::PermissionDenied => {
            Some("ask an owner for the role, or use the token of an operator who has it")
        }
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled => Some(match attempt {
            Attempt::Change => {
                "look first whether the change was made, with the noun's `list`, and then run the command again"
            }
            Attempt::Read => "run the command again in a moment",
        }),
        Code::ResourceExhausted | Code::Aborted => Some("run the command again in a moment"),
        Code::Ok
        | Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Internal
        | Code::DataLoss => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    fn of_gateway(code: Code, reason: &str, facts: &[(&str, &str)]) -> Shown {
        let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let details = ErrorDetails::with_error_info(reason, "portcullis", facts.collect::<HashMap<_, _>>());
        shown(&Status::with_error_details(code, "what is wrong", details).into(), Attempt::Change)
    }

    fn of_field(field: &str, why: &str) -> String {
        let facts = HashMap::from([("field".to_owned(), field.to_owned())]);
        let details = ErrorDetails::with_error_info("NAME_INVALID", "portcullis", facts);
        let status = Status::with_error_details(Code::InvalidArgument, format!("{field}: {why}"), details);
        shown(&status.into(), Attempt::Change).message
    }

    #[test]
    fn a_refused_field_is_named_by_the_argument_it_comes_from() {
        for (field, why, told) in [
            ("grant.scopes.tools", "a pattern is empty", "--tool: a pattern is empty"),
            ("attachment.header.name", "\"Host\" cannot", "--header: \"Host\" cannot"),
            ("server_id", "\"A\" is not a name", "\"A\" is not a name"),
            ("principal_id", "is missing", "the name is missing"),
            ("page_token", "was not given out", "page_token: was not given out"),
        ] {
            assert_eq!(of_field(field, why), told);
        }
    }

    #[test]
    fn an_unknown_operator_token_can_only_be_put_back() {
        let shown = of_gateway(Code::Unauthenticated, "TOKEN_UNKNOWN", &[]);
        assert_eq!(shown.message, "nobody holds this operator token");
        assert!(shown.next.is_some_and(|next| next.contains("portcullis init")));
    }

    #[test]
    fn a_read_that_failed_left_nothing_to_look_for() {
        let next = |attempt| shown(&Status::unavailable("gone").into(), attempt).next.expect("advice");
        assert!(next(Attempt::Change).contains("whether the change was made"));
        assert_eq!(next(Attempt::Read), "run the command again in a moment");
    }

    #[test]
    fn a_stream_that_ends_says_how_to_go_on_and_nothing_of_frames() {
        let broken = of_stream(Status::unknown("h2 protocol error: error reading a body from connection"));
        let shown_ended = shown(&broken, Attempt::Read);
        assert_eq!((shown_ended.exit, shown_ended.next), (UNAVAILABLE, None));
        assert!(shown_ended.message.contains("audit list --since 10m"));
        assert!(!shown_ended.message.contains("h2"));
        let details = ErrorDetails::with_error_info("TOKEN_UNKNOWN", "portcullis", HashMap::new());
        let refused = Status::with_error_details(Code::Unauthenticated, "no", details);
        assert_eq!(shown(&of_stream(refused), Attempt::Read).exit, AUTHENTICATION_NEEDED);
    }

    #[test]
    fn a_refusal_has_its_message_the_next_command_and_the_status_of_its_kind() {
        for (code, reason, facts, next, exit) in [
            (
                Code::NotFound,
                "NOT_FOUND",
                &[("subject", "grants/gr_x")][..],
                Some("`portcullis grant list` shows what is there"),
                FAILED,
            ),
            (
                Code::AlreadyExists,
                "ALREADY_EXISTS",
                &[("subject", "servers/github")],
                Some("`portcullis server list` shows what is there"),
                CONFLICT,
            ),
            (
                Code::FailedPrecondition,
                "GRANT_REVOKED",
                &[("subject", "grants/gr_x")],
                Some("`portcullis grant issue` makes a new one"),
                CONFLICT,
            ),
            (
                Code::DeadlineExceeded,
                "OUTCOME_UNKNOWN",
                &[("request_id", "7f1c2a9e-5c1b-4c39-9a7e-2f4d1f0b8a6c")],
                Some("the same command with --request-id 7f1c2a9e-5c1b-4c39-9a7e-2f4d1f0b8a6c"),
                UNAVAILABLE,
            ),
            (Code::ResourceExhausted, "BUSY", &[], Some("run the command again in a moment"), UNAVAILABLE),
            (Code::InvalidArgument, "NAME_INVALID", &[], None, USAGE),
        ] {
            let expected = Shown { message: "what is wrong".to_owned(), next: next.map(str::to_owned), exit };
            assert_eq!(of_gateway(code, reason, facts), expected, "{reason}");
        }
        assert_eq!(of_gateway(Code::Unauthenticated, "TOKEN_UNKNOWN", &[]).exit, AUTHENTICATION_NEEDED);
        assert_eq!(of_gateway(Code::PermissionDenied, "ROLE_MAY_NOT", &[]).exit, NOT_ALLOWED);
    }

    #[test]
    fn a_failure_of_the_connection_is_told_with_its_cause() {
        let mut status = Status::unavailable("error trying to connect");
        status.set_source(std::sync::Arc::new(std::io::Error::other("the certificate is not trusted")));
        let shown = shown(&status.into(), Attempt::Change);
        assert_eq!(shown.message, "error trying to connect: the certificate is not trusted");
        assert_eq!(shown.exit, UNAVAILABLE);
    }

    #[test]
    fn wrong_use_has_the_status_that_clap_gives_it() {
        let shown = shown(&Usage::of("say --all").into(), Attempt::Change);
        assert_eq!(shown, Shown { message: "say --all".to_owned(), next: None, exit: USAGE });
    }
}
