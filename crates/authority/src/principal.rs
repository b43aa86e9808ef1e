//! Principals: who calls. A person, an agent that acts for an owner, or a service.

use std::{collections::BTreeSet, sync::Arc};

use crate::name::{Name, name_id};

name_id! {
    /// The id of a principal, chosen when it is added and never reused.
    Id
}

/// The longest display name, in bytes.
pub const MAX_DISPLAY_NAME_BYTES: usize = 200;

/// The most groups one principal is in.
pub const MAX_GROUPS: usize = 64;

/// Somebody or something that calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Its id.
    pub id: Id,
    /// Who or what it is.
    pub kind: Kind,
    /// What people call it; may be empty.
    pub display_name: Arc<str>,
    /// The groups it is in.
    pub groups: BTreeSet<Name>,
    /// While suspended, no grant of it, and of no agent it owns, is honoured.
    pub suspended: bool,
}

/// What kind of caller a principal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A human being.
    Person,
    /// A program that acts for its owner, and is suspended with it.
    Agent {
        /// The person or service that answers for it.
        owner: Id,
    },
    /// A program that answers for itself.
    Service,
}

impl Principal {
    /// The owner behind an agent.
    pub fn owner(&self) -> Option<&Id> {
        match &self.kind {
            Kind::Agent { owner } => Some(owner),
            Kind::Person | Kind::Service => None,
        }
    }
}
