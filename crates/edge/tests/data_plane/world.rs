//! A gateway of one node in a test: authority, gate, log, upstreams and edge, all real, fed by commands directly.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use authority::{
    Authority, View,
    command::{
        self, AddPrincipal, AddServer, Body, Command, IssueGrant, Outcome, RevokeGrant, RotateGrantToken,
        SetCredential,
    },
    credential::{self, Attachment, Credential, Sealed},
    enforcement::{Call, Gate, Lease},
    event::{Actor, Revision},
    grant,
    node::{Epoch, Id as NodeId},
    pattern::Pattern,
    principal::{self, Kind, Principal},
    record, request,
    scope::Scope,
    server::{self, Endpoint},
    time::{Boot, Wall},
};
use edge::{Config, Edge, Parts};
use keyring::{
    Keyring,
    pepper::Pepper,
    seal::Aad,
    token::{self, TokenKind},
};
use rustls::ServerConfig;
use seams::{Clock, Disk, SystemClock, SystemDisk, SystemEntropy};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use upstream::{Upstreams, private_network::PrivateNetwork};
use wal::{Durability, Wal};

use crate::{
    client::{Connection, Response},
    recording::{Answer, Request, Upstream},
};

/// The secret that the upstream demands and no client has.
pub const SECRET: &str = "upstream-secret-9b1c4d";

/// Every revision that is served.
pub const REVISIONS: [&str; 4] = ["2025-03-26", "2025-06-18", "2025-11-25", MODERN];

/// The modern one.
pub const MODERN: &str = "2026-07-28";

/// The gateway and the upstream behind it.
pub struct World {
    pub address: SocketAddr,
    pub upstream: Upstream,
    pub gate: Arc<Gate>,
    pub wal: Wal,
    state: Mutex<(Authority, u64)>,
    pepper: Pepper,
    requests: AtomicU64,
    _dir: TempDir,
    shutdown: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

/// A grant and the token that opens it.
#[derive(Clone, Debug)]
pub struct Granted {
    pub id: grant::Id,
    pub token: String,
}

impl World {
    /// A gateway in front of one server, `files`, that answers by `script`, with a credential; one person, `ana`, and
    /// her agent, `ana-agent`.
    pub async fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::with_config(Config::default(), script).await
    }

    pub async fn with_config(
        config: Config,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::made_of(config, Arc::new(SystemDisk), None, script).await
    }

    pub async fn on_disk(
        disk: Arc<dyn Disk>,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::made_of(Config::default(), disk, None, script).await
    }

    pub async fn made_of(
        config: Config,
        disk: Arc<dyn Disk>,
        tls: Option<Arc<ServerConfig>>,
        script: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let upstream = Upstream::start(script).await;
        let dir = tempfile::tempdir().expect("a directory");
        let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
        let keyring = Keyring::create(&dir.path().join("keys"), &*disk, &*entropy).expect("a keyring");
        let keyring = Arc::new(keyring);
        let gate = Arc::new(Gate::new());
        gate.lease_cell().extend(Lease::until(Boot(u64::MAX)));
        let log = wal::Config::new(dir.path().join("wal"), Durability::Written);
        let (wal, _) = Wal::open(log, disk, clock.clone(), NodeId(1), Epoch(1)).expect("a log");
        let reach = upstream::Config {
            private_networks: vec![PrivateNetwork::loopback()],
            ..upstream::Config::default()
        };
        let upstreams = Upstreams::new(reach, Arc::clone(&gate), Arc::clone(&keyring), clock.clone());
        let edge = Edge::new(Parts {
            config,
            gate: Arc::clone(&gate),
            wal: wal.clone(),
            upstreams: upstreams.expect("no extra roots"),
            keyring: Arc::clone(&keyring),
            clock,
            entropy,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (shutdown, asked) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let asked = async {
                // The world was dropped.
                let _ = asked.await;
            };
            edge.serve(listener, tls, asked).await.expect("the listener is bound");
        });
        let world = Self {
            address,
            upstream,
            gate,
            wal,
            state: Mutex::default(),
            pepper: keyring.pepper(),
            requests: AtomicU64::new(0),
            _dir: dir,
            shutdown,
            served,
        };
        world.furnish(&keyring);
        world
    }

