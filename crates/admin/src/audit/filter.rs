//! Which entries are wanted. A filter looks at the entry in its final form, so it can match only what the reader of
//! the answer can see.

use authority::time::Wall;
use ledger::entry::Entry;
use wire::pb::audit::v1 as pb;

use super::{entry::form, holders::Holders};
use crate::parse::{self, Invalid, Why};

/// The most bytes of a target that is filtered by: those of the longest name the record keeps.
const MAX_TARGET_BYTES: usize = 2048;

/// Which entries are wanted; what is not said matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    kinds: Vec<i32>,
    principal: String,
    grant: String,
    server: String,
    target: String,
    not_before: Option<Wall>,
    before: Option<Wall>,
}

impl Filter {
    pub(super) fn parse(said: pb::AuditFilter) -> Result<Self, Invalid> {
        let unspecified = pb::AuditKind::Unspecified as i32;
        let kinds = if said.kinds.contains(&unspecified) { Vec::new() } else { said.kinds };
        if kinds.iter().any(|kind| pb::AuditKind::try_from(*kind).is_err()) {
            return Err(Why::Unspecified.of("filter.kinds"));
        }
        if said.target.len() > MAX_TARGET_BYTES {
            return Err(Why::TooLong { most: MAX_TARGET_BYTES }.of("filter.target"));
        }
        if !said.principal.is_empty() {
            parse::principal("filter.principal", &said.principal)?;
        }
        if !said.grant.is_empty() {
            parse::grant("filter.grant", &said.grant)?;
        }
        if !said.server.is_empty() {
            parse::server("filter.server", &said.server)?;
        }
        let time = |field, time: Option<_>| time.map(|time| parse::instant(field, &time)).transpose();
        Ok(Self {
            kinds,
            principal: said.principal,
            grant: said.grant,
            server: said.server,
            target: said.target,
            not_before: time("filter.start_time", said.start_time)?,
            before: time("filter.end_time", said.end_time)?,
        })
    }

    /// Whether the entry says something of its own and matches.
    pub(super) fn picks(&self, read: &Entry, holders: &Holders) -> bool {
        form(read, holders).is_some_and(|entry| self.matches(&entry))
    }

    fn matches(&self, entry: &pb::AuditEntry) -> bool {
        let among = |wanted: &String, held: &[&String]| wanted.is_empty() || held.contains(&wanted);
        (self.kinds.is_empty() || self.kinds.contains(&entry.kind))
            && among(&self.principal, &[&entry.principal, &entry.owner, &entry.subject])
            && (self.grant.is_empty() || entry.grants.contains(&self.grant) || entry.subject == self.grant)
            && among(&self.server, &[&entry.server, &entry.subject])
            && among(&self.target, &[&entry.target])
            && self.is_in_time(entry)
    }

    fn is_in_time(&self, entry: &pb::AuditEntry) -> bool {
        let Some(time) = entry.time.as_ref().and_then(|time| parse::instant("time", time).ok()) else {
            return self.not_before.is_none() && self.before.is_none();
        };
        self.not_before.is_none_or(|from| from <= time) && self.before.is_none_or(|end| time < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instants::timestamp;

    fn call() -> pb::AuditEntry {
        pb::AuditEntry {
            kind: pb::AuditKind::CallIntent.into(),
            principal: "principals/ana-agent".into(),
            owner: "principals/ana".into(),
            grants: vec![format!("grants/gr_{}", "b".repeat(26)), format!("grants/gr_{}", "a".repeat(26))],
            server: "servers/github".into(),
            target: "get_issue".into(),
            time: Some(timestamp(Wall(5_000))),
            ..Default::default()
        }
    }

    fn matches(said: pb::AuditFilter) -> bool {
        Filter::parse(said).expect("a filter").matches(&call())
    }

    #[test]
    fn an_empty_filter_matches_everything() {
        assert!(matches(pb::AuditFilter::default()));
        assert!(matches(pb::AuditFilter { kinds: vec![0, 3], ..Default::default() }));
    }

    #[test]
    fn the_owner_of_an_agent_and_the_root_of_a_grant_find_the_call() {
        assert!(matches(pb::AuditFilter { principal: "principals/ana".into(), ..Default::default() }));
        assert!(matches(pb::AuditFilter {
            grant: format!("grants/gr_{}", "a".repeat(26)),
            ..Default::default()
        }));
        assert!(!matches(pb::AuditFilter { principal: "principals/bob".into(), ..Default::default() }));
    }

    #[test]
    fn every_field_that_is_set_must_match() {
        let both = |target: &str| pb::AuditFilter {
            server: "servers/github".into(),
            target: target.into(),
            ..Default::default()
        };
        assert!(matches(both("get_issue")));
        assert!(!matches(both("get_issues")));
    }

    #[test]
    fn the_end_of_a_time_span_is_outside_it() {
        let span = |from, to| pb::AuditFilter {
            start_time: Some(timestamp(Wall(from))),
            end_time: Some(timestamp(Wall(to))),
            ..Default::default()
        };
        assert!(matches(span(5_000, 5_001)));
        assert!(!matches(span(4_000, 5_000)));
        assert!(!matches(span(5_001, 6_000)));
    }

    #[test]
    fn an_unknown_kind_is_refused_and_not_taken_for_all() {
        assert!(Filter::parse(pb::AuditFilter { kinds: vec![99], ..Default::default() }).is_err());
    }
}
