//! S1: the upstream secret appears nowhere but on the connection to its upstream.
//!
//! The secrets are canaries. The upstream sends each back in every way it can: plainly, encoded, cut into chunks, in
//! headers, in errors, as events. Errors are provoked on purpose. Then everything that left the gateway is searched:
//! answers, logs, the command line, and every file of the node, after a clean stop and after a kill.

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::stage;
use crate::{
    canary::{Canary, Sighting, hex, search_tree, url_encoded},
    gateway::Site,
    mcp_client::McpClient,
    recording_upstream::{RecordingUpstream, Request, accepted, chunked_answer, json_answer},
    rng::Rng,
    verdict::Verdict,
};

/// The ways the upstream sends the secret back; each is the name of a tool.
const ECHOES: [&str; 11] = [
    "plain",
    "base64",
    "hex",
    "url",
    "chunks",
    "bytewise",
    "header",
    "events",
    "error",
    "malformed",
    "status",
];

/// Runs the proof.
pub async fn prove(binary: &Path, seed: u64, plant: Option<String>) -> Result<Verdict> {
    let mut rng = Rng::new(seed);
    let root = tempfile::tempdir()?;
    let canary = Arc::new(Canary::new("the upstream secret", &mut rng));
    let upstream = RecordingUpstream::start({
        let canary = Arc::clone(&canary);
        move |request| echo(request, &canary.value)
    })
    .await?;
    let site = Site::found(binary, root.path(), plant).await?;
    let cli = site.command_line();
    let mut answers = Vec::new();

    let gateway = site.start().await?;
    let pid = gateway.pid().context("the gateway has no process id")?;
    stage::set_up(&site, &upstream.url(), &canary.value, &["--header", "x-api-key"]).await?;
    let (grant, client) = stage::issue(&site, &cli, "*").await?;
    for tool in ECHOES {
        answers.extend(call(&client, tool, &mut rng).await);
    }
    answers.extend(provoke_errors(&client).await);
    let mut found = search_process(pid, &canary);
    for command in [&["server", "show", stage::SERVER][..], &["server", "list"], &["grant", "show", &grant]] {
        cli.run(command, None).await?;
        cli.json(command, None).await?;
    }
    // Setting a credential that no header can carry is refused; the refusal must not repeat it.
    let unusable = format!("{}\r\nx: y", canary.value);
    cli.try_run(&["credential", "set", stage::SERVER, "--header", "x-api-key"], Some(unusable.as_bytes()))
        .await?;
    stage::audit(&cli).await?;
    gateway.kill().await?;

    let gateway = site.start().await?;
    answers.extend(call(&client, "plain", &mut rng).await);
    gateway.stop().await?;

    found.extend(canary.find(&answers, "an answer to the client"));
    found.extend(canary.find(&cli.transcript(), "the output of the command line"));
    let (in_files, files) = search_tree(&site.root, std::slice::from_ref(&canary))?;
    found.extend(in_files);
    judge(&found, &upstream, &canary, &answers, files)
}

/// The search counts only if the secret really was in play: the upstream got it, and its echoes came back redacted.
fn judge(
    found: &[Sighting],
    upstream: &RecordingUpstream,
    canary: &Canary,
    answers: &[u8],
    files: usize,
) -> Result<Verdict> {
    if let Some(sighting) = found.first() {
        return Ok(Verdict::Broken(format!("{} in {}, {}", sighting.canary, sighting.place, sighting.form)));
    }
    let calls = upstream.requests().len();
    if calls < ECHOES.len() || canary.find(&upstream.bytes(), "the upstream").is_none() {
        return Ok(Verdict::Broken("the upstream never got the secret, so nothing was tried".to_owned()));
    }
    let redactions = String::from_utf8_lossy(answers).matches("[redacted]").count();
    if redactions == 0 {
        return Ok(Verdict::Broken("no answer was redacted, so the echoes did not come back".to_owned()));
    }
    Ok(Verdict::Holds(format!(
        "{} echoes, {calls} requests, {redactions} redactions, {} answer bytes and {files} files searched",
        ECHOES.len(),
        answers.len()
    )))
}

async fn call(client: &McpClient, tool: &str, rng: &mut Rng) -> Vec<u8> {
    match client.call_tool(tool, &json!({}), &rng.hex(32), "").await {
        Ok(answered) => answered.bytes,
        // An answer may be refused as a whole; the reason is searched too.
        Err(error) => format!("{error:#}").into_bytes(),
    }
}

async fn provoke_errors(client: &McpClient) -> Vec<u8> {
    let mut bytes = Vec::new();
    for body in
        ["{", "[]", "{\"jsonrpc\":\"2.0\"}", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}"]
    {
        if let Ok(answered) = client.post(body, "").await {
            bytes.extend(answered.bytes);
        }
    }
    let stranger = McpClient { token: "pcl_not-a-token".to_owned(), ..client.clone() };
    if let Ok(answered) = stranger.post("{}", "").await {
        bytes.extend(answered.bytes);
    }
    bytes
}

/// What anyone on the machine may read of the process.
fn search_process(pid: u32, canary: &Canary) -> Vec<Sighting> {
    let places = [format!("/proc/{pid}/cmdline"), format!("/proc/{pid}/environ")];
    // Hardening may hide a file of the process from us, which is as good as not finding anything in it.
    places.iter().filter_map(|place| canary.find(&std::fs::read(place).unwrap_or_default(), place)).collect()
}

/// Answers with the secret in the way the tool's name says.
fn echo(request: &Request, secret: &str) -> Vec<Vec<u8>> {
    let message = request.json();
    let id = &message["id"];
    if id.is_null() {
        return accepted();
    }
    let text = |text: &str| {
        json!({"jsonrpc": "2.0", "id": id, "result": {
        "content": [{"type": "text", "text": text}], "resultType": "complete"}})
    };
    let plain = text(&format!("your key is {secret}, keep it"));
    match message["params"]["name"].as_str().unwrap_or_default() {
        "base64" => json_answer(&text(&STANDARD.encode(format!("Bearer {secret}"))), ""),
        "hex" => json_answer(&text(&hex(secret.as_bytes())), ""),
        "url" => json_answer(&text(&url_encoded(secret)), ""),
        "chunks" => in_pieces("application/json", &plain.to_string(), 7),
        "bytewise" => in_pieces("application/json", &plain.to_string(), 1),
        "header" => json_answer(&plain, &format!("x-debug: {secret}\r\nmcp-session-id: {secret}\r\n")),
        "events" => in_pieces("text/event-stream", &format!("event: message\ndata: {plain}\n\n"), 11),
        "error" => json_answer(
            &json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32603, "message": secret}}),
            "",
        ),
        "malformed" => vec![format!("HTTP/1.1 200 OK\r\n{secret}\r\n\r\n").into_bytes()],
        "status" => status(401, secret),
        _ => json_answer(&plain, ""),
    }
}

fn in_pieces(content_type: &str, text: &str, size: usize) -> Vec<Vec<u8>> {
    chunked_answer(content_type, &text.as_bytes().chunks(size).collect::<Vec<_>>())
}

fn status(code: u16, secret: &str) -> Vec<Vec<u8>> {
    let body: Value = json!({"error": secret});
    let body = body.to_string();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {code} No\r\nwww-authenticate: Bearer realm=\"{secret}\"\r\ncontent-length: {length}\r\n\r\n"
    );
    vec![(head + &body).into_bytes()]
}
