//! A gate in front of every sync, which a test closes to hold a writer at that point.
//!
//! What must stay true: a writer that met the open gate is never held, and dropping the guard lets every waiting
//! writer go, also when the test that held it panics.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// While it lives, syncs on its disk wait. Dropping it lets them go on.
#[must_use = "syncs go on as soon as the guard is dropped"]
pub struct SyncPause {
    gate: Arc<Gate>,
}

#[derive(Default)]
pub(super) struct Gate {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    /// Living guards; the gate is open when there are none.
    pauses: usize,
    waiting: usize,
}

impl SyncPause {
    /// Blocks until at least one sync waits at the gate.
    pub fn wait_until_held(&self) {
        let queue = self.gate.queue();
        drop(self.gate.changed.wait_while(queue, |queue| queue.waiting == 0).expect(NO_PANIC));
    }
}

impl Drop for SyncPause {
    fn drop(&mut self) {
        self.gate.queue().pauses -= 1;
        self.gate.changed.notify_all();
    }
}

const NO_PANIC: &str = "no code panics while it holds the gate's queue";

impl Gate {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Closes the gate until the returned guard is dropped.
    pub(super) fn close(gate: &Arc<Self>) -> SyncPause {
        gate.queue().pauses += 1;
        SyncPause { gate: Arc::clone(gate) }
    }

    /// Returns at once while the gate is open, else when it opens.
    pub(super) fn pass(&self) {
        let mut queue = self.queue();
        if queue.pauses == 0 {
            return;
        }
        queue.waiting += 1;
        self.changed.notify_all();
        queue = self.changed.wait_while(queue, |queue| queue.pauses > 0).expect(NO_PANIC);
        queue.waiting -= 1;
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect(NO_PANIC)
    }
}
