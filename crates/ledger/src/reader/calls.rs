//! Intents that were read lately, so that an outcome can say whose call it ends.
//!
//! An outcome names its intent by number only. What must stay true: what is kept is bounded, and what is not kept is
//! looked up in the archive, so that an outcome tells its call however long the call ran.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use authority::{
    node::{Epoch, Id},
    record::{Body, CallFacts, Record, Seq},
};

use super::{ReadRefused, history::History};
use crate::entry::{Content, Entry};

/// The most intents kept: twice the records of one segment, some 10 MB.
const MAX_CALLS: usize = 20_000;

/// Where a record stands.
type Place = (Id, Epoch, Seq);

/// Intents that were read lately.
#[derive(Debug, Default)]
pub(super) struct Calls {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    calls: HashMap<Place, Arc<CallFacts>>,
    order: VecDeque<Place>,
}

impl Calls {
    /// Keeps the call of an intent.
    pub(super) fn note(&self, record: &Record) {
        let Body::Intent(intent) = &record.body else { return };
        let place = (record.edge, record.epoch, record.seq);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.calls.insert(place, Arc::new(intent.call.clone())).is_none() {
            kept.order.push_back(place);
        }
        if kept.order.len() > MAX_CALLS
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.calls.remove(&oldest);
        }
    }

    /// Gives every outcome among `entries` its call, from what is kept or from the archive.
    pub(super) async fn join(&self, history: &History<'_>, entries: &mut [Entry]) -> Result<(), ReadRefused> {
        entries.iter().for_each(|entry| self.note_entry(entry));
        for entry in entries {
            let Content::Record(record) = &entry.content else { continue };
            let Body::Outcome(outcome) = &record.body else { continue };
            let place = (record.edge, record.epoch, outcome.intent);
            entry.call = match self.find(&place) {
                Some(call) => Some(call),
                None => self.look_up(history, &place).await?,
            };
        }
        Ok(())
    }

    async fn look_up(
        &self,
        history: &History<'_>,
        place: &Place,
    ) -> Result<Option<Arc<CallFacts>>, ReadRefused> {
        let (edge, epoch, seq) = *place;
        let height = history
            .first_where(|head| {
                let held = head.positions.iter().find(|position| position.edge == edge);
                held.is_some_and(|held| (held.epoch, held.seq) >= (epoch, seq.0))
            })
            .await?;
        let Some(height) = height else { return Ok(None) };
        let (_, entries) = history.segment(height).await?;
        entries.iter().for_each(|entry| self.note_entry(entry));
        Ok(self.find(place))
    }

    fn note_entry(&self, entry: &Entry) {
        if let Content::Record(record) = &entry.content {
            self.note(record);
        }
    }

    fn find(&self, place: &Place) -> Option<Arc<CallFacts>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).calls.get(place).cloned()
    }
}
