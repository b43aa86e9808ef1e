//! Applying a command: decide, number the events, fold them, keep the answer. The only place where the state moves.

use super::{Command, Outcome, Rejection, decide_command};
use crate::{
    authority::Authority,
    event::{Event, Happened, Number, Revision},
    fold::fold,
};

/// What applying one command did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The answer.
    pub outcome: Outcome,
    /// The events, in order; none for a retry, whose answer was there.
    pub events: Vec<Happened>,
}

/// Applies `command`, which the entry `revision` carries, to `state`.
pub fn apply(state: &mut Authority, command: &Command, revision: Revision) -> Applied {
    let (name, subject) = (command.body.name(), command.body.subject());
    if let Some(remembered) = state.remembered(&command.request) {
        // An answer says what became of one resource; it must never be taken for that of another.
        let outcome = if remembered.command == name && *remembered.subject == *subject {
            remembered.outcome.clone()
        } else {
            Outcome::Rejected(Rejection::RequestIdReused.about(format_args!("request {}", command.request)))
        };
        return Applied { outcome, events: Vec::new() };
    }
    let (mut events, outcome) = match decide_command(state, command) {
        Ok(events) => {
            let changed = !events.is_empty();
            (events, Outcome::Done { revision, changed })
        }
        Err(rejected) => (Vec::new(), Outcome::Rejected(rejected)),
    };
    events.push(Event::CommandHandled { command: name, subject: subject.into(), outcome: outcome.clone() });
    let time = state.time.max(command.time);
    let first = state.last_event.0 + 1;
    let happened = (first..).zip(events).map(|(number, event)| Happened {
        number: Number(number),
        revision,
        time,
        actor: command.actor.clone(),
        request: command.request,
        event,
    });
    let events: Vec<_> = happened.inspect(|happened| fold(state, happened)).collect();
    Applied { outcome, events }
}
