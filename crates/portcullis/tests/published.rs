//! What is published stays what the code says: `docs/errors.md` is made from the lists of reasons, and compared here.
//! `UPDATE=1 cargo test -p portcullis --test published` writes it anew.

use std::{fmt::Write, path::Path};

use authority::{Reason, command::Rejection, record::Ending};

const INTRODUCTION: &str = "\
# Reasons and exit codes

Each refusal has a code that never changes its meaning, so that programs and alerts can be written against it. This page
is made from the code by a test; `UPDATE=1 cargo test -p portcullis --test published` writes it anew.
";

/// The exit statuses of the command line, as `cli/failure.rs` gives them.
const EXIT_STATUSES: [(u8, &str); 7] = [
    (0, "done"),
    (1, "failed, for a reason that no other status names"),
    (2, "the command line was not understood, or an argument has a value it cannot have"),
    (4, "an operator token is missing or refused"),
    (5, "the operator's role does not allow it"),
    (7, "the state is not as the command needs it: it exists already, or something stands against it"),
    (8, "the gateway cannot be reached, has too much to do, or did not answer in time"),
];

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut table = |title: &str, before: &str, columns: &str, rows: Vec<(String, String)>| {
        let line = columns.split('|').map(|_| "---").collect::<Vec<_>>().join("|");
        write!(page, "\n## {title}\n\n{before}\n\n|{columns}|\n|{line}|\n").expect("a text takes text");
        for (code, meaning) in rows {
            writeln!(page, "| `{code}` | {meaning} |").expect("a text takes text");
        }
    };
    table(
        "Denials",
        "The edge refuses a call. The answer begins with `[denied]` and names the reason, the rule that decided, and what to do; \
         the audit names the reason and the rule.",
        " reason | what to do ",
        Reason::ALL.iter().map(|reason| (reason.code().to_owned(), reason.advice().to_owned())).collect(),
    );
    table(
        "Rejections",
        "The authority refuses a change. The admin API gives the code as the `reason` of a `google.rpc.ErrorInfo`.",
        " reason | the resource … ",
        Rejection::ALL
            .iter()
            .map(|rejection| (rejection.code().to_owned(), rejection.explanation().to_owned()))
            .collect(),
    );
    table(
        "Endings",
        "How a call that was allowed ended, in its outcome. A call without an outcome, because the process ended first, is \
         named by the record that begins the next start (`outcome_unknown`): nobody can know whether it took effect.",
        " ending | what happened ",
        Ending::ALL.iter().map(|ending| (ending.code().to_owned(), told(*ending).to_owned())).collect(),
    );
    table(
        "Exit statuses",
        "Of the `portcullis` command.",
        " status | meaning ",
        EXIT_STATUSES.iter().map(|(status, meaning)| (status.to_string(), (*meaning).to_owned())).collect(),
    );
    page
}

fn told(ending: Ending) -> &'static str {
    match ending {
        Ending::Completed => "the upstream answered, and the answer was passed on whole",
        Ending::UpstreamError => "the upstream answered with an error of its own",
        Ending::UpstreamFailed => "the upstream could not be reached, or broke the protocol",
        Ending::LimitReached => "a bound of time or size was reached",
        Ending::Cut => "a revocation, or another narrowing change, cut it",
        Ending::LeaseLost => "the node lost its lease",
        Ending::ClientGone => "the client went away",
        Ending::Drained => "the node shut down",
    }
}

#[test]
fn every_reason_is_published_with_what_to_do() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, page()).expect("the page can be written");
    }
    let published = std::fs::read_to_string(&path).expect("docs/errors.md is there");
    assert!(published == page(), "docs/errors.md is not what the code says; UPDATE=1 writes it anew");
}
