//! Times and lengths of time, between what people write, what the API carries and what is printed.

use anyhow::Result;
use prost_types::{Duration, Timestamp};
use serde_json::Value;

use super::failure::Usage;

/// Reads a length of time such as `8h`, `30m` or `7d`.
pub fn duration(text: &str) -> Result<Duration> {
    // What the parser and the calendar have to say is about their insides and helps nobody to write it right.
    let span: jiff::Span = text
        .parse()
        .map_err(|_| Usage::of(format!("{text:?} is no length of time; write it like 30m, 8h or 7d")))?;
    let day = jiff::SpanRelativeTo::days_are_24_hours();
    let length = span
        .to_duration(day)
        .map_err(|_| Usage::of(format!("{text:?} has no fixed length; use hours or days")))?;
    if !length.is_positive() {
        return Err(Usage::of(format!("{text:?} is not a positive length of time")).into());
    }
    Ok(Duration { seconds: length.as_secs(), nanos: length.subsec_nanos() })
}

/// A time as RFC 3339 in UTC, to the millisecond; null for none.
pub fn shown(time: Option<&Timestamp>) -> Value {
    let read = time.and_then(|time| jiff::Timestamp::new(time.seconds, time.nanos).ok());
    read.map_or(Value::Null, |time| format!("{time:.3}").into())
}

/// A length of time in milliseconds; null for none.
#[expect(clippy::cast_precision_loss, reason = "a length of time for people to read")]
pub fn millis(length: Option<&Duration>) -> Value {
    length.map_or(Value::Null, |length| (length.seconds as f64 * 1e3 + f64::from(length.nanos) / 1e6).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        let seconds = |text: &str| duration(text).map(|length| length.seconds).ok();
        assert_eq!(seconds("8h"), Some(8 * 3600));
        assert_eq!(seconds("7d"), Some(7 * 86_400));
        assert_eq!(seconds("1h 30m"), Some(5400));
        for wrong in ["", "8", "soon", "-1h", "0s"] {
            let refused = duration(wrong).expect_err("no length of time");
            assert!(refused.is::<Usage>() && refused.chain().count() == 1, "{wrong:?}: {refused:#}");
        }
    }

    #[test]
    fn a_time_is_shown_in_utc_to_the_millisecond() {
        let time = Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 };
        assert_eq!(shown(Some(&time)), Value::from("2023-11-14T22:13:20.123Z"));
    }
}
