//! S2: a client's grant token, cookies and internal headers never reach an upstream, and an upstream's headers reach a
//! client only from a short list.
//!
//! The client sends canaries wherever a client can put something; the upstream keeps every byte it gets. The upstream
//! sends canaries in headers; the client keeps every byte it gets.

use std::path::Path;

use anyhow::Result;
use serde_json::json;

use super::stage;
use crate::{
    canary::{Canary, Sighting},
    gateway::Site,
    recording_upstream::{RecordingUpstream, Request, accepted, header, json_answer},
    rng::Rng,
    verdict::Verdict,
};

/// Headers a client may send that are none of the upstream's business.
const CLIENT_HEADERS: [&str; 12] = [
    "Cookie",
    "Proxy-Authorization",
    "X-Forwarded-For",
    "X-Forwarded-User",
    "Forwarded",
    "X-Real-Ip",
    "X-Api-Key",
    "Mcp-Init-Host",
    "Router-Key",
    "Referer",
    "User-Agent",
    "Baggage",
];

/// Headers an upstream may send that are none of the client's business.
const UPSTREAM_HEADERS: [&str; 6] =
    ["set-cookie", "server", "x-internal-trace", "location", "www-authenticate", "via"];

/// How many calls are made.
const CALLS: usize = 20;

/// Runs the proof.
pub async fn prove(binary: &Path, seed: u64, plant: Option<String>) -> Result<Verdict> {
    let mut rng = Rng::new(seed);
    let root = tempfile::tempdir()?;
    let inward = Canary::new("a header of the upstream", &mut rng);
    let headers: String =
        UPSTREAM_HEADERS.iter().map(|name| format!("{name}: {}\r\n", inward.value)).collect();
    let upstream = RecordingUpstream::start(move |request| answer(request, &headers)).await?;
    let site = Site::found(binary, root.path(), plant).await?;
    let gateway = site.start().await?;
    let secret = "the-real-upstream-secret";
    stage::set_up(&site, &upstream.url(), secret, &["--bearer"]).await?;
    let (_, client) = stage::issue(&site, &site.command_line(), "*").await?;

    let outward = Canary::new("a header of the client", &mut rng);
    let token = Canary::of("the grant token", client.token.clone());
    let headers: String =
        CLIENT_HEADERS.iter().map(|name| format!("{name}: {}\r\n", outward.value)).collect();
    let (mut answers, mut answered) = (Vec::new(), 0);
    for _ in 0..CALLS {
        let call = client.call_tool("probe", &json!({"text": "hello"}), &rng.hex(32), &headers).await?;
        answered += usize::from(call.status == 200);
        answers.extend(call.bytes);
    }
    gateway.stop().await?;

    let sent = upstream.bytes();
    let found: Vec<Sighting> = [
        token.find(&sent, "what the upstream got"),
        outward.find(&sent, "what the upstream got"),
        inward.find(&answers, "what the client got"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if let Some(sighting) = found.first() {
        return Ok(Verdict::Broken(format!("{} in {}, {}", sighting.canary, sighting.place, sighting.form)));
    }
    let requests = upstream.requests();
    let bearer = format!("Bearer {secret}");
    let carried =
        requests.iter().filter(|request| header(&request.head, "authorization") == Some(&bearer)).count();
    if answered != CALLS || carried != CALLS {
        return Ok(Verdict::Broken(format!(
            "{answered} of {CALLS} calls were answered and {carried} carried the real secret, so too little was tried"
        )));
    }
    Ok(Verdict::Holds(format!(
        "{CALLS} calls with {} canary headers and {} back; {} bytes to the upstream and {} to the client searched",
        CLIENT_HEADERS.len(),
        UPSTREAM_HEADERS.len(),
        sent.len(),
        answers.len()
    )))
}

fn answer(request: &Request, headers: &str) -> Vec<Vec<u8>> {
    let message = request.json();
    if message["id"].is_null() {
        return accepted();
    }
    let result = json!({"content": [{"type": "text", "text": "done"}], "resultType": "complete"});
    json_answer(&json!({"jsonrpc": "2.0", "id": message["id"], "result": result}), headers)
}
