//! How a script tells events, answers and decisions: in one line each.

use authority::{Denial, Event, Happened, Permit, command::Outcome, event::Revision, grant};

/// An event, its number first.
pub fn event(happened: &Happened) -> String {
    let Happened { number, event, .. } = happened;
    format!("  {} {} {}", number.0, event.kind(), subject(event))
}

fn subject(event: &Event) -> String {
    match event {
        Event::ClusterFounded { cluster } => cluster.to_string(),
        Event::PrincipalAdded(principal) => principal.id.to_string(),
        Event::PrincipalSuspended(id) | Event::PrincipalResumed(id) => id.to_string(),
        Event::ServerAdded { server, endpoint } => format!("{server} {}", endpoint.url()),
        Event::ServerDisabled(id) | Event::ServerEnabled(id) | Event::ServerRemoved(id) => id.to_string(),
        Event::CredentialSet(set) => format!("{} version {} for {}", set.id, set.version, set.origin),
        Event::CredentialRemoved(id) => id.to_string(),
        Event::GrantIssued(grant) => format!("{} to {}", grant_name(grant.id), grant.principal),
        Event::GrantTokenRotated { grant, previous_until, .. } => {
            format!("{}, the token before until {} s", grant_name(*grant), previous_until.0 / 1000)
        }
        Event::GrantRevoked(id) => grant_name(*id),
        Event::OperatorAdded(operator) => format!("{} as {:?}", operator.id, operator.role),
        Event::OperatorTokenRotated { operator, .. } => operator.to_string(),
        Event::IncarnationRegistered { node, epoch } => format!("node {node} epoch {epoch}"),
        Event::ArchiveHeadCommitted(head) => {
            format!("height {} through event {}", head.height, head.events_through.0)
        }
        Event::CommandHandled { command, outcome, .. } => format!("{command}: {}", answer(outcome)),
    }
}

/// The answer to a command.
pub fn answer(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Done { revision: Revision(revision), changed: true } => format!("done at {revision}"),
        Outcome::Done { changed: false, .. } => "nothing to do".to_owned(),
        Outcome::Rejected(rejected) => with_names(&format!("{} ({rejected})", rejected.rejection.code())),
    }
}

/// A decision.
pub fn decision(decided: Result<&Permit, &Denial>) -> String {
    match decided {
        Ok(permit) => {
            let secret = permit.credential().map(|held| format!(" with credential {}", held.id));
            let until = permit.expires_at().map(|ends| format!(" until {} s", ends.0 / 1000));
            let place = permit.server().endpoint.url();
            format!("allowed to {place}{}{}", secret.unwrap_or_default(), until.unwrap_or_default())
        }
        Err(denial) => with_names(&format!("denied: {denial}")),
    }
}

/// The name a script gives to a grant: the bytes of its id.
pub fn grant_name(id: grant::Id) -> String {
    String::from_utf8_lossy(&id.0).trim_end_matches('\0').to_owned()
}

/// The text with names instead of grant ids.
fn with_names(text: &str) -> String {
    let mut told = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("gr_") {
        let (before, id) = rest.split_at(at);
        let (id, after) = id.split_at(id.len().min("gr_".len() + 26));
        told.push_str(before);
        told.push_str(&id.parse().map_or_else(|_| id.to_owned(), grant_name));
        rest = after;
    }
    told + rest
}
