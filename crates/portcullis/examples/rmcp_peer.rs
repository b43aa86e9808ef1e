//! rmcp, the official Rust SDK, as a client: one of the peers of `scripts/test-peers`.
//!
//! Does and prints the same as the clients in `scripts/peers`; `scenario.mjs` there describes the plan. An example and not a test,
//! because the driver starts the gateway and the servers for all peers alike. It imports nothing of ours: a peer knows only the wire.

#![expect(
    deprecated,
    reason = "the newest revision deprecates sampling and roots, which the others still use"
)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rmcp::ClientHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, CreateMessageRequestParams,
    CreateMessageResult, ElicitRequestParams, ElicitResult, ElicitationAction, ErrorData, Implementation,
    JsonObject, ListRootsResult, ProgressNotificationParam, ProtocolVersion, Root, SamplingMessage,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt, NotificationContext, RequestContext, RoleClient, RunningService,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

/// How long one step may take. Far above what a loopback call needs; it only ends a hung run.
const STEP_TIMEOUT: Duration = Duration::from_secs(30);

/// The plan, as `scenario.mjs` describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    revision: Option<String>,
    call: Step,
    progress: Option<Step>,
    #[serde(default)]
    asks: Vec<Step>,
    hidden: Option<String>,
}

/// One call of the plan and what to look for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    name: String,
    #[serde(default)]
    arguments: JsonObject,
    #[serde(default)]
    expect: String,
    #[serde(default)]
    method: String,
}

/// What the server sent on its own account: requests and notifications, counted by method.
struct Peer {
    seen: watch::Sender<BTreeMap<&'static str, u32>>,
}

impl Peer {
    fn count(&self, method: &'static str) {
        self.seen.send_modify(|seen| *seen.entry(method).or_default() += 1);
    }
}

