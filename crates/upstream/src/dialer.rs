//! The one way to a TCP connection: resolve, judge every address, connect to a judged one.
//!
//! It reads no proxy variables and knows no redirects. What must stay true: the address that is connected is one that
//! was judged in this very attempt, so nothing a name answers later can move it (FAULTS D13).

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use authority::server::Origin;
use rustix::net::sockopt;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    address_guard::{AddressGuard, AddressRefused, EndpointRefused},
    config::Timeouts,
};

/// The most addresses of one name that are looked at: more than any server has, few enough to judge at once.
const MAX_ADDRESSES: usize = 16;

/// The most addresses that are tried, so that each gets a fair part of the time.
const MAX_TRIED: usize = 3;

/// When a silent connection is asked whether its peer is still there; below the idle limits of most firewalls.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// Between two such questions.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// How many go unanswered before the connection counts as lost.
const KEEPALIVE_PROBES: u32 = 3;

/// The addresses of a name, or why there are none.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>>;

/// Turns a host into addresses. What it answers is judged, so it need not be trusted.
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `host`, at `port`.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a>;
}

/// The resolver of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

/// Makes connections.
pub(crate) struct Dialer {
    guard: AddressGuard,
    resolver: Arc<dyn Resolve>,
    timeouts: Timeouts,
}

/// Why there is no connection. Names no path and no query, which may hold what is secret.
#[derive(Debug, thiserror::Error)]
pub enum DialFailed {
    /// The origin is one that no address can make good.
    #[error(transparent)]
    Origin(#[from] EndpointRefused),
    /// The name does not resolve.
    #[error("the host name does not resolve")]
    NotResolved(#[source] io::Error),
    /// The resolver did not answer in time.
    #[error("the host name did not resolve within {} s", .0.as_secs())]
    ResolveTimedOut(Duration),
    /// The name has no address.
    #[error("the host name has no address")]
    NoAddress,
    /// No address of the name may be dialled; this is the verdict on the first.
    #[error("no address of the host may be dialled")]
    Refused(#[source] AddressRefused),
    /// No address answers; this is what the last said.
    #[error("the host does not accept connections")]
    NotConnected(#[source] io::Error),
    /// The last one did not answer in time.
    #[error("the host did not accept a connection within {} s", .0.as_secs())]
    ConnectTimedOut(Duration),
}

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> Resolving<'a> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

impl Dialer {
    pub(crate) fn new(guard: AddressGuard, resolver: Arc<dyn Resolve>, timeouts: Timeouts) -> Self {
        Self { guard, resolver, timeouts }
    }

    pub(crate) fn guard(&self) -> &AddressGuard {
        &self.guard
    }

    /// A fresh connection to `origin`, before any TLS.
    pub(crate) async fn dial(&self, origin: &Origin) -> Result<TcpStream, DialFailed> {
        self.guard.check_origin(origin)?;
        let addresses = self.judged(origin, self.resolved(origin).await?)?;
        self.connect_to_first(&addresses).await
    }

    /// Each address gets its part of the time, so that one that swallows packets does not use up that of the others.
    async fn connect_to_first(&self, addresses: &[SocketAddr]) -> Result<TcpStream, DialFailed> {
        let tried = &addresses[..addresses.len().min(MAX_TRIED)];
        let part = self.timeouts.connect / u32::try_from(tried.len()).expect("there are few").max(1);
        let mut last = DialFailed::NoAddress;
        for address in tried {
            match timeout(part, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return prepared(stream).map_err(DialFailed::NotConnected),
                Ok(Err(error)) => last = DialFailed::NotConnected(error),
                Err(_) => last = DialFailed::ConnectTimedOut(part),
            }
        }
        Err(last)
    }

    async fn resolved(&self, origin: &Origin) -> Result<Vec<SocketAddr>, DialFailed> {
        let (host, port) = (origin.host(), origin.port());
        if let Ok(ip) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let limit = self.timeouts.resolve;
        match timeout(limit, self.resolver.resolve(host, port)).await {
            Ok(addresses) => addresses.map_err(DialFailed::NotResolved),
            Err(_) => Err(DialFailed::ResolveTimedOut(limit)),
        }
    }

    /// The addresses that may be dialled. One that may not be does not spoil the others: `localhost` is two
    /// addresses on most machines.
    fn judged(&self, origin: &Origin, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, DialFailed> {
        let mut refused = None;
        let mut allowed = Vec::new();
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            // A resolver may answer with a port of its own; the origin's is the one the credential is bound to.
            let address = SocketAddr::new(address.ip(), origin.port());
            match self.guard.judge(address, origin.is_tls()) {
                Ok(()) => allowed.push(address),
                Err(verdict) => refused = refused.or(Some(verdict)),
            }
        }
        match refused {
            _ if !allowed.is_empty() => Ok(allowed),
            Some(verdict) => Err(DialFailed::Refused(verdict)),
            None => Err(DialFailed::NoAddress),
        }
    }
}

fn prepared(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    sockopt::set_socket_keepalive(&stream, true)?;
    sockopt::set_tcp_keepidle(&stream, KEEPALIVE_IDLE)?;
    sockopt::set_tcp_keepintvl(&stream, KEEPALIVE_INTERVAL)?;
    sockopt::set_tcp_keepcnt(&stream, KEEPALIVE_PROBES)?;
    Ok(stream)
}
