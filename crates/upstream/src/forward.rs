//! The path of one call to its upstream server, from the permit to the head of the answer.
//!
//! ```text
//!   attach ─► idle connection? ─► send ─┬─► answer ─► read the head ─► Reply
//!                │ none, or stale and   │
//!                ▼ nothing was written  │
//!              connect ──────► send ────┘
//! ```
//!
//! What must stay true: only [`Upstreams::forward`] sends, it takes a [`RecordedPermit`] and uses it up; the request
//! goes to the server that the permit names and to no other place, whatever that server answers; and a request is sent
//! again only when not a byte of it left before.

use std::{
    future::Future,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use authority::{
    Permit, RecordedPermit,
    enforcement::{CallMark, Cut, CutReason, Gate},
    server::Endpoint,
    time::Boot,
};
use http::{Response, StatusCode};
use hyper::body::{Body, Incoming};
use keyring::Keyring;
use seams::{
    SharedClock,
    plant::{Plant, is_planted},
};
use tokio::time::timeout;

use crate::{
    address_guard::{AddressGuard, EndpointRefused},
    config::Config,
    connection::{ConnectFailed, Connection, Connector},
    credential::{Attached, Credentials},
    dialer::{Dialer, Resolve, SystemResolver},
    echo_alert::EchoAlert,
    forward_failed::{ForwardFailed, Sent},
    outbound::Outbound,
    pool::{Key, Pool},
    redactor::Redactor,
    reply::{Reply, ReplyKind, Report},
    reply_body::{Bound, Course, Lender, ReplyBody},
    request_headers, response_headers,
    tls::{self, RootsRefused},
    until_cut::until_cut,
};

/// The upstream servers, as this node reaches them. Cheap to clone; all clones share connections and secrets.
#[derive(Clone)]
pub struct Upstreams {
    inner: Arc<Inner>,
}

struct Inner {
    connector: Connector,
    pool: Arc<Pool>,
    credentials: Credentials,
}

/// One call while its request is sent.
struct Sending<'call> {
    inner: &'call Inner,
    permit: &'call Permit,
    outbound: &'call Outbound,
    attached: Option<&'call Attached>,
}

impl Upstreams {
    /// Upstream servers under `gate`, with the resolver of the operating system.
    ///
    /// # Errors
    /// The configured certificate authorities cannot be used.
    pub fn new(
        config: Config,
        gate: Arc<Gate>,
        keyring: Arc<Keyring>,
        clock: SharedClock,
    ) -> Result<Self, RootsRefused> {
        Self::with_resolver(config, gate, keyring, clock, Arc::new(SystemResolver))
    }

    /// As [`Upstreams::new`], with another resolver. What it answers is judged like anybody's.
    ///
    /// # Errors
    /// The configured certificate authorities cannot be used.
    pub fn with_resolver(
        config: Config,
        gate: Arc<Gate>,
        keyring: Arc<Keyring>,
        clock: SharedClock,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, RootsRefused> {
        let Config { private_networks, extra_roots_pem, timeouts, bounds } = config;
        let dialer = Dialer::new(AddressGuard::new(private_networks), resolver, timeouts);
        let pool = Pool::new(Arc::clone(&clock), timeouts, bounds);
        let tls = tls::client_config(&extra_roots_pem)?;
        let connector = Connector { dialer, tls, gate, clock, timeouts, bounds };
        let credentials = Credentials::new(keyring);
        Ok(Self { inner: Arc::new(Inner { connector, pool, credentials }) })
    }

    /// What can be said against a URL before it is resolved, for whoever adds a server.
    ///
    /// # Errors
    /// No call to it could be made from this node.
    pub fn check_endpoint(&self, endpoint: &Endpoint) -> Result<(), EndpointRefused> {
        self.inner.connector.dialer.guard().check_endpoint(endpoint)
    }

    /// Forgets every opened secret and closes every idle connection: for the loss of the lease. Calls in flight are
    /// not touched; cutting them is the gate's.
    pub fn wipe(&self) {
        self.inner.credentials.wipe();
        self.inner.pool.clear();
    }

    /// Sends the call that `permit` allows, and answers when the head of its answer is there. Dropping the future
    /// aborts the call.
    ///
    /// The caller keeps the call registered in flight until this has failed or the body of the reply has ended or was
    /// dropped: a call that has left the table is cut by nobody.
    ///
    /// # Errors
    /// [`ForwardFailed`], which also says whether the upstream may have seen the request.
    pub async fn forward(&self, permit: RecordedPermit, outbound: Outbound) -> Result<Reply, ForwardFailed> {
        let (inner, permit) = (&*self.inner, permit.permit());
        let now = Boot(inner.connector.clock.boot_nanos());
        if !inner.connector.gate.lease().covers(now) {
            return Err(cut(permit.mark(), Sent::Nothing));
        }
        let attached = inner.credentials.attach(permit)?;
        let sending = Sending { inner, permit, outbound: &outbound, attached: attached.as_deref() };
        let key = sending.key();
        let (connection, response) = sending.exchange(&key).await?;
        let lender = Lender { connection, pool: Arc::clone(&inner.pool), key };
        sending.reply(response, lender)
    }
}

impl Sending<'_> {
    fn key(&self) -> Key {
        let server = self.permit.server();
        Key {
            server: server.id.clone(),
            origin: server.endpoint.origin.clone(),
            secret: self.attached.map(|attached| attached.number),
            principal: self.permit.principal().clone(),
        }
    }

