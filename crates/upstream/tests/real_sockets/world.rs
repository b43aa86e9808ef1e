//! A gateway's inside, as far as an upstream needs it: a state built by commands, a gate, a keyring, a lease without
//! end.

use std::{path::Path, sync::Arc};

use authority::{
    Authority, RecordedPermit, View,
    action::Action,
    command::{self, Body, Command, Outcome, apply},
    credential::{self, Attachment, Credential, Sealed},
    enforcement::{Call, Gate, Lease, Registered},
    event::{Actor, Revision},
    grant::{self, TokenHash},
    principal::{self, Principal},
    record::Seq,
    request,
    scope::Scope,
    server::{self, Endpoint},
    time::{Boot, Now, Wall},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use keyring::{Keyring, seal::Aad};
use seams::{SeededEntropy, SharedClock, SimulatedDisk, SystemClock};
use upstream::{
    Config, ForwardFailed, Outbound, OutboundHeaders, Reply, ReplyBody, ReplyBroken, Upstreams, Verb,
    dialer::{Resolve, SystemResolver},
    private_network::PrivateNetwork,
};

/// The id of the one server.
pub const SERVER: &str = "files";

/// The secret that [`World::with_secret`] stores.
pub const SECRET: &str = "upstream-s3cret/+value";

/// A gateway's inside.
pub struct World {
    pub gate: Arc<Gate>,
    pub upstreams: Upstreams,
    keyring: Keyrings,
    clock: SharedClock,
    state: Authority,
    commands: u64,
}

/// The keyring, and what seals with it.
struct Keyrings {
    keyring: Arc<Keyring>,
    entropy: SeededEntropy,
}

/// A grant and what opens it.
#[derive(Clone, Copy)]
pub struct Granted {
    pub grant: grant::Id,
    token: TokenHash,
}

/// A configuration that may reach this machine.
pub fn loopback() -> Config {
    Config { private_networks: vec![PrivateNetwork::loopback()], ..Config::default() }
}

impl World {
    /// A world with one server at `url` and this configuration.
    pub fn new(url: &str, config: Config) -> Self {
        Self::with(url, config, Arc::new(SystemClock), Arc::new(SystemResolver))
    }

    /// A world whose server has [`SECRET`] as a bearer token.
    pub fn with_secret(url: &str, config: Config) -> Self {
        let mut world = Self::new(url, config);
        world.set_secret(SECRET.as_bytes(), 1, Attachment::Bearer);
        world
    }

    /// A world with a clock and a resolver of its own.
    pub fn with(url: &str, config: Config, clock: SharedClock, resolver: Arc<dyn Resolve>) -> Self {
        let entropy = SeededEntropy::new(7);
        let keyring =
            Keyring::create(Path::new("/keys"), &SimulatedDisk::new(), &entropy).expect("an empty disk");
        let keyring = Keyrings { keyring: Arc::new(keyring), entropy };
        let gate = Arc::new(Gate::new());
        gate.lease_cell().extend(Lease::until(Boot(u64::MAX)));
        let upstreams = Upstreams::with_resolver(
            config,
            Arc::clone(&gate),
            Arc::clone(&keyring.keyring),
            Arc::clone(&clock),
            resolver,
        );
        let upstreams = upstreams.expect("no extra authorities, or good ones");
        let mut world = Self { gate, upstreams, keyring, clock, state: Authority::default(), commands: 0 };
        let endpoint = Endpoint::parse(url).expect("an endpoint");
        world.run(Body::AddServer(command::AddServer { server: server(), endpoint }));
        world
    }

    /// Seals a secret for the server and stores it under `version`.
    pub fn set_secret(&mut self, secret: &[u8], version: u32, attachment: Attachment) {
        let origin = Endpoint::parse(&self.url()).expect("an endpoint").origin;
        let id = credential::Id::parse(SERVER).expect("a name");
        let aad =
            Aad { kind: "credential", id: id.as_str(), origin: origin.as_str(), version: u64::from(version) };
        let sealed = self.keyring.keyring.seal(&aad, secret, &self.keyring.entropy).expect("it is short");
        let sealed = Sealed(sealed.to_bytes().into());
        let credential = Credential { id, server: server(), origin, attachment, version, sealed };
        self.run(Body::SetCredential(command::SetCredential { credential }));
    }

    /// Adds a service and issues it a grant of everything on the server.
    pub fn grant(&mut self, name: &str) -> Granted {
        let principal = principal::Id::parse(name).expect("a name");
        if !self.state_has(&principal) {
            let kind = principal::Kind::Service;
            let added = Principal {
                id: principal.clone(),
                kind,
                display_name: "".into(),
                groups: Default::default(),
                suspended: false,
            };
            self.run(Body::AddPrincipal(command::AddPrincipal { principal: added }));
        }
        let number = u8::try_from(self.commands).expect("few commands");
        let granted = Granted { grant: grant::Id([number; 16]), token: TokenHash([number; 32]) };
        self.run(Body::IssueGrant(command::IssueGrant {
            grant: granted.grant,
            principal,
            label: "".into(),
            parent: None,
            scopes: vec![Scope::all(server())],
            not_before: None,
            expires_at: None,
            token: granted.token,
        }));
        granted
    }

    /// Revokes a grant: when this returns, the revocation is enforced here.
    pub fn revoke(&mut self, granted: Granted) {
        self.run(Body::RevokeGrant(command::RevokeGrant { grant: granted.grant }));
    }

    /// Decides a call and records it, but sends nothing yet. The call is in flight while the second value lives.
    pub fn permit(&self, granted: Granted) -> (RecordedPermit, Registered) {
        let call =
            Call { token: granted.token, grant: granted.grant, server: server(), action: Action::Converse };
        let now = || Now { wall: Wall(self.clock.wall_millis()), boot: Boot(self.clock.boot_nanos()) };
        let admitted = self.gate.admit(call, now).expect("the grant reaches everything");
        (RecordedPermit::new(admitted.permit, Seq(1)), admitted.registered)
    }

    /// Decides, records and sends a POST with this body.
    pub async fn post(
        &self,
        granted: Granted,
        body: &'static [u8],
    ) -> Result<(Reply, Registered), ForwardFailed> {
        let (permit, registered) = self.permit(granted);
        let reply = self.upstreams.forward(permit, post(body)).await?;
        Ok((reply, registered))
    }

    /// As [`World::post`], and reads the answer to its end.
    pub async fn call(&self, granted: Granted) -> Result<Bytes, ForwardFailed> {
        let (reply, _registered) = self.post(granted, b"{}").await?;
        Ok(read(reply.body).await.expect("a whole body"))
    }

    fn url(&self) -> String {
        let view = self.gate.view().expect("a server was added");
        view.server(&server()).expect("it was added").endpoint.url()
    }

    fn state_has(&self, principal: &principal::Id) -> bool {
        self.gate.view().is_some_and(|view| view.principal(principal).is_some())
    }

    fn run(&mut self, body: Body) {
        self.commands += 1;
        let request = request::Id(u128::from(self.commands).to_be_bytes());
        let command = Command { request, actor: Actor::Founder, time: Wall(1), body };
        let revision = Revision(self.commands);
        let applied = apply(&mut self.state, &command, revision);
        assert!(matches!(applied.outcome, Outcome::Done { .. }), "{:?}", applied.outcome);
        self.gate.publish(View::new(self.state.clone(), revision), Wall(1));
    }
}

/// A POST without protocol headers.
pub fn post(body: &'static [u8]) -> Outbound {
    Outbound { verb: Verb::Post, headers: OutboundHeaders::default(), body: Bytes::from_static(body) }
}

/// Reads a body to its end.
pub async fn read(body: ReplyBody) -> Result<Bytes, ReplyBroken> {
    Ok(body.collect().await?.to_bytes())
}

/// An error and all its causes, printed and debugged, as any log could show them.
pub fn every_text(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.push_str(&format!("{error}\n{error:?}\n"));
        next = error.source();
    }
    text
}

fn server() -> server::Id {
    server::Id::parse(SERVER).expect("a name")
}
