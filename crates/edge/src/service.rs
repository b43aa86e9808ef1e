//! The edge as a service: one request in, one answer out.
//!
//! ```text
//!  host, origin ─► path ─► token → claim ─► slot ─► body ─► strict reading ─► session ─► call (a task of its own)
//!  └────────────── a refusal here is counted, not recorded ───────────────────────────┘    decide, record, forward
//! ```
//!
//! Everything before the call is cheap and bounded and touches no disk. The connection only waits for the call, so that
//! a client which goes away does not end what its revision says runs on. What must stay true: no call begins without a
//! claim, a strict reading and a slot.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use authority::{
    enforcement::Gate,
    server,
    time::{Boot, Now, Wall},
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Version, header, request};
use http_body::Body;
use keyring::{Keyring, fingerprint::ArgumentFingerprinter, pepper::Pepper};
use mcp::headers::RequestHeaders;
use seams::{SharedClock, SharedEntropy};
use tokio::sync::oneshot;
use upstream::Upstreams;
use wal::Wal;

use crate::{
    answer::Answer,
    authenticate::{Claim, authenticate},
    body, call,
    config::Config,
    facts::Caller,
    host_origin, peer,
    refusal::Refusal,
    relay::Waiting,
    request::{Asked, NotUnderstood, PartKind, collect},
    rescue,
    route::Route,
    session::Session,
    slots::{Slot, Slots},
    socket::Reset,
};

/// What an edge is made of.
pub struct Parts {
    /// Its configuration.
    pub config: Config,
    /// The view, the lease and the calls in flight of this node.
    pub gate: Arc<Gate>,
    /// The log of this node.
    pub wal: Wal,
    /// The way to upstream servers.
    pub upstreams: Upstreams,
    /// The cluster's keys.
    pub keyring: Arc<Keyring>,
    /// The clocks.
    pub clock: SharedClock,
    /// Randomness, for sealing session ids.
    pub entropy: SharedEntropy,
}

/// The data plane of one node. Its listeners are started with [`Edge::serve`].
pub struct Edge {
    pub(crate) config: Config,
    pub(crate) gate: Arc<Gate>,
    pub(crate) wal: Wal,
    pub(crate) upstreams: Upstreams,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pepper: Pepper,
    fingerprinter: ArgumentFingerprinter,
    calls: Arc<Slots>,
    streams: Arc<Slots>,
}

/// What a request's connection says of it.
#[derive(Clone, Debug)]
pub(crate) struct Connected {
    /// The address of the other side.
    pub(crate) peer: IpAddr,
    /// Whether only this machine can reach the listener.
    pub(crate) on_loopback: bool,
    /// Ends the connection with a reset.
    pub(crate) reset: Arc<Reset>,
    /// Set once a request on it carried a grant.
    pub(crate) known: Arc<AtomicBool>,
}

