//! Idle connections, each kept for the same server, secret and principal.
//!
//! Last in, first out, so that the spare ones age and go. What must stay true: a connection is handed only to a call
//! with exactly the key it was put in under (FAULTS D26), only when no call holds it, and hyper on it waits for a
//! request; and every idle connection is closed when its time is over, whether calls go on or not.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use authority::{
    enforcement::CallMark,
    principal,
    server::{self, Origin},
};
use parking_lot::Mutex;
use seams::SharedClock;
use tokio::time::{sleep, timeout};

use crate::{
    config::{Bounds, Timeouts},
    connection::Connection,
    credential::SecretNumber,
};

/// How long hyper may take to finish with the call before: it only has to be polled once more.
const READY: Duration = Duration::from_millis(100);

/// Who a connection may be used for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) server: server::Id,
    pub(crate) origin: Origin,
    /// Which opened secret went over it: it stands for the credential, its version and its value.
    pub(crate) secret: Option<SecretNumber>,
    pub(crate) principal: principal::Id,
}

/// The idle connections of a node.
pub(crate) struct Pool {
    shelf: Mutex<Shelf>,
    clock: SharedClock,
    idle: Duration,
    per_key: usize,
    total: usize,
}

#[derive(Default)]
struct Shelf {
    by_key: HashMap<Key, Vec<Waiting>>,
    count: usize,
    /// Whether the task that closes old connections runs.
    swept: bool,
}

struct Waiting {
    connection: Connection,
    until_nanos: u64,
}

impl Pool {
    pub(crate) fn new(clock: SharedClock, timeouts: Timeouts, bounds: Bounds) -> Arc<Self> {
        let (per_key, total) = (bounds.idle_per_key, bounds.idle_total);
        Arc::new(Self { shelf: Mutex::default(), clock, idle: timeouts.idle_connection, per_key, total })
    }

    /// A connection that waits for this key, now held by the call of `mark`.
    pub(crate) async fn take(&self, key: &Key, mark: &Arc<CallMark>) -> Option<Connection> {
        while let Some(mut connection) = self.pop(key) {
            if connection.sender.is_closed() {
                continue;
            }
            if matches!(timeout(READY, connection.sender.ready()).await, Ok(Ok(()))) {
                connection.slot.begin(Arc::clone(mark));
                return Some(connection);
            }
        }
        None
    }

    /// Takes a connection back whose call has been answered whole. One that still has bytes of the call to send, or
    /// for which there is no room, is closed.
    pub(crate) fn put(self: &Arc<Self>, key: Key, connection: Connection) {
        let free = connection.slot.end();
        if !free || connection.sender.is_closed() {
            return;
        }
        let until_nanos = self.clock.boot_nanos().saturating_add(nanos(self.idle));
        let mut shelf = self.shelf.lock();
        let full = shelf.by_key.get(&key).is_some_and(|waiting| waiting.len() >= self.per_key);
        if full || shelf.count >= self.total {
            return;
        }
        shelf.by_key.entry(key).or_default().push(Waiting { connection, until_nanos });
        shelf.count += 1;
        if !std::mem::replace(&mut shelf.swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self), self.idle));
        }
    }

    /// Closes every idle connection.
    pub(crate) fn clear(&self) {
        let mut shelf = self.shelf.lock();
        shelf.by_key.clear();
        shelf.count = 0;
    }

    fn pop(&self, key: &Key) -> Option<Connection> {
        let now = self.clock.boot_nanos();
        let mut shelf = self.shelf.lock();
        let waiting = shelf.by_key.get_mut(key)?;
        let last = waiting.pop().filter(|last| now < last.until_nanos);
        if last.is_none() || waiting.is_empty() {
            // The last one in was the youngest: when it is too old, all are.
            let old = shelf.by_key.remove(key).map_or(0, |waiting| waiting.len());
            shelf.count -= old + 1;
        } else {
            shelf.count -= 1;
        }
        last.map(|last| last.connection)
    }

    /// Closes what is too old. Answers whether the shelf is empty, and then nobody sweeps it any more.
    fn close_old(&self) -> bool {
        let now = self.clock.boot_nanos();
        let mut shelf = self.shelf.lock();
        shelf.by_key.retain(|_, waiting| {
            waiting.retain(|waiting| now < waiting.until_nanos);
            !waiting.is_empty()
        });
        shelf.count = shelf.by_key.values().map(Vec::len).sum();
        shelf.swept = shelf.count > 0;
        shelf.count == 0
    }
}

/// Closes old connections while there are any; a pool that nobody uses needs no task.
async fn sweep(pool: Weak<Pool>, every: Duration) {
    loop {
        sleep(every).await;
        match pool.upgrade() {
            Some(pool) if !pool.close_old() => {}
            _ => return,
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
