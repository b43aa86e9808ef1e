//! `portcullis audit`: the record of every call and every change. Listing and following ask the gateway; verifying asks
//! nobody and needs only files.

mod entry;
mod verify;

use std::{
    collections::{HashSet, VecDeque},
    path::PathBuf,
};

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use prost_types::Timestamp;
use seams::{Clock, SystemClock};
use serde_json::Value;
use wire::pb::audit::v1::{
    self as api, AuditEntry, AuditFilter, AuditKind, StartPosition, audit_service_client::AuditServiceClient,
    subscribe_request::Start,
};

use self::entry::{COLUMNS, line, row, shown};
use super::{
    Global, Output,
    connection::{self, Connection},
    failure::{self, StreamEnded, Usage},
    instant, output,
};

/// How many entries one page fetches.
const PAGE: i32 = 1_000;

/// How many of the newest entries `tail` begins with.
const TAIL: usize = 10;

/// The verbs.
#[derive(Subcommand)]
pub enum Command {
    /// List what happened, oldest first. What the archive does not hold yet is marked.
    List {
        /// How many of the newest entries; 0 for all.
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
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
        #[arg(long, value_name = "DIR")]
        archive: PathBuf,
        /// The file of the public key. By default the archive's own, which shows damage but not forgery: for that, use
        /// a copy that was kept elsewhere.
        #[arg(long, value_name = "FILE")]
        public_key: Option<PathBuf>,
        /// A checkpoint (a file of the archive's folder `checkpoints`) that was kept elsewhere. The archive has to hold what it
        /// vouches for, so entries that were taken off its end are missed.
        #[arg(long)]
        checkpoint: Option<PathBuf>,
    },
}

/// Which entries are wanted. All that is said must match.
#[derive(Args, Default)]
pub struct Filter {
    /// Only those of this kind; may be given more than once.
    #[arg(long = "kind", value_enum)]
    kinds: Vec<Kind>,
    /// Only those of this principal and of agents it owns.
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,
    /// Only those under this grant, or one made from it.
    #[arg(long)]
    grant: Option<String>,
    /// Only those about this server.
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Only those about this tool, prompt or resource.
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Only those of the last while, for example 1h or 7d.
    #[arg(long, value_name = "LENGTH")]
    since: Option<String>,
}

/// What an entry tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A call that was allowed and is about to be sent.
    Intent,
    /// How an allowed call ended.
    Outcome,
    /// A call that was refused.
    Denied,
    /// Requests that were refused before a grant was known.
    Refusals,
    /// A start of a node.
    EpochStarted,
    /// A change of principals, servers, credentials, grants or operators.
    Change,
}

/// Runs a verb.
pub async fn run(command: Command, global: &Global) -> Result<()> {
    match command {
        Command::List { limit, filter } => list(limit, &filter.wanted(now())?, global).await,
        Command::Tail { follow: false, filter } => list(TAIL, &filter.wanted(now())?, global).await,
        Command::Tail { follow: true, filter } => follow(&filter.wanted(now())?, global).await,
        Command::Verify { archive, public_key, checkpoint } => {
            verify::run(&archive, public_key.as_deref(), checkpoint.as_deref(), global.output).await
        }
    }
}

async fn list(limit: usize, wanted: &AuditFilter, global: &Global) -> Result<()> {
    let mut client = AuditServiceClient::new(connection::open(global).await?);
    if limit == 0 && global.output == Output::Jsonl {
        return print_all(&mut client, wanted).await;
    }
    let form = if global.output == Output::Table { row } else { shown };
    let entries: Vec<Value> = newest(&mut client, limit, wanted).await?.iter().map(form).collect();
    output::list(&entries, &COLUMNS, global.output)
}

/// Prints the whole record page by page, so that its length does not matter.
async fn print_all(client: &mut AuditServiceClient<Connection>, wanted: &AuditFilter) -> Result<()> {
    let mut request =
        api::ListRequest { filter: Some(wanted.clone()), page_size: PAGE, ..Default::default() };
    loop {
        let page = client.list(request.clone()).await?.into_inner();
        for entry in &page.entries {
            output::print(&ledger::json::line(&shown(entry)))?;
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(());
        }
    }
}