impl Edge {
    /// An edge of these parts.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { config, gate, wal, upstreams, keyring, clock, entropy } = parts;
        Arc::new(Self {
            pepper: keyring.pepper(),
            fingerprinter: keyring.argument_fingerprinter(),
            calls: Slots::new(config.max_calls, config.max_calls_per_grant),
            streams: Slots::new(config.max_streams, config.max_streams_per_grant),
            config,
            gate,
            wal,
            upstreams,
            keyring,
            clock,
            entropy,
        })
    }

    /// Both clocks, read together.
    pub(crate) fn now(&self) -> Now {
        Now { wall: Wall(self.clock.wall_millis()), boot: Boot(self.clock.boot_nanos()) }
    }

    /// Waits until no call and no stream is going on.
    pub(crate) async fn all_calls_ended(&self) {
        self.calls.all_free().await;
        self.streams.all_free().await;
    }

    /// Answers one request.
    pub(crate) async fn respond<B>(self: &Arc<Self>, connected: &Connected, request: Request<B>) -> Answer
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let (head, body) = request.into_parts();
        let peer = peer::of_request(&self.config, connected.peer, &head.headers);
        match self.prepare(connected, peer, &head, body).await {
            Ok((caller, asked, slot)) => {
                // An HTTP/2 connection carries other calls; of it only the stream is reset.
                let alone = head.version < Version::HTTP_2;
                let reset = alone.then(|| Arc::clone(&connected.reset));
                self.call(caller, asked, slot, reset).await
            }
            Err(refusal) => {
                tracing::debug!(code = refusal.code(), %peer, "a request was refused");
                self.wal.refused(refusal.code(), &peer.to_string());
                let answer = rescue::refused(&refusal);
                // Nobody keeps a place who has shown no grant. HTTP/2 has no such header, and the listener a timeout.
                let stays = head.version >= Version::HTTP_2 || connected.known.load(Ordering::SeqCst);
                if stays { answer } else { rescue::closing(answer) }
            }
        }
    }

    /// Everything before the decision.
    async fn prepare<B>(
        &self,
        connected: &Connected,
        peer: IpAddr,
        head: &request::Parts,
        body: B,
    ) -> Result<(Caller, Asked, Slot), Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        host_origin::check(&self.config, connected.on_loopback, &head.uri, &head.headers)?;
        let Route::Server(server) = Route::of(head.uri.path()) else { return Err(Refusal::Nowhere) };
        let claim = self.authenticate(head)?;
        connected.known.store(true, Ordering::SeqCst);
        // Before the body is read, so that the memory for bodies is bounded with the calls.
        let slots = if head.method == Method::GET { &self.streams } else { &self.calls };
        let slot = slots.take(claim.grant)?;
        let mirrors = collect(&head.headers)?;
        let asked = self.read(head, &mirrors, body).await?;
        let session = self.session(&asked, &mirrors, claim, &server)?;
        let user_agent = text_of(&head.headers, &header::USER_AGENT);
        Ok((Caller { claim, server, peer, user_agent, session }, asked, slot))
    }

    fn authenticate(&self, head: &request::Parts) -> Result<Claim, Refusal> {
        let view = self.gate.view().ok_or(Refusal::NoView)?;
        Ok(authenticate(&self.pepper, &view, self.now().wall, &head.uri, &head.headers)?)
    }

    async fn read<B>(
        &self,
        head: &request::Parts,
        mirrors: &RequestHeaders<'_>,
        body: B,
    ) -> Result<Asked, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let kind = match head.method {
            Method::POST => {
                let limit = self.config.max_body_bytes.get();
                let body = body::read(body, limit, self.config.body_timeout).await?;
                return Ok(Asked::post(&self.fingerprinter, &head.headers, mirrors, body)?);
            }
            Method::GET => PartKind::Stream,
            Method::DELETE => PartKind::EndSession,
            _ => return Err(Refusal::Verb { allow: "GET, POST, DELETE" }),
        };
        let revision = mirrors.revision().map_err(NotUnderstood::Revision)?;
        if !revision.has_sessions() {
            return Err(Refusal::Verb { allow: "POST" });
        }
        Ok(Asked::bodyless(&head.headers, mirrors, kind)?)
    }

    /// The session that the request continues. A modern request has none, whatever it sends, and `initialize` opens a
    /// new one: clients have been seen to send the id of one that is over with it.
    fn session(
        &self,
        asked: &Asked,
        mirrors: &RequestHeaders<'_>,
        claim: Claim,
        server: &server::Id,
    ) -> Result<Option<Session>, Refusal> {
        let continues = asked.revision.has_sessions() && !asked.initializes();
        let Some(id) = mirrors.session_id.filter(|_| continues) else { return Ok(None) };
        let now = self.now().wall;
        Ok(Some(Session::open(&self.keyring, id, claim.grant, server, now)?))
    }

    /// Runs the call in a task of its own and waits for its answer.
    async fn call(
        self: &Arc<Self>,
        caller: Caller,
        asked: Asked,
        slot: Slot,
        reset: Option<Arc<Reset>>,
    ) -> Answer {
        let (answer, answered) = oneshot::channel();
        let edge = Arc::clone(self);
        tokio::spawn(async move {
            call::run(&edge, caller, asked, Waiting { answer, reset }).await;
            drop(slot);
        });
        answered.await.unwrap_or_else(|_| rescue::call_failed())
    }
}

fn text_of(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
