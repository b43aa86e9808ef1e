//! Whatever the authority can hold is written and read back as the same value, and whatever reads at all is written
//! as the same bytes.

use proptest::{collection::vec, prelude::*};
use prost::Message;
use wire::{
    Flaw, Malformed, entry, event, head, outcome,
    pb::{audit::v1 as audit, events::v1 as pb},
    record, snapshot,
};

use crate::{arbitrary, cases};

proptest! {
    #[test]
    fn an_entry_reads_back(commands in vec(arbitrary::command(), 0..4)) {
        prop_assert_eq!(entry::decode(&entry::encode(&commands)), Ok(commands));
    }

    #[test]
    fn an_event_reads_back(happened in arbitrary::happened()) {
        prop_assert_eq!(event::decode(&event::encode(&happened)), Ok(happened));
    }

    #[test]
    fn a_record_reads_back(record in arbitrary::record()) {
        prop_assert_eq!(record::decode(&record::encode(&record)), Ok(record));
    }

    #[test]
    fn an_outcome_and_a_head_read_back(answer in arbitrary::outcome(), archived in arbitrary::head()) {
        prop_assert_eq!(outcome::decode(&outcome::encode(&answer)), Ok(answer));
        prop_assert_eq!(head::decode(&head::encode(&archived)), Ok(archived));
    }

    #[test]
    fn a_snapshot_reads_back(parts in arbitrary::parts()) {
        let mut bytes = Vec::new();
        snapshot::write(&parts, &mut bytes).expect("a vector takes every write");
        prop_assert_eq!(snapshot::read(&mut &*bytes).expect("a snapshot"), parts);
    }

    #[test]
    fn arbitrary_bytes_are_refused_or_canonical(bytes in vec(any::<u8>(), 0..200)) {
        one_encoding(&bytes);
    }

    #[test]
    fn damaged_bytes_are_refused_or_canonical(
        happened in arbitrary::happened(),
        record in arbitrary::record(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for mut bytes in [event::encode(&happened), record::encode(&record)] {
            for (at, byte) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            one_encoding(&bytes);
        }
    }
}

/// No decoder panics on `bytes`, and one that accepts them writes them again.
fn one_encoding(bytes: &[u8]) {
    if let Ok(commands) = entry::decode(bytes) {
        assert_eq!(entry::encode(&commands), bytes);
    }
    if let Ok(happened) = event::decode(bytes) {
        assert_eq!(event::encode(&happened), bytes);
    }
    if let Ok(value) = record::decode(bytes) {
        assert_eq!(record::encode(&value), bytes);
    }
    if let Ok(value) = head::decode(bytes) {
        assert_eq!(head::encode(&value), bytes);
    }
    if let Ok(value) = outcome::decode(bytes) {
        assert_eq!(outcome::encode(&value), bytes);
    }
}

/// The event of this kind, as a message that can be changed.
fn event_message(kind: &str) -> pb::Event {
    let happened = cases::events().into_iter().find(|it| it.event.kind() == kind).expect("a case");
    pb::Event::decode(event::encode(&happened).as_slice()).expect("it was written just now")
}

fn refused(message: &pb::Event) -> Malformed {
    event::decode(&message.encode_to_vec()).expect_err("the message is malformed")
}

#[test]
fn a_field_this_version_does_not_know_is_refused_and_not_dropped() {
    let mut bytes = event::encode(&cases::events()[0]);
    // Field 900, a varint: what a newer version could have added.
    bytes.extend_from_slice(&[0xa0, 0x38, 0x01]);
    assert_eq!(event::decode(&bytes), Err(Malformed { what: "event", flaw: Flaw::NotCanonical }));
}

#[test]
fn an_event_of_an_unknown_kind_is_refused() {
    let message = pb::Event { what: None, ..event_message("grant.revoked") };
    assert_eq!(refused(&message), Malformed { what: "event.what", flaw: Flaw::Absent });
}

#[test]
fn an_unknown_enum_value_or_command_name_is_refused() {
    let mut message = event_message("operator.added");
    if let Some(pb::event::What::OperatorAdded(added)) = &mut message.what {
        added.operator.as_mut().expect("it is there").role = 99;
    }
    assert_eq!(
        refused(&message),
        Malformed { what: "operator.role", flaw: Flaw::UnknownValue { value: 99 } }
    );
    let mut message = event_message("command.handled");
    if let Some(pb::event::What::CommandHandled(handled)) = &mut message.what {
        handled.command = "drop_tables".into();
    }
    assert_eq!(refused(&message), Malformed { what: "command_handled.command", flaw: Flaw::UnknownCommand });
}

#[test]
fn an_id_of_another_length_and_a_text_out_of_form_are_refused() {
    let mut message = event_message("grant.revoked");
    message.request = vec![1; 15];
    let flaw = Flaw::Length { bytes: 15, wanted: 16 };
    assert_eq!(refused(&message), Malformed { what: "event.request", flaw });
    let mut message = event_message("server.added");
    if let Some(pb::event::What::ServerAdded(added)) = &mut message.what {
        added.url = "https://api.example.com/mcp".into(); // without its port
    }
    assert_eq!(refused(&message), Malformed { what: "server_added.url", flaw: Flaw::NotNormal });
    let mut message = event_message("principal.added");
    if let Some(pb::event::What::PrincipalAdded(added)) = &mut message.what {
        added.principal.as_mut().expect("it is there").groups.reverse();
    }
    assert_eq!(refused(&message), Malformed { what: "principal.groups", flaw: Flaw::Order });
}

/// An exact name cannot turn into a wildcard by being stored.
#[test]
fn a_star_in_an_exact_pattern_is_refused() {
    let mut message = event_message("grant.issued");
    if let Some(pb::event::What::GrantIssued(issued)) = &mut message.what {
        let scope = &mut issued.grant.as_mut().expect("it is there").scopes[0];
        scope.tools[0].form = Some(pb::pattern::Form::Exact("get_*".into()));
    }
    assert_eq!(refused(&message), Malformed { what: "pattern.exact", flaw: Flaw::NotNormal });
}

#[test]
fn a_status_that_http_cannot_have_is_refused() {
    let (_, value) = cases::records().into_iter().find(|(name, _)| *name == "outcome").expect("a case");
    let mut message = audit::Record::decode(record::encode(&value).as_slice()).expect("a record");
    if let Some(audit::record::Body::Outcome(outcome)) = &mut message.body {
        outcome.upstream_status = Some(70_000);
    }
    let flaw = Flaw::TooLarge { value: 70_000 };
    let malformed = Malformed { what: "call_outcome.upstream_status", flaw };
    assert_eq!(record::decode(&message.encode_to_vec()), Err(malformed));
}
