//! R3 on one node: when a revocation returns, open streams of the grant are cut, and no call of it is allowed any more.
//!
//! Each round issues a grant, opens a stream with it, keeps calling with it, and revokes it. The recording upstream and
//! the clients share the machine's boot clock with this process, so that «before» and «after» have no error. The audit
//! has to tell the whole story afterwards: the intent, its outcome, the denial, and the revocation, by name.

use std::path::Path;

use anyhow::{Context, Result};
use seams::{Clock, SystemClock};
use serde_json::{Value, json};

use super::stage;
use crate::{
    gateway::Site,
    mcp_client::McpClient,
    recording_upstream::{RecordingUpstream, Request, json_answer},
    rng::Rng,
    verdict::Verdict,
};

/// The tool whose answer is a stream without an end.
const STREAM: &str = "stream";

/// The first event of that stream.
const OPENING: &str = "the stream is open";

/// How many calls are made after each revocation.
const CALLS_AFTER: usize = 5;

/// What one round measured.
struct Round {
    grant: String,
    /// How long the revocation took, as the answer says, in milliseconds.
    revoke_millis: f64,
    /// How long after the return of the revocation the client knew of the end; negative if before.
    end_after_return_millis: f64,
    /// Calls that the upstream saw with this grant's trace after the return.
    late: usize,
}

/// Runs the proof.
pub async fn prove(binary: &Path, rounds: usize, seed: u64, plant: Option<String>) -> Result<Verdict> {
    let mut rng = Rng::new(seed);
    let root = tempfile::tempdir()?;
    let upstream = RecordingUpstream::start(answer).await?;
    let site = Site::found(binary, root.path(), plant).await?;
    let gateway = site.start().await?;
    stage::set_up(&site, &upstream.url(), "an-upstream-secret", &["--bearer"]).await?;
    let mut measured = Vec::new();
    for _ in 0..rounds {
        measured.push(one_round(&site, &upstream, &mut rng).await?);
    }
    let entries = stage::audit(&site.command_line()).await?;
    gateway.stop().await?;
    Ok(judge(&measured, &entries))
}

async fn one_round(site: &Site, upstream: &RecordingUpstream, rng: &mut Rng) -> Result<Round> {
    let cli = site.command_line();
    let (grant, client) = stage::issue(site, &cli, "*").await?;
    let stream = client.open_stream(STREAM, &rng.hex(32), OPENING).await?;
    let ending = tokio::spawn(stream.until_end());
    let before = client.call_tool("probe", &json!({}), &rng.hex(32), "").await?;
    anyhow::ensure!(before.status == 200, "a call before the revocation was not allowed");

    let revoked = cli.json(&["grant", "revoke", &grant], None).await?;
    let returned_nanos = SystemClock.boot_nanos();
    anyhow::ensure!(revoked["enforced"] == true, "the answer does not say that it is enforced: {revoked}");
    let seen = upstream.requests().len();
    for _ in 0..CALLS_AFTER {
        refused(&client, rng).await?;
    }
    let ended = ending.await??;
    let requests = upstream.requests();
    Ok(Round {
        grant,
        revoke_millis: revoked["elapsed_millis"]
            .as_f64()
            .context("the answer does not say how long it took")?,
        end_after_return_millis: millis_between(returned_nanos, ended.at_nanos),
        late: requests[seen..].iter().filter(|request| request.first_byte_nanos > returned_nanos).count(),
    })
}

async fn refused(client: &McpClient, rng: &mut Rng) -> Result<()> {
    let after = client.call_tool("probe", &json!({}), &rng.hex(32), "").await?;
    anyhow::ensure!(after.status == 401, "a call after the revocation got {}", after.status);
    Ok(())
}

fn judge(rounds: &[Round], entries: &[Value]) -> Verdict {
    let late: usize = rounds.iter().map(|round| round.late).sum();
    if late > 0 {
        return Verdict::Broken(format!(
            "{late} calls reached the upstream after their revocation had returned"
        ));
    }
    for round in rounds {
        if let Err(missing) = the_story_is_told(entries, &round.grant) {
            return Verdict::Broken(format!("the audit of {} lacks {missing}", round.grant));
        }
    }
    let sorted = |value: fn(&Round) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let revokes = sorted(|round| round.revoke_millis);
    let ends = sorted(|round| round.end_after_return_millis);
    Verdict::Holds(format!(
        "{} rounds; revocation p50 {:.1} ms, max {:.1} ms; stream ended at p50 {:+.1} ms, max {:+.1} ms from its return",
        rounds.len(),
        revokes[revokes.len() / 2],
        revokes[revokes.len() - 1],
        ends[ends.len() / 2],
        ends[ends.len() - 1],
    ))
}

/// The intent, its outcome, a denial and the revocation, each with who and what.
fn the_story_is_told(entries: &[Value], grant: &str) -> Result<(), &'static str> {
    let of_grant = |kind: &str| {
        entries.iter().find(|entry| entry["kind"] == kind && entry["grant"].as_str() == Some(grant))
    };
    let named = |entry: &Value| {
        entry["principal"] == "ana-agent" && entry["owner"] == "ana" && entry["revision"].as_u64().is_some()
    };
    of_grant("intent").filter(|entry| named(entry) && entry["tool"].is_string()).ok_or("the intent")?;
    of_grant("outcome").ok_or("the outcome")?;
    of_grant("denied")
        .filter(|entry| named(entry) && entry["reason"] == "grant_revoked")
        .ok_or("the denial")?;
    of_grant("grant.revoked").filter(|entry| entry["actor"].is_string()).ok_or("the revocation")?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a test run, for people to read")]
fn millis_between(from_nanos: u64, to_nanos: u64) -> f64 {
    (to_nanos as f64 - from_nanos as f64) / 1e6
}

fn answer(request: &Request) -> Vec<Vec<u8>> {
    let message = request.json();
    let id = &message["id"];
    if message["params"]["name"] == STREAM {
        let opening = format!(": {OPENING}\n\n");
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        return vec![format!("{head}{:x}\r\n{opening}\r\n", opening.len()).into_bytes()];
    }
    let result = json!({"content": [{"type": "text", "text": "done"}], "resultType": "complete"});
    json_answer(&json!({"jsonrpc": "2.0", "id": id, "result": result}), "")
}
