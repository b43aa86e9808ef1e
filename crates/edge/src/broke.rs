//! Why the answer of an upstream did not reach the client whole. What the client is told of it is [`crate::rescue`]'s.

use upstream::ReplyBroken;

use crate::cutoff::Stop;

/// Why the answer of an upstream did not reach the client whole.
#[derive(Debug)]
pub(crate) enum Broke {
    /// The call had to stop.
    Stopped(Stop),
    /// The body broke off, or went over a bound of the upstream side.
    Reply(ReplyBroken),
    /// It, or one of its events, is larger than what may be read whole.
    TooLarge,
    /// It cannot be filtered, so it is not passed on.
    Unreadable,
    /// It is nothing that answers the request.
    NotAnAnswer,
    /// Its session id cannot be sealed.
    SessionId,
}

impl Broke {
    /// Whether it is the call that had to stop, on whichever side that was noticed first.
    pub(crate) fn stop(&self) -> Option<Stop> {
        match self {
            Self::Stopped(stop) => Some(*stop),
            Self::Reply(ReplyBroken::Cut(_)) => Some(Stop::Cut),
            Self::Reply(_) | Self::TooLarge | Self::Unreadable | Self::NotAnAnswer | Self::SessionId => None,
        }
    }
}

impl From<Stop> for Broke {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}
