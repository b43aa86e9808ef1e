//! The replicated state, as values. It changes only through [`crate::fold`].
//!
//! All maps are persistent (they share what did not change), so that a clone costs a few pointers: a new view can be
//! published for every entry, and a snapshot can be written while the state moves on. Nothing iterates a hash map
//! where order could be seen.

use std::{
    hash::{BuildHasherDefault, Hasher},
    iter::successors,
    sync::Arc,
};

use imbl::{GenericHashMap, OrdMap, Vector, shared_ptr::DefaultSharedPtr};

use crate::{
    archive::Head,
    command::Outcome,
    credential::{self, Credential},
    event::{Happened, Number, Revision},
    grant::{self, Grant, TokenHash},
    halted::Halted,
    interning::ScopeLists,
    name::Name,
    node::{self, Node},
    operator::{self, Operator},
    principal::{self, Principal},
    request,
    server::{self, Server},
    time::Wall,
};

/// The most events that wait for the archive. At the bound only narrowing and neutral commands are accepted; 100,000
/// events are some 50 MB.
pub const MAX_UNARCHIVED: usize = 100_000;

/// A map from keys that are uniformly random already.
pub(crate) type RandomKeyMap<K, V> = GenericHashMap<K, V, BuildHasherDefault<FirstBytes>, DefaultSharedPtr>;

/// The replicated state. Its fields are read through [`crate::View`] and [`crate::snapshot`].
#[derive(Clone, Debug, Default)]
pub struct Authority {
    pub(crate) cluster: Option<Name>,
    pub(crate) time: Wall,
    pub(crate) revision: Revision,
    pub(crate) last_event: Number,
    pub(crate) principals: OrdMap<principal::Id, Arc<Principal>>,
    pub(crate) halted: Halted,
    pub(crate) servers: OrdMap<server::Id, Arc<Server>>,
    pub(crate) credentials: OrdMap<credential::Id, Arc<Credential>>,
    /// The greatest version of any credential that is gone, so that no version of an id ever comes again.
    pub(crate) gone_credential_version: u32,
    pub(crate) grants: RandomKeyMap<grant::Id, Arc<Grant>>,
    pub(crate) tokens: RandomKeyMap<TokenHash, grant::Id>,
    pub(crate) scope_lists: ScopeLists,
    pub(crate) operators: OrdMap<operator::Id, Arc<Operator>>,
    pub(crate) nodes: OrdMap<node::Id, Node>,
    pub(crate) head: Option<Arc<Head>>,
    pub(crate) requests: OrdMap<request::Id, Remembered>,
    pub(crate) request_order: Vector<request::Id>,
    pub(crate) unarchived: Vector<Arc<Happened>>,
}

/// The answer to a request, kept for its retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Which kind of command it was.
    pub command: &'static str,
    /// The resource it was about.
    pub subject: Arc<str>,
    /// The answer.
    pub outcome: Outcome,
    /// When it was given.
    pub time: Wall,
}

/// A hasher for keys that are random already: it takes the first eight bytes as they are. An attacker chooses none of
/// these keys (grant ids are drawn by the gateway, token hashes are keyed).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

impl Authority {
    /// A state in which nothing has happened.
    pub fn new() -> Self {
        Self::default()
    }

    /// The id of the cluster; nothing before it was founded.
    pub fn cluster(&self) -> Option<&Name> {
        self.cluster.as_ref()
    }

    /// The number of the last event.
    pub fn last_event(&self) -> Number {
        self.last_event
    }

    /// The greatest cluster time any event carried.
    pub fn time(&self) -> Wall {
        self.time
    }

    /// The version that the next value of a credential has. What is sealed is bound to id and version, so a version never
    /// comes again, also not when the credential was removed in between.
    pub fn next_credential_version(&self, id: &credential::Id) -> u32 {
        let last = self.credentials.get(id).map_or(self.gone_credential_version, |held| held.version);
        last.saturating_add(1)
    }

    /// Whether so many events wait for the archive that nothing may be widened.
    pub fn is_full_of_unarchived_events(&self) -> bool {
        self.unarchived.len() >= MAX_UNARCHIVED
    }

    /// The head of the archive; the empty one before the first commit.
    pub fn head(&self) -> Head {
        self.head.as_deref().cloned().unwrap_or_else(Head::empty)
    }

    /// The kept answer to a request.
    pub fn remembered(&self, request: &request::Id) -> Option<&Remembered> {
        self.requests.get(request)
    }

    /// The events the archive does not hold yet, oldest first, after `after`.
    pub fn unarchived(&self, after: Number) -> impl Iterator<Item = &Arc<Happened>> {
        let behind = self.unarchived.iter().take_while(move |happened| happened.number <= after).count();
        self.unarchived.iter().skip(behind)
    }

    /// The path from a grant to its root, the grant first; at most [`grant::MAX_DEPTH`] long because no deeper grant
    /// is ever issued.
    pub(crate) fn path(&self, id: grant::Id) -> impl Iterator<Item = &Arc<Grant>> {
        self.path_from(self.grants.get(&id))
    }

    /// The path from a grant that was looked up already.
    pub(crate) fn path_from<'state>(
        &'state self,
        grant: Option<&'state Arc<Grant>>,
    ) -> impl Iterator<Item = &'state Arc<Grant>> {
        successors(grant, |grant| self.grants.get(&grant.parent?))
    }
}
