//! A1: no call the upstream saw lacks a durable intent, over kills in the middle of calls.
//!
//! Each round starts the gateway, lets clients call without a pause, each call with a trace of its own, kills the process
//! at a random moment, and starts again. What the upstream saw is then held against the intents in the audit. On the way grants
//! are issued and revoked; what was acknowledged has to be there at the end.

use std::{collections::BTreeSet, path::Path, time::Duration};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

use super::stage;
use crate::{
    gateway::Site,
    mcp_client::McpClient,
    recording_upstream::{RecordingUpstream, Request, accepted, json_answer},
    rng::Rng,
    verdict::Verdict,
};

/// How large the proof is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// How many kills.
    pub rounds: u32,
    /// How many clients call without a pause at each kill.
    pub calls: u32,
}

/// The longest wait before a kill, in milliseconds from the first call of the round.
const LATEST_KILL_MILLIS: u64 = 250;

/// Grants that were acknowledged, and whether their revocation was.
#[derive(Default)]
struct Acknowledged {
    issued: BTreeSet<String>,
    revoked: BTreeSet<String>,
}

/// Runs the proof.
pub async fn prove(binary: &Path, size: Size, seed: u64, plant: Option<String>) -> Result<Verdict> {
    let mut rng = Rng::new(seed);
    let root = tempfile::tempdir()?;
    let upstream = RecordingUpstream::start(answer).await?;
    let site = Site::found(binary, root.path(), plant).await?;
    let mut acknowledged = Acknowledged::default();
    for round in 0..size.rounds {
        one_round(&site, &upstream, size, round, &mut rng, &mut acknowledged).await?;
    }
    let gateway = site.start().await?;
    let verdict = judge(&site, &upstream, size, &acknowledged).await?;
    gateway.stop().await?;
    Ok(verdict)
}

async fn one_round(
    site: &Site,
    upstream: &RecordingUpstream,
    size: Size,
    round: u32,
    rng: &mut Rng,
    acknowledged: &mut Acknowledged,
) -> Result<()> {
    let gateway = site.start().await?;
    let cli = site.command_line();
    if round == 0 {
        stage::set_up(site, &upstream.url(), "an-upstream-secret", &["--bearer"]).await?;
    }
    let (grant, client) = stage::issue(site, &cli, "*").await?;
    acknowledged.issued.insert(grant);
    let (doomed, _) = stage::issue(site, &cli, "*").await?;
    acknowledged.issued.insert(doomed.clone());
    let mut calls = JoinSet::new();
    for _ in 0..size.calls {
        calls.spawn(call_until_killed(client.clone(), Rng::new(rng.draw())));
    }
    let revoke = ["grant", "revoke", doomed.as_str()];
    let revoking = cli.try_run(&revoke, None);
    let kill_at = Duration::from_millis(rng.between(0, LATEST_KILL_MILLIS));
    let (revoked, killed) = tokio::join!(revoking, async {
        sleep(kill_at).await;
        gateway.kill().await
    });
    killed?;
    if revoked?.succeeded {
        acknowledged.revoked.insert(doomed);
    }
    while calls.join_next().await.is_some() {}
    Ok(())
}

/// Calls without a pause until the kill cuts a call off. What counts is what the upstream saw, not what came back.
async fn call_until_killed(client: McpClient, mut rng: Rng) {
    while client.call_tool("probe", &json!({}), &rng.hex(32), "").await.is_ok() {}
}

async fn judge(
    site: &Site,
    upstream: &RecordingUpstream,
    size: Size,
    acknowledged: &Acknowledged,
) -> Result<Verdict> {
    let cli = site.command_line();
    let entries = stage::audit(&cli).await?;
    let intended: BTreeSet<&str> = entries
        .iter()
        .filter(|entry| entry["kind"] == "intent")
        .filter_map(|entry| entry["trace"].as_str())
        .collect();
    let requests = upstream.requests();
    let seen: BTreeSet<String> = requests.iter().filter_map(trace_of).collect();
    let unrecorded = seen.iter().filter(|trace| !intended.contains(trace.as_str())).count();
    if unrecorded > 0 {
        return Ok(Verdict::Broken(format!(
            "{unrecorded} of {} calls the upstream saw have no intent",
            seen.len()
        )));
    }
    if seen.is_empty() {
        return Ok(Verdict::Broken("no call reached the upstream, so nothing was tried".to_owned()));
    }
    if let Some(lost) = lost_grant(&cli.json(&["grant", "list"], None).await?, acknowledged)? {
        return Ok(Verdict::Broken(lost));
    }
    let verified = cli
        .try_run(
            &["audit", "verify", "--archive", &site.root.join("data/archive").display().to_string()],
            None,
        )
        .await?;
    if !verified.succeeded {
        return Ok(Verdict::Broken(format!("audit verify: {}", verified.stderr.trim())));
    }
    Ok(Verdict::Holds(format!(
        "{} kills amid {} clients: {} calls reached the upstream, {} intents, {} grants and {} revocations kept",
        size.rounds,
        size.calls,
        seen.len(),
        intended.len(),
        acknowledged.issued.len(),
        acknowledged.revoked.len()
    )))
}

/// The first acknowledged grant or revocation that is not there any more.
fn lost_grant(listed: &Value, acknowledged: &Acknowledged) -> Result<Option<String>> {
    let grants = listed.as_array().context("the list of grants is no list")?;
    let find = |id: &String| grants.iter().find(|grant| grant["grant"].as_str() == Some(id));
    let lost = acknowledged.issued.iter().find(|id| find(id).is_none());
    let undone =
        acknowledged.revoked.iter().find(|id| find(id).is_none_or(|grant| grant["status"] != "revoked"));
    Ok(lost
        .map(|id| format!("the grant {id} was acknowledged and is gone"))
        .or_else(|| undone.map(|id| format!("the revocation of {id} was acknowledged and is gone"))))
}

fn trace_of(request: &Request) -> Option<String> {
    request.json()["id"].as_str().map(str::to_owned)
}

fn answer(request: &Request) -> Vec<Vec<u8>> {
    let message = request.json();
    if message["id"].is_null() {
        return accepted();
    }
    let result = json!({"content": [{"type": "text", "text": "done"}], "resultType": "complete"});
    json_answer(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}), "")
}
