//! Reading the record: listing and following. Everything comes from the ledger's reader, which joins the archive with
//! what it does not hold yet; here it is filtered, given its form, and handed out within bounds.
//!
//! Left out are the entries that say nothing of their own: the archive's own books, and the answer to a command that
//! made a change, because the change stands beside it. A rejected command, and one that found nothing to do, are in.
//! What must stay true: no entry holds a sealed field (ciphertext, token hash), and a cursor never skips an entry.

mod entry;
mod filter;
mod following;
mod holders;

use std::{pin::Pin, sync::Arc};

use ledger::{
    cursor::Cursor,
    reader::{Page, Query},
};
use prost::Message;
use tokio::sync::{Semaphore, watch};
use tokio_stream::Stream;
use tonic::{Request, Response, Status};
use wire::pb::audit::v1::{self as pb, audit_service_server::AuditService, subscribe_request::Start};

use self::{
    entry::entry,
    filter::Filter,
    following::{Following, Subscription, heartbeat},
    holders::Holders,
};
use crate::{
    authenticate::{Authenticator, Caller},
    paging::{self, MAX_PAGE_BYTES},
    parse::{self, Why},
    parts::Parts,
    status,
};

/// The most subscriptions at once: each holds some hundred entries, and reads by itself.
const MAX_SUBSCRIPTIONS: usize = 32;

/// The service.
pub(crate) struct Audit {
    parts: Parts,
    authenticator: Arc<Authenticator>,
    stopping: watch::Receiver<bool>,
    places: Arc<Semaphore>,
}

impl Audit {
    pub(crate) fn new(
        parts: &Parts,
        authenticator: Arc<Authenticator>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let places = Arc::new(Semaphore::new(MAX_SUBSCRIPTIONS));
        Self { parts: parts.clone(), authenticator, stopping, places }
    }
}

#[tonic::async_trait]
impl AuditService for Audit {
    type SubscribeStream = Pin<Box<dyn Stream<Item = Result<pb::SubscribeResponse, Status>> + Send>>;

    async fn list(&self, request: Request<pb::ListRequest>) -> Result<Response<pb::ListResponse>, Status> {
        let message = request.into_inner();
        let filter = Filter::parse(message.filter.unwrap_or_default())?;
        if message.newest && !message.page_token.is_empty() {
            return Err(Why::Conflict { other: "newest" }.of("page_token").into());
        }
        let query = Query {
            after: cursor("page_token", &message.page_token)?,
            limit: Some(paging::size(message.page_size)),
            newest: message.newest,
        };
        let holders = Holders::of(&self.parts.gate);
        let page = self.parts.audit.read(&query, |read| filter.picks(read, &holders)).await;
        let page = page.map_err(|error| status::not_listed(&error))?;
        let revision = self.parts.gate.view().map(|view| view.revision().0);
        let (entries, next_page_token) = if query.newest {
            (last_that_fit(&page, &holders), String::new())
        } else {
            first_that_fit(&page, &holders)
        };
        Ok(Response::new(pb::ListResponse {
            entries,
            next_page_token,
            revision: revision.unwrap_or_default(),
        }))
    }

    async fn subscribe(
        &self,
        request: Request<pb::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let (caller, message) = Caller::of(request)?;
        let filter = Filter::parse(message.filter.unwrap_or_default())?;
        let heartbeat = heartbeat(message.heartbeat_interval.as_ref())?;
        let at = match message.start {
            Some(Start::Cursor(text)) => cursor("cursor", &text)?,
            Some(Start::Position(position)) if position == pb::StartPosition::Earliest as i32 => {
                Cursor::start()
            }
            Some(Start::Position(_)) | None => {
                self.parts.audit.end().map_err(|error| status::not_listed(&error))?
            }
        };
        let place =
            Arc::clone(&self.places).try_acquire_owned().map_err(|_| status::too_many_subscriptions())?;
        let subscription = Subscription {
            reader: self.parts.audit.clone(),
            gate: Arc::clone(&self.parts.gate),
            clock: Arc::clone(&self.parts.clock),
            authenticator: Arc::clone(&self.authenticator),
            caller,
            filter,
            heartbeat,
            stopping: self.stopping.clone(),
            _place: place,
        };
        Ok(Response::new(Box::pin(Following::start(subscription, at))))
    }
}

/// The entries of a page in their forms.
fn forms(page: &Page, holders: &Holders) -> impl DoubleEndedIterator<Item = pb::AuditEntry> {
    page.entries.iter().filter_map(|(read, cursor)| entry(read, cursor, holders))
}

/// The entries from the front that fit into one answer, and the token that goes on after them.
fn first_that_fit(page: &Page, holders: &Holders) -> (Vec<pb::AuditEntry>, String) {
    let mut bytes = 0;
    let mut entries: Vec<pb::AuditEntry> = Vec::new();
    for found in forms(page, holders) {
        bytes += found.encoded_len();
        match entries.last() {
            Some(last) if bytes > MAX_PAGE_BYTES => {
                let next = last.cursor.clone();
                return (entries, next);
            }
            _ => entries.push(found),
        }
    }
    (entries, if page.is_last { String::new() } else { page.next.to_string() })
}

/// The entries from the back that fit into one answer, oldest first.
fn last_that_fit(page: &Page, holders: &Holders) -> Vec<pb::AuditEntry> {
    let mut bytes = 0;
    let within = |found: &pb::AuditEntry| {
        bytes += found.encoded_len();
        bytes <= MAX_PAGE_BYTES
    };
    let mut entries: Vec<_> = forms(page, holders).rev().take_while(within).collect();
    entries.reverse();
    entries
}

/// Where to go on; from the beginning if nothing is said.
fn cursor(field: &'static str, text: &str) -> Result<Cursor, parse::Invalid> {
    if text.is_empty() {
        return Ok(Cursor::start());
    }
    text.parse().map_err(|error| Why::Cursor(error).of(field))
}
