//! What the first start of `dev` sets up: an operator, the demo server with its secret, one person, one grant. A later
//! start finds them there, and sets up only what is missing.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use authority::{
    command::{AddPrincipal, AddServer, Body, IssueGrant, SetCredential},
    credential::{self, Attachment, Credential, Sealed},
    event::Actor,
    grant::{self, TokenHash},
    pattern::Pattern,
    principal::{self, Kind, Principal},
    scope::Scope,
    server::{self, Endpoint},
};
use keyring::{
    seal::Aad,
    token::{self, Token, TokenKind},
};
use seams::entropy;
use tokio::net::TcpListener;

use super::DEMO;
use crate::{
    certificates::write_private,
    data_dir::DataDir,
    init,
    node::{Host, Node},
};

/// The person of `dev`.
const PERSON: &str = "you";

/// The tools of the demo that the first grant reaches; [`crate::demo::HIDDEN_TOOL`] is not among them.
const TOOLS: [&str; 4] = ["echo", "add", "count", "ask_name"];

/// Where the demo listens unless something else does already.
const DEMO_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7453);

/// What is there after [`ensure`].
pub struct FirstStart {
    /// The demo's listener, at the address it is registered with.
    pub demo_listener: TcpListener,
    /// The grant.
    pub grant: grant::Id,
    /// Its token, if it was issued just now; it is shown once.
    pub token: Option<Token>,
}

/// Sets up what is missing.
pub async fn ensure(node: &Node, dir: &DataDir, host: &Host) -> Result<FirstStart> {
    let keep = |token: &Token| write_private(&dir.operator_token(), token.reveal().as_bytes());
    init::add_first_operator(&node.replica, &node.keyring, &host.entropy, keep).await?;
    let demo_listener = demo_server(node, host).await?;
    let view = node.replica.view().await?;
    let person = principal::Id::parse(PERSON)?;
    if view.principal(&person).is_none() {
        let principal = Principal {
            id: person.clone(),
            kind: Kind::Person,
            display_name: "You".into(),
            groups: std::collections::BTreeSet::new(),
            suspended: false,
        };
        propose(node, host, Body::AddPrincipal(AddPrincipal { principal })).await?;
    }
    let live = view.grants().find(|grant| grant.principal == person && grant.revoked_at.is_none());
    let (grant, token) = match live {
        Some(grant) => (grant.id, None),
        None => {
            let (grant, token) = issue(node, host, person).await?;
            (grant, Some(token))
        }
    };
    Ok(FirstStart { demo_listener, grant, token })
}

/// The demo's listener. Its address is bound to its secret, so a later start has to listen where the first did.
async fn demo_server(node: &Node, host: &Host) -> Result<TcpListener> {
    let id = server::Id::parse(DEMO)?;
    if let Some(server) = node.replica.view().await?.server(&id) {
        let origin = &server.endpoint.origin;
        let address: SocketAddr = origin.authority().parse().context("the demo is registered elsewhere")?;
        return TcpListener::bind(address).await.with_context(|| {
            format!("the demo server needs {address}, where it was first started: stop what listens there, or start with another --data-dir")
        });
    }
    let listener = match TcpListener::bind(DEMO_ADDRESS).await {
        Ok(listener) => listener,
        // Somebody else has the usual port; the first start may take any.
        Err(_) => TcpListener::bind(SocketAddr::new(DEMO_ADDRESS.ip(), 0)).await?,
    };
    let endpoint = Endpoint::parse(&format!("http://{}/mcp", listener.local_addr()?))?;
    propose(node, host, Body::AddServer(AddServer { server: id.clone(), endpoint: endpoint.clone() }))
        .await?;
    let secret: String =
        entropy::array::<32>(&*host.entropy).iter().map(|byte| format!("{byte:02x}")).collect();
    let credential = credential::Id::parse(DEMO)?;
    let aad =
        Aad { kind: "credential", id: credential.as_str(), origin: endpoint.origin.as_str(), version: 1 };
    let sealed = node.keyring.seal(&aad, secret.as_bytes(), &*host.entropy)?;
    let credential = Credential {
        id: credential,
        server: id,
        origin: endpoint.origin.clone(),
        attachment: Attachment::Bearer,
        version: 1,
        sealed: Sealed(sealed.to_bytes().into()),
    };
    propose(node, host, Body::SetCredential(SetCredential { credential })).await?;
    Ok(listener)
}

async fn issue(node: &Node, host: &Host, principal: principal::Id) -> Result<(grant::Id, Token)> {
    let id = grant::Id(entropy::array(&*host.entropy));
    let token = token::mint(TokenKind::Grant, &*host.entropy);
    let tools = TOOLS.iter().map(|tool| Pattern::parse(tool)).collect::<Result<_, _>>()?;
    let scope = Scope { server: server::Id::parse(DEMO)?, tools, prompts: Vec::new(), resources: Vec::new() };
    let command = IssueGrant {
        grant: id,
        principal,
        label: "the first grant".into(),
        parent: None,
        scopes: vec![scope],
        not_before: None,
        expires_at: None,
        token: TokenHash(node.keyring.pepper().hash(&token)),
    };
    propose(node, host, Body::IssueGrant(command)).await?;
    Ok((id, token))
}

async fn propose(node: &Node, host: &Host, body: Body) -> Result<()> {
    init::propose(&node.replica, &*host.entropy, Actor::Founder, body).await
}