/// The newest `limit` entries that match, or all of them for 0.
async fn newest(
    client: &mut AuditServiceClient<Connection>,
    limit: usize,
    wanted: &AuditFilter,
) -> Result<VecDeque<AuditEntry>> {
    let mut request =
        api::ListRequest { filter: Some(wanted.clone()), page_size: PAGE, ..Default::default() };
    if let Ok(few @ 1..=PAGE) = i32::try_from(limit) {
        (request.page_size, request.newest) = (few, true);
        return Ok(client.list(request).await?.into_inner().entries.into());
    }
    let mut entries = VecDeque::new();
    loop {
        let page = client.list(request.clone()).await?.into_inner();
        entries.extend(page.entries);
        while limit > 0 && entries.len() > limit {
            entries.pop_front();
        }
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(entries);
        }
    }
}

/// Shows the newest entries and then what comes. The subscription is opened first, so that nothing falls between the
/// two; what both have is shown once.
async fn follow(wanted: &AuditFilter, global: &Global) -> Result<()> {
    let print = |entry: &AuditEntry| match global.output {
        Output::Table => output::print(&line(entry)),
        Output::Json | Output::Jsonl => output::print(&ledger::json::line(&shown(entry))),
        Output::Yaml | Output::Token => {
            Err(Usage::of("what comes is followed as a table or as jsonl").into())
        }
    };
    let mut client = AuditServiceClient::new(connection::open_for_stream(global).await?);
    let request = api::SubscribeRequest {
        filter: Some(wanted.clone()),
        start: Some(Start::Position(StartPosition::Latest.into())),
        heartbeat_interval: None,
    };
    let mut stream = client.subscribe(request).await?.into_inner();
    let mut seen = HashSet::new();
    for entry in newest(&mut client, TAIL, wanted).await? {
        print(&entry)?;
        seen.insert(entry.id);
    }
    eprintln!("Following; Ctrl-C ends it.");
    while let Some(message) = stream.message().await.map_err(failure::of_stream)? {
        for entry in &message.entries {
            if !seen.remove(&entry.id) {
                print(entry)?;
            }
        }
    }
    Err(StreamEnded.into())
}

fn now() -> u64 {
    SystemClock.wall_millis()
}

impl Filter {
    fn wanted(&self, now_millis: u64) -> Result<AuditFilter> {
        let named = |kind: &str, name: &Option<String>| {
            let name = name.as_deref().map(|name| name.rsplit('/').next().unwrap_or(name));
            name.map(|name| format!("{kind}/{name}")).unwrap_or_default()
        };
        let since = self.since.as_deref().map(|since| before(now_millis, since)).transpose()?;
        Ok(AuditFilter {
            kinds: self.kinds.iter().map(|kind| AuditKind::from(*kind).into()).collect(),
            principal: named("principals", &self.principal),
            grant: named("grants", &self.grant),
            server: named("servers", &self.server),
            target: self.target.clone().unwrap_or_default(),
            start_time: since,
            end_time: None,
        })
    }
}

/// The time that lies this long before `now_millis`; at the earliest 1970, before which nothing was recorded.
fn before(now_millis: u64, length: &str) -> Result<Timestamp> {
    let length = instant::duration(length)?;
    let seconds = i64::try_from(now_millis / 1_000)?.saturating_sub(length.seconds).max(0);
    Ok(Timestamp { seconds, nanos: 0 })
}

impl From<Kind> for AuditKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Intent => Self::CallIntent,
            Kind::Outcome => Self::CallOutcome,
            Kind::Denied => Self::CallDenied,
            Kind::Refusals => Self::Refusals,
            Kind::EpochStarted => Self::EpochStarted,
            Kind::Change => Self::Change,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_resources_whichever_way_they_are_written() {
        let filter = Filter {
            kinds: vec![Kind::Denied],
            principal: Some("ana".to_owned()),
            grant: Some("grants/gr_x".to_owned()),
            since: Some("1h".to_owned()),
            ..Filter::default()
        };
        let expected = AuditFilter {
            kinds: vec![AuditKind::CallDenied.into()],
            principal: "principals/ana".to_owned(),
            grant: "grants/gr_x".to_owned(),
            start_time: Some(Timestamp { seconds: 6_400, nanos: 0 }),
            ..AuditFilter::default()
        };
        assert_eq!(filter.wanted(10_000_000).expect("a filter"), expected);
        assert_eq!(Filter::default().wanted(0).expect("a filter"), AuditFilter::default());
    }

    #[test]
    fn what_happened_before_1970_begins_in_1970() {
        assert_eq!(before(1_000, "7d").expect("a time"), Timestamp { seconds: 0, nanos: 0 });
        assert!(before(1_000, "a while").is_err());
    }
}
