//! `portcullis audit`: the record of every call and every change.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    str::FromStr,
};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use keyring::signing::VerifyingKey;
use ledger::store::{Store, VERIFIER};
use serde_json::{Value, json};
use wire::pb::audit::v1::{
    self as api, AuditFilter, StartPosition, audit_service_client::AuditServiceClient,
    subscribe_request::Start,
};

use super::{
    Global, Output,
    audit_entry::{COLUMNS, line, shown},
    connection, output,
};

/// How many entries one page fetches.
const PAGE: i32 = 1_000;

/// The verbs.
#[derive(Subcommand)]
pub enum Command {
    /// List what happened, oldest first. What the archive does not hold yet is marked.
    List {
        /// How many of the newest entries; 0 for all.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[command(flatten)]
        filter: Filter,
    },
    /// Show the newest entries, and with --follow what comes, as it comes.
    Tail {
        /// Go on with what comes, until Ctrl-C.
        #[arg(short, long)]
        follow: bool,
        #[command(flatten)]
        filter: Filter,
    },
    /// Verify an archive from its files and the public key alone; no gateway is asked.
    Verify {
        /// The archive's directory.
        #[arg(long)]
        archive: PathBuf,
        /// The file of the public key. By default the archive's own, which shows damage but not forgery: for that, use a copy
        /// that was kept elsewhere.
        #[arg(long)]
        public_key: Option<PathBuf>,
    },
}

/// Which entries are wanted.
#[derive(Args)]
pub struct Filter {
    /// Only those of this principal and of agents it owns.
    #[arg(long)]
    principal: Option<String>,
    /// Only those under this grant.
    #[arg(long)]
    grant: Option<String>,
    /// Only those about this server.
    #[arg(long)]
    server: Option<String>,
    /// Only those about this tool, prompt or resource.
    #[arg(long)]
    target: Option<String>,
}

/// Runs a verb.
pub async fn run(command: Command, global: &Global) -> Result<()> {
    match command {
        Command::List { limit, filter } => print(&newest(limit, &filter, global).await?, global.output),
        Command::Tail { follow: false, filter } => print(&newest(10, &filter, global).await?, global.output),
        Command::Tail { follow: true, filter } => follow(&filter, global).await,
        Command::Verify { archive, public_key } => {
            verify(&archive, public_key.as_deref(), global.output).await
        }
    }
}

/// The newest `limit` entries that match, or all of them.
async fn newest(limit: usize, filter: &Filter, global: &Global) -> Result<Vec<Value>> {
    let mut client = AuditServiceClient::new(connection::open(global).await?);
    let mut request =
        api::ListRequest { filter: Some(filter.wanted()), page_size: PAGE, ..Default::default() };
    if let Ok(few @ 1..=PAGE) = i32::try_from(limit) {
        (request.page_size, request.newest) = (few, true);
        let page = client.list(request).await?.into_inner();
        return Ok(page.entries.iter().map(shown).collect());
    }
    let mut entries = VecDeque::new();
    loop {
        let page = client.list(request.clone()).await?.into_inner();
        entries.extend(page.entries.iter().map(shown));
        while limit > 0 && entries.len() > limit {
            entries.pop_front();
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(entries.into());
        }
    }
}

async fn follow(filter: &Filter, global: &Global) -> Result<()> {
    let mut client = AuditServiceClient::new(connection::open_for_stream(global).await?);
    let request = api::SubscribeRequest {
        filter: Some(filter.wanted()),
        start: Some(Start::Position(StartPosition::Latest.into())),
        heartbeat_interval: None,
    };
    let mut stream = client.subscribe(request).await?.into_inner();
    eprintln!("Following; Ctrl-C ends it.");
    while let Some(message) = stream.message().await? {
        for entry in &message.entries {
            match global.output {
                Output::Table | Output::Token => println!("{}", line(entry)),
                Output::Json | Output::Jsonl | Output::Yaml => println!("{}", shown(entry)),
            }
        }
    }
    bail!("the gateway ended the stream; run the command again to go on")
}

fn print(entries: &[Value], output: Output) -> Result<()> {
    output::list(entries, &COLUMNS, output)
}

async fn verify(archive: &Path, public_key: Option<&Path>, output: Output) -> Result<()> {
    let own = archive.join(VERIFIER);
    let path = public_key.unwrap_or(&own);
    let text = std::fs::read_to_string(path).with_context(|| {
        format!("cannot read the public key {}; name it with --public-key", path.display())
    })?;
    let key = VerifyingKey::from_str(text.trim())
        .with_context(|| format!("{} is no public key", path.display()))?;
    let report = ledger::verify(&Store::open(archive)?, &key, None)
        .await
        .with_context(|| format!("the archive {} does not verify", archive.display()))?;
    let root: String = report.root.iter().map(|byte| format!("{byte:02x}")).collect();
    let object = json!({
        "verified": true, "heads": report.height, "leaves": report.size, "events": report.events,
        "records": report.records, "edges": report.edges, "root": root, "ignored": report.ignored,
    });
    let columns = [
        ("verified", "verified"),
        ("leaves", "leaves"),
        ("events", "events"),
        ("records", "records"),
        ("root", "root"),
    ];
    output::object(&object, &columns, output)
}

impl Filter {
    fn wanted(&self) -> AuditFilter {
        let named = |kind: &str, name: &Option<String>| {
            name.as_ref().map(|name| format!("{kind}/{name}")).unwrap_or_default()
        };
        AuditFilter {
            principal: named("principals", &self.principal),
            grant: named("grants", &self.grant),
            server: named("servers", &self.server),
            target: self.target.clone().unwrap_or_default(),
            ..AuditFilter::default()
        }
    }
}
