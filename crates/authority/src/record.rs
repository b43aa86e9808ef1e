//! The values of the record: what a node's write-ahead log says of each call. `wal` orders, chains and stores them,
//! `wire` gives them bytes.
//!
//! Nothing here can hold a secret: arguments appear as their keys and a keyed digest, credentials by id.

use crate::{
    credential,
    denial::Reason,
    event::Revision,
    grant,
    node::{Epoch, Id as NodeId},
    principal, server,
    time::{Boot, Wall},
};

/// The position of a record within one start of one node, from 1 and without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(pub u64);

/// A record in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Whose log.
    pub edge: NodeId,
    /// Which start.
    pub epoch: Epoch,
    /// Its place.
    pub seq: Seq,
    /// The hash of the record before it; for the first of an epoch, of the last recovered one of the epoch before.
    pub previous: [u8; 32],
    /// When it was written.
    pub time: Wall,
    /// What it says.
    pub body: Body,
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The first record of every epoch.
    EpochStarted(EpochStarted),
    /// A call was allowed and is about to be sent.
    Intent(Box<Intent>),
    /// How an intended call ended.
    Outcome(Box<Outcome>),
    /// A call was refused.
    Denied(Box<Denied>),
    /// Requests refused before any grant was known, counted: exact per reason, whatever their rate.
    Refusals(Refusals),
}

/// What recovery found when an epoch started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochStarted {
    /// The last epoch before, if there was one.
    pub previous_epoch: Option<Epoch>,
    /// The last record recovered of it.
    pub previous_seq: Seq,
    /// How many bytes of a torn, never acknowledged tail were cut.
    pub cut_bytes: u64,
    /// Intents of the epoch before that have no outcome: whether they took effect is not known.
    pub outcome_unknown: Vec<Seq>,
}

/// Who calls what: the facts an intent and a denial share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallFacts {
    /// The revision the call was decided at.
    pub revision: Revision,
    /// The grant, and its ancestors up to the root.
    pub grants: Vec<grant::Id>,
    /// Who calls.
    pub principal: principal::Id,
    /// Who answers for it, if it is an agent.
    pub owner: Option<principal::Id>,
    /// The client program, as it calls itself; cut to bounds.
    pub client: Option<Client>,
    /// The address of the peer, or the one a trusted proxy names.
    pub peer: String,
    /// The upstream server.
    pub server: server::Id,
    /// The MCP revision of the call, such as `2025-11-25`.
    pub mcp_revision: String,
    /// The JSON-RPC method, or the HTTP method of a stream; cut to bounds.
    pub method: String,
    /// The tool, prompt or resource; cut to bounds.
    pub target: Option<String>,
    /// The top-level keys of the arguments; cut to bounds.
    pub argument_keys: Vec<String>,
    /// A keyed digest of the arguments.
    pub arguments_digest: Option<[u8; 32]>,
    /// The trace the call belongs to (W3C Trace Context, trace-id as 32 hexadecimal digits).
    pub trace: Option<String>,
    /// The boot time of the decision.
    pub decided_at: Boot,
}

/// The client program, as it calls itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A call was allowed and is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Who calls what.
    pub call: CallFacts,
    /// The credential that is attached, by id.
    pub credential: Option<credential::Id>,
}

/// A call was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// Who called what.
    pub call: CallFacts,
    /// Why.
    pub reason: Reason,
    /// The rule that decided, as a pointer.
    pub rule: String,
}

/// How an intended call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The intent it belongs to, of the same epoch.
    pub intent: Seq,
    /// How it ended.
    pub ending: Ending,
    /// The HTTP status of the upstream, if it answered.
    pub upstream_status: Option<u16>,
    /// From the intent to the end, in microseconds.
    pub latency_micros: u64,
    /// Bytes of the request's body that were sent.
    pub request_bytes: u64,
    /// Bytes of the response's body that were passed on.
    pub response_bytes: u64,
    /// Whether the response carried the injected secret, which was redacted.
    pub redacted: bool,
    /// Whether bytes that were checked in time went out after the lease had ended.
    pub late_effect: bool,
    /// The boot time of the last check that let bytes through; zero if none did.
    pub last_check_at: Boot,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// The upstream answered, and the answer was passed on whole.
    Completed,
    /// The upstream answered with an error of its own.
    UpstreamError,
    /// The upstream could not be reached or broke the protocol.
    UpstreamFailed,
    /// A bound of time or size was reached.
    LimitReached,
    /// The call was cut by a narrowing change.
    Cut,
    /// The node lost its lease.
    LeaseLost,
    /// The client went away.
    ClientGone,
    /// The node shut down.
    Drained,
}

impl Ending {
    /// Every ending, in the order of the list.
    pub const ALL: [Self; 8] = [
        Self::Completed,
        Self::UpstreamError,
        Self::UpstreamFailed,
        Self::LimitReached,
        Self::Cut,
        Self::LeaseLost,
        Self::ClientGone,
        Self::Drained,
    ];

    /// The published code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::UpstreamError => "upstream_error",
            Self::UpstreamFailed => "upstream_failed",
            Self::LimitReached => "limit_reached",
            Self::Cut => "cut",
            Self::LeaseLost => "lease_lost",
            Self::ClientGone => "client_gone",
            Self::Drained => "drained",
        }
    }
}

/// Requests refused before any grant was known, since the last such record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// How many, by the code of the reason.
    pub counts: Vec<(String, u64)>,
    /// A few of them, as many as the rate allows.
    pub samples: Vec<RefusalSample>,
}

/// One refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalSample {
    /// When.
    pub time: Wall,
    /// The code of the reason.
    pub reason: String,
    /// The address of the peer.
    pub peer: String,
}