    fn furnish(&self, keyring: &Keyring) {
        self.add_principal("ana", Kind::Person);
        self.add_principal("ana-agent", Kind::Agent { owner: principal_id("ana") });
        let endpoint = Endpoint::parse(&format!("http://{}/mcp", self.upstream.address)).expect("a URL");
        let origin = endpoint.origin.clone();
        self.apply(Body::AddServer(AddServer { server: server_id("files"), endpoint: endpoint.clone() }));
        self.apply(Body::AddServer(AddServer { server: server_id("other"), endpoint }));
        let gone = Endpoint::parse("http://127.0.0.1:1/mcp").expect("a URL");
        self.apply(Body::AddServer(AddServer { server: server_id("gone"), endpoint: gone }));
        let aad = Aad { kind: "credential", id: "files", origin: origin.as_str(), version: 1 };
        let sealed = keyring.seal(&aad, SECRET.as_bytes(), &SystemEntropy).expect("it is short");
        let credential = Credential {
            id: credential::Id::parse("files").expect("a name"),
            server: server_id("files"),
            origin,
            attachment: Attachment::Bearer,
            version: 1,
            sealed: Sealed(sealed.to_bytes().into()),
        };
        self.apply(Body::SetCredential(SetCredential { credential }));
    }

    fn add_principal(&self, id: &str, kind: Kind) {
        let principal = Principal {
            id: principal_id(id),
            kind,
            display_name: "".into(),
            groups: Default::default(),
            suspended: false,
        };
        self.apply(Body::AddPrincipal(AddPrincipal { principal }));
    }

    /// Applies a command as a voter would: fold, publish, cut. Answers the calls that were cut.
    pub fn apply(&self, body: Body) -> Vec<Arc<Call>> {
        let mut state = self.state.lock().expect("no test panics in it");
        let (authority, revision) = &mut *state;
        *revision += 1;
        let mut request = [0; 16];
        request[..8].copy_from_slice(&revision.to_be_bytes());
        let wall = Wall(SystemClock.wall_millis());
        let command = Command { request: request::Id(request), actor: Actor::Founder, time: wall, body };
        let applied = command::apply(authority, &command, Revision(*revision));
        assert!(matches!(applied.outcome, Outcome::Done { .. }), "{:?}", applied.outcome);
        self.gate.publish(View::new(authority.clone(), Revision(*revision)), wall)
    }

    /// Issues a grant to `ana-agent`.
    pub fn grant(&self, scopes: Vec<Scope>, expires_at: Option<Wall>) -> Granted {
        let token = token::mint(TokenKind::Grant, &SystemEntropy);
        let id = grant::Id(seams::entropy::array(&SystemEntropy));
        self.apply(Body::IssueGrant(IssueGrant {
            grant: id,
            principal: principal_id("ana-agent"),
            label: "".into(),
            parent: None,
            scopes,
            not_before: None,
            expires_at,
            token: grant::TokenHash(self.pepper.hash(&token)),
        }));
        Granted { id, token: token.reveal().to_owned() }
    }

    /// Nobody: for requests whose `Authorization` the test writes itself.
    pub fn nobody(&self) -> Granted {
        Granted { id: grant::Id([0; 16]), token: String::new() }
    }

    /// A grant for the tools that only read, one prompt and the documents.
    pub fn reader(&self) -> Granted {
        let patterns = |texts: &[&str]| -> Vec<Pattern> {
            texts.iter().map(|text| Pattern::parse(text).expect("a pattern")).collect()
        };
        let scope = Scope {
            server: server_id("files"),
            tools: patterns(&["read_file", "list_*"]),
            prompts: patterns(&["review"]),
            resources: patterns(&["file:///docs/*"]),
        };
        self.grant(vec![scope], None)
    }

    /// A grant for everything on `files`.
    pub fn everything(&self) -> Granted {
        self.grant(vec![Scope::all(server_id("files"))], None)
    }

    pub fn revoke(&self, granted: &Granted) -> Vec<Arc<Call>> {
        self.apply(Body::RevokeGrant(RevokeGrant { grant: granted.id }))
    }

