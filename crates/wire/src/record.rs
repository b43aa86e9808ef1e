//! The record of calls, as a node's write-ahead log and the archive keep it. A record's hash is the SHA-256 of these
//! bytes.

mod call;
mod codes;

use authority::{
    node::{Epoch, Id as NodeId},
    record::{Body, EpochStarted, Outcome, Record, RefusalSample, Refusals, Seq},
    time::{Boot, Wall},
};
use prost::Message;

use crate::{
    canonical, field,
    malformed::{Flaw, Malformed},
    pb::audit::v1::{self as pb, record::Body as Pb},
};

/// Writes a record.
pub fn encode(record: &Record) -> Vec<u8> {
    to_pb(record).encode_to_vec()
}

/// Reads a record.
pub fn decode(bytes: &[u8]) -> Result<Record, Malformed> {
    from_pb(canonical::decode("record", bytes)?)
}

fn to_pb(record: &Record) -> pb::Record {
    let body = match &record.body {
        Body::EpochStarted(started) => Pb::EpochStarted(started_to_pb(started)),
        Body::Intent(intent) => Pb::Intent(call::intent_to_pb(intent)),
        Body::Outcome(outcome) => Pb::Outcome(outcome_to_pb(outcome)),
        Body::Denied(denied) => Pb::Denied(call::denied_to_pb(denied)),
        Body::Refusals(refusals) => Pb::Refusals(refusals_to_pb(refusals)),
    };
    pb::Record {
        edge: record.edge.0,
        epoch: record.epoch.0,
        seq: record.seq.0,
        previous: record.previous.to_vec(),
        time_ms: record.time.0,
        body: Some(body),
    }
}

fn from_pb(record: pb::Record) -> Result<Record, Malformed> {
    let body = match field::required("record.body", record.body)? {
        Pb::EpochStarted(started) => Body::EpochStarted(started_from_pb(started)),
        Pb::Intent(intent) => Body::Intent(Box::new(call::intent_from_pb(intent)?)),
        Pb::Outcome(outcome) => Body::Outcome(Box::new(outcome_from_pb(&outcome)?)),
        Pb::Denied(denied) => Body::Denied(Box::new(call::denied_from_pb(denied)?)),
        Pb::Refusals(refusals) => Body::Refusals(refusals_from_pb(refusals)),
    };
    Ok(Record {
        edge: NodeId(record.edge),
        epoch: Epoch(record.epoch),
        seq: Seq(record.seq),
        previous: field::array("record.previous", &record.previous)?,
        time: Wall(record.time_ms),
        body,
    })
}

fn started_to_pb(started: &EpochStarted) -> pb::EpochStarted {
    pb::EpochStarted {
        previous_epoch: started.previous_epoch.map(|epoch| epoch.0),
        previous_seq: started.previous_seq.0,
        cut_bytes: started.cut_bytes,
        outcome_unknown: started.outcome_unknown.iter().map(|seq| seq.0).collect(),
    }
}

fn started_from_pb(started: pb::EpochStarted) -> EpochStarted {
    EpochStarted {
        previous_epoch: started.previous_epoch.map(Epoch),
        previous_seq: Seq(started.previous_seq),
        cut_bytes: started.cut_bytes,
        outcome_unknown: started.outcome_unknown.into_iter().map(Seq).collect(),
    }
}

fn outcome_to_pb(outcome: &Outcome) -> pb::CallOutcome {
    pb::CallOutcome {
        intent: outcome.intent.0,
        ending: codes::ending_to_pb(outcome.ending).into(),
        upstream_status: outcome.upstream_status.map(u32::from),
        latency_micros: outcome.latency_micros,
        request_bytes: outcome.request_bytes,
        response_bytes: outcome.response_bytes,
        redacted: outcome.redacted,
        late_effect: outcome.late_effect,
        last_check_at_ns: outcome.last_check_at.0,
    }
}

fn outcome_from_pb(outcome: &pb::CallOutcome) -> Result<Outcome, Malformed> {
    let status = |value: u32| {
        u16::try_from(value)
            .map_err(|_| Flaw::TooLarge { value: value.into() }.of("call_outcome.upstream_status"))
    };
    Ok(Outcome {
        intent: Seq(outcome.intent),
        ending: codes::ending(outcome.ending)?,
        upstream_status: outcome.upstream_status.map(status).transpose()?,
        latency_micros: outcome.latency_micros,
        request_bytes: outcome.request_bytes,
        response_bytes: outcome.response_bytes,
        redacted: outcome.redacted,
        late_effect: outcome.late_effect,
        last_check_at: Boot(outcome.last_check_at_ns),
    })
}

fn refusals_to_pb(refusals: &Refusals) -> pb::Refusals {
    let count = |(reason, count): &(String, u64)| pb::RefusalCount { reason: reason.clone(), count: *count };
    let sample = |sample: &RefusalSample| pb::RefusalSample {
        time_ms: sample.time.0,
        reason: sample.reason.clone(),
        peer: sample.peer.clone(),
    };
    pb::Refusals {
        counts: refusals.counts.iter().map(count).collect(),
        samples: refusals.samples.iter().map(sample).collect(),
    }
}

fn refusals_from_pb(refusals: pb::Refusals) -> Refusals {
    let sample = |sample: pb::RefusalSample| RefusalSample {
        time: Wall(sample.time_ms),
        reason: sample.reason,
        peer: sample.peer,
    };
    Refusals {
        counts: refusals.counts.into_iter().map(|count| (count.reason, count.count)).collect(),
        samples: refusals.samples.into_iter().map(sample).collect(),
    }
}