    async fn exchange(&self, key: &Key) -> Result<(Connection, Response<Incoming>), ForwardFailed> {
        let mark = self.permit.mark();
        let idle = until_cut(mark, self.inner.pool.take(key, mark)).await;
        if let Some(connection) = idle.map_err(|Cut| cut(mark, Sent::Nothing))? {
            match self.send(connection).await {
                // The server had closed it while it waited. A server that closes fresh ones as well is not asked again.
                Err(ForwardFailed::Lost { sent: Sent::Nothing, .. }) => {}
                answered => return answered,
            }
        }
        self.send(self.connect().await?).await
    }

    async fn connect(&self) -> Result<Connection, ForwardFailed> {
        let mark = self.permit.mark();
        let origin = &self.permit.server().endpoint.origin;
        // Boxed, because it is large and most calls need none.
        let connecting = Box::pin(self.inner.connector.connect(origin, mark));
        match until_cut(mark, connecting).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(ConnectFailed::Cut)) | Err(Cut) => Err(cut(mark, Sent::Nothing)),
            Ok(Err(failed)) => Err(ForwardFailed::NotConnected(failed)),
        }
    }

    async fn send(
        &self,
        mut connection: Connection,
    ) -> Result<(Connection, Response<Incoming>), ForwardFailed> {
        let (mark, slot) = (self.permit.mark(), Arc::clone(&connection.slot));
        let endpoint = &self.permit.server().endpoint;
        let mut request = request_headers::request(endpoint, self.outbound, self.attached, &slot)?;
        let interim = Arc::clone(&slot);
        hyper::ext::on_informational(&mut request, move |_| interim.note_interim());
        let limit = self.inner.connector.timeouts.head;
        let handshake = slot.written();
        let answered = self.answer(limit, connection.sender.send_request(request)).await;
        let sent = || if slot.written() > handshake { Sent::Perhaps } else { Sent::Nothing };
        match answered {
            Ok(Some(Ok(response))) => {
                slot.note_head();
                Ok((connection, response))
            }
            Err(Cut) => {
                // A write that was entered before the cut may just be returning.
                mark.wait_for_writes();
                Err(cut(mark, sent()))
            }
            Ok(Some(Err(_))) if slot.was_refused() => Err(cut(mark, sent())),
            Ok(Some(Err(source))) => {
                Err(slot.head_refused().map_or_else(|| lost(sent(), source), ForwardFailed::HeadRefused))
            }
            Ok(None) => Err(ForwardFailed::HeadTimedOut(limit)),
        }
    }

    /// The outcome of `work`, or nothing after `limit`, unless the call is cut first.
    async fn answer<F: Future>(&self, limit: Duration, work: F) -> Result<Option<F::Output>, Cut> {
        until_cut(self.permit.mark(), async { timeout(limit, work).await.ok() }).await
    }

    /// Reads the head. A head that is not passed on aborts the connection, which `lender` holds.
    fn reply(&self, response: Response<Incoming>, lender: Lender) -> Result<Reply, ForwardFailed> {
        let (head, incoming) = response.into_parts();
        let status = passable(head.status)?;
        let forms = self.attached.map(|attached| &attached.forms);
        let read = response_headers::read(&head.headers, forms.map(|forms| &**forms))?;
        let Connector { bounds, timeouts, clock, .. } = &self.inner.connector;
        let (kind, bound) = match read.kind {
            _ if incoming.is_end_stream() => (ReplyKind::Empty, Bound::whole(bounds, timeouts)),
            ReplyKind::EventStream => (ReplyKind::EventStream, Bound::stream(bounds, timeouts)),
            kind => (kind, Bound::whole(bounds, timeouts)),
        };
        let limit = bound.bytes();
        if let Some(announced) = read.length.filter(|announced| *announced > limit) {
            return Err(ForwardFailed::BodyTooLarge { announced, limit });
        }
        let report = Arc::new(Report::default());
        report.request_bytes.store(self.outbound.body.len() as u64, Ordering::Relaxed);
        report.redactions.store(read.redacted, Ordering::Relaxed);
        let course = Course {
            mark: Arc::clone(self.permit.mark()),
            redactor: forms
                .filter(|_| !is_planted(Plant::RedactorOff))
                .map(|forms| Redactor::new(Arc::clone(forms))),
            bound,
            clock: Arc::clone(clock),
            report: Arc::clone(&report),
            alert: self.alert(&report),
        };
        let body = ReplyBody::new(incoming, lender, course);
        let (session, retry_after_seconds) = (read.session, read.retry_after_seconds);
        Ok(Reply { status, kind, session, retry_after_seconds, body, report })
    }

    fn alert(&self, report: &Arc<Report>) -> Option<EchoAlert> {
        let credential = self.permit.credential()?.id.clone();
        Some(EchoAlert { server: self.permit.server().id.clone(), credential, report: Arc::clone(report) })
    }
}

/// The status, unless it is one that means something about the gateway and not about the call.
fn passable(status: StatusCode) -> Result<StatusCode, ForwardFailed> {
    match status {
        StatusCode::UNAUTHORIZED => Err(ForwardFailed::Unauthorized),
        StatusCode::FORBIDDEN => Err(ForwardFailed::Forbidden),
        status if status.is_redirection() => Err(ForwardFailed::Redirected(status)),
        status if status.is_informational() => Err(ForwardFailed::Upgraded),
        status => Ok(status),
    }
}

/// A connection that hyper gave up.
fn lost(sent: Sent, source: hyper::Error) -> ForwardFailed {
    if source.is_parse_too_large() {
        ForwardFailed::HeadTooLarge
    } else {
        ForwardFailed::Lost { sent, source }
    }
}

/// A call that may not go on. Without a mark that was cut, it is the lease that has ended.
fn cut(mark: &CallMark, sent: Sent) -> ForwardFailed {
    ForwardFailed::Cut { reason: mark.cut_reason().unwrap_or(CutReason::LeaseExpired), sent }
}