impl ClientHandler for Peer {
    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        capabilities.sampling = Some(Default::default());
        capabilities.elicitation = Some(Default::default());
        capabilities.roots = Some(Default::default());
        ClientConfig::new(capabilities, Implementation::new("peer-rmcp", "1.0.0"))
    }

    async fn create_message(
        &self,
        _params: CreateMessageRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        self.count("sampling/createMessage");
        Ok(CreateMessageResult::new(SamplingMessage::assistant_text("sampled by the peer"), "peer".into()))
    }

    async fn create_elicitation(
        &self,
        _params: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        self.count("elicitation/create");
        Ok(ElicitResult::new(ElicitationAction::Accept).with_content(json!({ "name": "Ana Peer" })))
    }

    async fn list_roots(&self, _context: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        self.count("roots/list");
        Ok(ListRootsResult::new(vec![Root::new("file:///srv/peer").with_name("peer")]))
    }

    async fn on_progress(
        &self,
        _params: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.count("notifications/progress");
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => {
            say(&json!({ "step": "done" }));
            ExitCode::SUCCESS
        }
        Err(error) => {
            say(&json!({ "step": "failed", "error": format!("{error:#}") }));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let (url, plan, mode) = arguments()?;
    let mut config = StreamableHttpClientTransportConfig::with_uri(url);
    if let Ok(token) = std::env::var("PEER_TOKEN") {
        config = config.auth_header(token);
    }
    let (seen, counts) = watch::channel(BTreeMap::new());
    let transport = StreamableHttpClientTransport::from_config(config);
    let client =
        within("connecting", Peer { seen }.serve_with_lifecycle(transport, lifecycle(&mode)?)).await?;
    steps(&client, &plan, counts).await?;
    client.cancel().await.context("closing")?;
    Ok(())
}

async fn steps(
    client: &RunningService<RoleClient, Peer>,
    plan: &Plan,
    mut counts: watch::Receiver<BTreeMap<&'static str, u32>>,
) -> Result<()> {
    let server = client.peer_info().context("the server's description is missing")?;
    let revision = server.protocol_version.as_str().to_owned();
    say(&json!({ "step": "connected", "revision": revision }));
    if let Some(wanted) = &plan.revision {
        ensure!(revision == *wanted, "agreed on {revision}, not on {wanted}");
    }

    let tools: Vec<String> = within("listing the tools", client.list_all_tools())
        .await?
        .into_iter()
        .map(|tool| tool.name.into_owned())
        .collect();
    say(&json!({ "step": "listed", "tools": tools }));

    let text = text_of(&call(client, &plan.call).await?)?;
    ensure!(text.contains(&plan.call.expect), "the result of {} is {text:?}", plan.call.name);
    say(&json!({ "step": "called", "tool": plan.call.name, "text": text }));

    if let Some(step) = &plan.progress {
        text_of(&call(client, step).await?)?;
        // Notifications are handled beside the call, so the last one may still be on its way to the handler.
        within("progress", counts.wait_for(|seen| seen.contains_key("notifications/progress"))).await?;
        say(&json!({ "step": "progress", "tool": step.name }));
    }
    for step in &plan.asks {
        text_of(&call(client, step).await?)?;
        let asked = counts.borrow().contains_key(step.method.as_str());
        ensure!(asked, "{} did not ask {}", step.name, step.method);
        say(&json!({ "step": "asked", "tool": step.name, "method": step.method }));
    }
    if let Some(hidden) = &plan.hidden {
        refused(client, hidden, &tools).await?;
    }
    Ok(())
}

/// Calls a tool that the grant does not reach: it is not listed, and a call by name is refused.
async fn refused(client: &RunningService<RoleClient, Peer>, hidden: &str, tools: &[String]) -> Result<()> {
    ensure!(!tools.iter().any(|tool| tool == hidden), "{hidden} is outside the grant, but listed");
    let params = CallToolRequestParams::new(hidden.to_owned()).with_arguments(JsonObject::new());
    let result = within("calling the hidden tool", client.call_tool(params)).await?;
    let text = text(&result);
    let denied = result.is_error == Some(true) && text.starts_with("[denied]");
    ensure!(denied, "{hidden} was not refused: {text:?}");
    say(&json!({ "step": "refused", "tool": hidden, "text": text }));
    Ok(())
}

async fn call(client: &RunningService<RoleClient, Peer>, step: &Step) -> Result<CallToolResult> {
    let params = CallToolRequestParams::new(step.name.clone()).with_arguments(step.arguments.clone());
    within(&step.name, client.call_tool(params)).await
}

/// The text of a result that must not be an error.
fn text_of(result: &CallToolResult) -> Result<String> {
    let text = text(result);
    ensure!(result.is_error != Some(true), "the tool failed: {text}");
    Ok(text)
}

fn text(result: &CallToolResult) -> String {
    let parts = result.content.iter().filter_map(|part| part.as_text());
    parts.map(|part| part.text.as_str()).collect::<Vec<_>>().join("\n")
}

async fn within<T, E>(step: &str, work: impl Future<Output = Result<T, E>>) -> Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let done = tokio::time::timeout(STEP_TIMEOUT, work).await;
    done.with_context(|| format!("{step}: no answer in time"))?.with_context(|| format!("{step} failed"))
}

/// `legacy` is the handshake, `auto` probes first, a date is that modern revision and no other.
fn lifecycle(mode: &str) -> Result<ClientLifecycleMode> {
    let modern = ProtocolVersion::V_2026_07_28;
    match mode {
        "legacy" => Ok(ClientLifecycleMode::Initialize),
        "auto" => Ok(ClientLifecycleMode::Auto { preferred_versions: vec![modern], legacy_version: None }),
        date if date == modern.as_str() => {
            Ok(ClientLifecycleMode::Discover { preferred_versions: vec![modern] })
        }
        other => bail!("--mode is legacy, auto or {}, not {other}", modern.as_str()),
    }
}

fn arguments() -> Result<(String, Plan, String)> {
    let (mut url, mut plan, mut mode) = (None, None, "legacy".to_owned());
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--url" => url = Some(value),
            "--plan" => plan = Some(serde_json::from_str(&value).context("--plan is not a plan")?),
            "--mode" => mode = value,
            _ => bail!("unknown argument {name}"),
        }
    }
    Ok((url.context("--url is missing")?, plan.context("--plan is missing")?, mode))
}

fn say(line: &Value) {
    println!("{line}");
}
