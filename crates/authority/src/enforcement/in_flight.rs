//! The table of calls in flight. A call is in it from before its view is loaded until its outcome is known.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::CallMark;
use crate::{
    action::Action,
    credential,
    grant::{self, TokenHash},
    server,
};

/// How many locks the table is spread over, so that calls on different cores seldom meet.
const SHARDS: usize = 16;

/// What a call asks, as the decision needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The hash of the token it came with. Decided anew with the call, so that a rotation bites too.
    pub token: TokenHash,
    /// The grant which that token opened.
    pub grant: grant::Id,
    /// The server it asks for.
    pub server: server::Id,
    /// What it asks.
    pub action: Action,
}

/// The table.
#[derive(Debug)]
pub struct InFlight {
    shards: [Shard; SHARDS],
    next: AtomicU64,
}

type Shard = Mutex<BTreeMap<u64, Entry>>;

#[derive(Debug)]
struct Entry {
    call: Arc<Call>,
    mark: Arc<CallMark>,
    /// The credential the call was decided with, once it was.
    attached: Option<credential::Id>,
}

/// A call that is in the table. It leaves when this is dropped.
#[derive(Debug)]
pub struct Registered {
    table: Arc<InFlight>,
    number: u64,
    call: Arc<Call>,
    mark: Arc<CallMark>,
}

impl Default for InFlight {
    fn default() -> Self {
        Self { shards: std::array::from_fn(|_| Shard::default()), next: AtomicU64::new(0) }
    }
}

impl InFlight {
    /// Registers a call.
    pub fn register(self: &Arc<Self>, call: Call) -> Registered {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (call, mark) = (Arc::new(call), Arc::new(CallMark::new()));
        let entry = Entry { call: Arc::clone(&call), mark: Arc::clone(&mark), attached: None };
        self.shard(number).insert(number, entry);
        Registered { table: Arc::clone(self), number, call, mark }
    }

    /// How many calls are in flight.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The marks and calls that `wanted` picks, by what they ask and the credential they were decided with.
    pub fn select<R>(
        &self,
        mut wanted: impl FnMut(&Call, Option<&credential::Id>) -> Option<R>,
    ) -> Vec<(Arc<Call>, Arc<CallMark>, R)> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let shard = lock(shard);
            found.extend(shard.values().filter_map(|entry| {
                let why = wanted(&entry.call, entry.attached.as_ref());
                why.map(|why| (Arc::clone(&entry.call), Arc::clone(&entry.mark), why))
            }));
        }
        found
    }

    fn shard(&self, number: u64) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        let at = usize::try_from(number % SHARDS as u64).expect("a remainder of 16 fits");
        lock(&self.shards[at])
    }
}

impl Registered {
    /// What the call asks.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Notes the credential the call was decided with. It goes with the call from here on, so its removal has to find it.
    pub(crate) fn attach(&self, credential: Option<credential::Id>) {
        if let Some(entry) = self.table.shard(self.number).get_mut(&self.number) {
            entry.attached = credential;
        }
    }

    /// Its mark.
    pub fn mark(&self) -> &Arc<CallMark> {
        &self.mark
    }
}

impl Drop for Registered {
    /// No byte may follow once nobody can cut the call any more, so its writing ends before it leaves.
    fn drop(&mut self) {
        self.mark.end();
        self.table.shard(self.number).remove(&self.number);
    }
}

/// A panic under the lock leaves the map whole, so a poisoned lock is taken all the same.
fn lock(shard: &Shard) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
