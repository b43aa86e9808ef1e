//! Event numbers count up by one, and none is lost between the archive's head and the state.

use crate::authority::Authority;

/// Holds when the events that wait for the archive are exactly those after its head, by number.
pub fn events_are_gap_free(state: &Authority) -> Result<(), String> {
    let archived = state.head.as_ref().map_or(0, |head| head.events_through.0);
    let mut last = archived;
    for happened in &state.unarchived {
        if happened.number.0 != last + 1 {
            return Err(format!("event {} follows event {last}", happened.number.0));
        }
        last = happened.number.0;
    }
    if last != state.last_event.0 {
        return Err(format!("the last event is {}, the last one kept {last}", state.last_event.0));
    }
    Ok(())
}
