//! Points and lengths of time as the API's messages write them.

use std::time::Duration;

use authority::time::Wall;

const MILLIS_PER_SECOND: u64 = 1_000;
const NANOS_PER_MILLI: u64 = 1_000_000;

/// A point in time.
pub(crate) fn timestamp(time: Wall) -> prost_types::Timestamp {
    let nanos = time.0 % MILLIS_PER_SECOND * NANOS_PER_MILLI;
    prost_types::Timestamp {
        seconds: i64::try_from(time.0 / MILLIS_PER_SECOND).unwrap_or(i64::MAX),
        nanos: i32::try_from(nanos).expect("less than a second of nanoseconds"),
    }
}

/// A length of time.
pub(crate) fn duration(time: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(time.subsec_nanos()).expect("less than a second of nanoseconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn a_point_in_time_reads_back() {
        for millis in [0, 1, 999, 1_000, 1_763_892_000_123] {
            let time = Wall(millis);
            assert_eq!(parse::instant("t", &timestamp(time)).ok(), Some(time));
        }
    }

    #[test]
    fn a_time_beyond_the_message_is_clamped() {
        assert_eq!(timestamp(Wall(u64::MAX)).nanos, 615_000_000);
        assert_eq!(duration(Duration::MAX).seconds, i64::MAX);
    }
}
