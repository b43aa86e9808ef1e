//! What an operator may set about the data plane, with its defaults. It is values only: the binary reads them from its
//! file, and nothing here parses text.
//!
//! Every bound of the edge that an installation may have to move is named here; those that no installation should move
//! are constants beside the code that holds them. What must stay true: no default is unbounded, and none opens the
//! listener to a host or an origin that was not named.

use std::{net::IpAddr, num::NonZeroU32, num::NonZeroUsize, time::Duration};

use crate::peer::Cidr;

/// The configuration of the data plane.
#[derive(Clone, Debug)]
pub struct Config {
    /// Hosts that requests may name in `Host`: `host` for any port, or `host:port`. On a loopback listener the names and
    /// addresses of loopback are accepted besides; elsewhere nothing is.
    pub hosts: Vec<String>,
    /// Origins that browsers may send requests from, such as `https://tools.example.com`. On a loopback listener the
    /// origins of loopback are accepted besides.
    pub origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` is believed for the record. From any other peer the header is ignored.
    pub trusted_proxies: Vec<Cidr>,
    /// Bytes of one request body. 4 MiB: what the official servers accept.
    pub max_body_bytes: NonZeroUsize,
    /// Bytes of one answer that has to be read whole before it goes on, which is a page of a list. 8 MiB.
    pub max_page_bytes: NonZeroUsize,
    /// Connections at once. 4,096: below the usual limit of descriptors, with room for as many upstream ones.
    pub max_connections: NonZeroU32,
    /// Connections at once from one address, or from one /64 of IPv6, so that no host can take them all. Trusted proxies,
    /// behind which are many, have no such bound. 512: an office behind one address, with a few for each agent.
    pub max_connections_per_peer: NonZeroU32,
    /// Calls in flight at once, streams not counted. 4,096.
    pub max_calls: NonZeroU32,
    /// Calls in flight at once of one grant. 256: an agent that fans out widely has tens.
    pub max_calls_per_grant: NonZeroU32,
    /// Open GET streams at once. 4,096.
    pub max_streams: NonZeroU32,
    /// Open GET streams at once of one grant. 64: one for each client session.
    pub max_streams_per_grant: NonZeroU32,
    /// How long the head of a request may take from its first byte. 10 s.
    pub head_timeout: Duration,
    /// How long a request's body may take. 30 s.
    pub body_timeout: Duration,
    /// How long a connection may idle between requests. 120 s: longer than load balancers keep theirs, so that they,
    /// and not we, close first.
    pub idle_timeout: Duration,
    /// How long a client may take no byte of what it is being sent before its connection is reset. 60 s.
    pub stall_timeout: Duration,
    /// After how much silence a stream carries a comment. 15 s: the shortest idle limit seen on the way is 60 s.
    pub keep_alive: Duration,
    /// How long a call of an older revision runs on after its client went away. 5 min.
    pub abandoned_call: Duration,
    /// How long a session id is honoured. 7 days; the grant behind it is checked on every request all the same.
    pub session_lifetime: Duration,
    /// How long calls in flight may take to finish once the node shuts down. 10 s.
    pub drain: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            max_body_bytes: nonzero(mcp::limits::MAX_REQUEST_BYTES),
            max_page_bytes: nonzero(mcp::limits::MAX_RESPONSE_BYTES),
            max_connections: count(4_096),
            max_connections_per_peer: count(512),
            max_calls: count(4_096),
            max_calls_per_grant: count(256),
            max_streams: count(4_096),
            max_streams_per_grant: count(64),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(120),
            stall_timeout: Duration::from_secs(60),
            keep_alive: Duration::from_secs(15),
            abandoned_call: Duration::from_secs(300),
            session_lifetime: Duration::from_secs(7 * 24 * 3_600),
            drain: Duration::from_secs(10),
        }
    }
}

impl Config {
    /// Whether `X-Forwarded-For` of a peer is believed.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|proxies| proxies.contains(peer))
    }
}

fn nonzero(bytes: usize) -> NonZeroUsize {
    NonZeroUsize::new(bytes).expect("the bounds of `mcp` are not zero")
}

fn count(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("the defaults above are not zero")
}