    /// Gives the grant a new token, at once.
    pub fn rotate(&self, granted: &Granted) -> Granted {
        let token = token::mint(TokenKind::Grant, &SystemEntropy);
        self.apply(Body::RotateGrantToken(RotateGrantToken {
            grant: granted.id,
            token: grant::TokenHash(self.pepper.hash(&token)),
            overlap_millis: 0,
        }));
        Granted { id: granted.id, token: token.reveal().to_owned() }
    }

    /// A request of the given revision, with all that the revision demands of it.
    pub fn message(&self, revision: &str, method: &str, mut params: Value) -> Value {
        if revision == MODERN {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": {"name": "test-client", "version": "1.2"},
            });
        }
        let id = self.requests.fetch_add(1, Ordering::SeqCst);
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
    }

    /// The headers that a truthful client of `revision` sends with `message`.
    pub fn headers(granted: &Granted, revision: &str, message: &Value) -> Vec<(String, String)> {
        let mut headers = vec![
            ("host".to_owned(), "localhost".to_owned()),
            ("authorization".to_owned(), format!("Bearer {}", granted.token)),
            ("content-type".to_owned(), "application/json".to_owned()),
            ("accept".to_owned(), "application/json, text/event-stream".to_owned()),
        ];
        if revision != "2025-03-26" {
            headers.push(("mcp-protocol-version".into(), revision.into()));
        }
        if let (MODERN, Some(method)) = (revision, message["method"].as_str()) {
            headers.push(("mcp-method".into(), method.into()));
            let params = &message["params"];
            let name = if method.starts_with("resources/") { &params["uri"] } else { &params["name"] };
            if let Some(name) = name.as_str() {
                headers.push(("mcp-name".into(), name.into()));
            }
        }
        headers
    }

    /// Posts a message to `files` over a connection of its own.
    pub async fn post(&self, granted: &Granted, revision: &str, message: &Value) -> Response {
        let headers = Self::headers(granted, revision, message);
        self.send("POST", "/mcp/files/", &headers, message.to_string().as_bytes()).await
    }

    /// Sends one request over a connection of its own and reads the answer whole.
    pub async fn send(&self, verb: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> Response {
        let mut connection = self.begin(verb, path, headers, body).await;
        connection.response().await.expect("an answer")
    }

    /// Sends one request and leaves the answer to be read.
    pub async fn begin(
        &self,
        verb: &str,
        path: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Connection {
        let mut connection = Connection::open(self.address).await;
        connection.write(&raw(verb, path, headers, body)).await;
        connection
    }

    /// Calls a tool in the given revision.
    pub async fn call(&self, granted: &Granted, revision: &str, tool: &str) -> Response {
        let message =
            self.message(revision, "tools/call", json!({"name": tool, "arguments": {"path": "/a"}}));
        self.post(granted, revision, &message).await
    }

    /// Everything in the log, in order.
    pub async fn records(&self) -> Vec<record::Body> {
        records_of(&self.wal).await
    }

    /// Asks the edge to end and waits until it has. What stands in the log then is answered.
    pub async fn shut_down(self) -> Vec<record::Body> {
        self.shutdown.send(()).expect("it serves");
        self.served.await.expect("it ends in order");
        records_of(&self.wal).await
    }

    /// Waits until no call is in flight, so that every outcome is handed over.
    pub async fn is_quiet(&self) {
        while !self.gate.in_flight().is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

/// One request as bytes, framed by its length.
pub fn raw(verb: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{verb} {path} HTTP/1.1\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if verb == "POST" {
        bytes.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

fn principal_id(text: &str) -> principal::Id {
    principal::Id::parse(text).expect("a name")
}

pub fn server_id(text: &str) -> server::Id {
    server::Id::parse(text).expect("a name")
}

/// Everything in a log, in order.
async fn records_of(wal: &Wal) -> Vec<record::Body> {
    wal.flush().await.expect("the log works");
    let stored = wal.read_after(&[], 10_000).expect("the log reads");
    stored.into_iter().map(|stored| stored.record.body).collect()
}
