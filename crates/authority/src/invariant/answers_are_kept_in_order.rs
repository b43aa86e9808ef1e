//! The answers kept for retries: each request once, the oldest first, within their bound.

use crate::{authority::Authority, request::MAX_REMEMBERED};

/// Holds when the order and the map of kept answers name the same requests, by rising time.
pub fn answers_are_kept_in_order(state: &Authority) -> Result<(), String> {
    if state.request_order.len() != state.requests.len() || state.requests.len() > MAX_REMEMBERED {
        let (ordered, kept) = (state.request_order.len(), state.requests.len());
        return Err(format!("{ordered} requests are in order and {kept} are kept"));
    }
    let mut last = None;
    for id in &state.request_order {
        let time = state.requests.get(id).map(|kept| kept.time);
        if time.is_none() || time < last {
            return Err(format!("request {id} is out of order or not kept"));
        }
        last = time;
    }
    Ok(())
}
