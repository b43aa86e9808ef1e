//! How far the record of this node goes: where a follower begins, and when it has to look again.

use std::time::Duration;

use authority::{archive::Position, event::Number, record::Seq};
use tokio::time::sleep;

use super::{ReadRefused, Reader};
use crate::cursor::Cursor;

/// How often the number of the last event is looked at. A published view wakes nobody, because a call and a revocation
/// must not pay for followers; a look costs one atomic load.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A mark that is another one as soon as there is something new to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    last_event: Option<Number>,
    recorded: Position,
}

impl Reader {
    /// The mark now.
    pub fn progress(&self) -> Progress {
        let last_event = self.gate.view().map(|view| view.authority().last_event());
        Progress { last_event, recorded: *self.wal.durable().borrow() }
    }

    /// Waits until the mark is another one than `seen`.
    pub async fn grown(&self, seen: &Progress) {
        let mut durable = self.wal.durable();
        while self.progress() == *seen {
            tokio::select! {
                changed = durable.changed() => {
                    // The log is closed: only the state can still grow.
                    if changed.is_err() {
                        sleep(LOOK_EVERY).await;
                    }
                }
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// The cursor past everything there is.
    ///
    /// # Errors
    /// [`ReadRefused::NoView`].
    pub fn end(&self) -> Result<Cursor, ReadRefused> {
        let view = self.gate.view().ok_or(ReadRefused::NoView)?;
        let state = view.authority();
        // The log is asked second: what it has beyond the head is past the head's position in it.
        let recorded = *self.wal.durable().borrow();
        let positions = state.head().positions.into_iter().chain([recorded]);
        Ok(Cursor::past(state.last_event(), positions.map(|at| (at.edge, (at.epoch, Seq(at.seq))))))
    }
}
