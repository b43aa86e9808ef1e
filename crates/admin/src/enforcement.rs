//! What the answer to a narrowing change says of its enforcement.

use authority::{action::Action, enforcement::Call};
use replica::Enforced;
use wire::pb::admin::v1 as pb;

use crate::instants;

/// The enforcement of a narrowing that was done. Without a claim of the replica's, nothing is claimed.
pub(crate) fn enforcement(enforced: Option<&Enforced>) -> pb::Enforcement {
    let Some(enforced) = enforced else { return pb::Enforcement::default() };
    pb::Enforcement {
        enforced: true,
        elapsed: Some(instants::duration(enforced.elapsed)),
        calls_cut: enforced.calls_cut,
        calls_in_flight: enforced.first_cut.iter().map(|call| cut_call(call)).collect(),
    }
}

fn cut_call(call: &Call) -> pb::CutCall {
    pb::CutCall {
        grant: format!("grants/{}", call.grant),
        server: format!("servers/{}", call.server),
        action: in_words(&call.action),
    }
}

fn in_words(action: &Action) -> String {
    match action {
        Action::Use { kind, name } => format!("{kind} {name}"),
        Action::List(kind) => format!("list of {kind}s"),
        Action::Each(actions) => actions.iter().map(in_words).collect::<Vec<_>>().join(", "),
        Action::Converse => "conversation".to_owned(),
        Action::Unknown => "unknown method".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use authority::action::Kind;

    use super::*;

    #[test]
    fn an_action_is_told_in_words() {
        let tool = Action::Use { kind: Kind::Tool, name: "get_issue".into() };
        assert_eq!(in_words(&tool), "tool get_issue");
        assert_eq!(in_words(&Action::List(Kind::ResourceTemplate)), "list of resource templates");
        assert_eq!(in_words(&Action::Each([tool, Action::Converse].into())), "tool get_issue, conversation");
    }

    #[test]
    fn without_a_claim_of_the_replica_nothing_is_claimed() {
        assert!(!enforcement(None).enforced);
    }
}
