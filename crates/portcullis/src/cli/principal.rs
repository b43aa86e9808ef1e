//! `portcullis principal`: people, agents and services.

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use wire::pb::admin::v1::{self as api, PrincipalKind, principal_service_client::PrincipalServiceClient};

use super::{
    Change, Global, connection,
    output::{self, Column},
};

const COLUMNS: [Column; 6] = [
    ("principal", "principal"),
    ("kind", "kind"),
    ("owner", "owner"),
    ("name", "display_name"),
    ("groups", "groups"),
    ("suspended", "suspended"),
];

/// What a principal is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Kind {
    /// A human being.
    Person,
    /// A program that acts for its owner.
    Agent,
    /// A program that answers for itself.
    Service,
}

/// The verbs.
#[derive(Subcommand)]
pub enum Command {
    /// Add a person, an agent or a service.
    Add {
        /// Its name: lower-case letters, digits and hyphens.
        name: String,
        /// What it is.
        #[arg(long, value_enum)]
        kind: Kind,
        /// Of an agent: the person or service that answers for it, and with which it is suspended.
        #[arg(long, required_if_eq("kind", "agent"))]
        owner: Option<String>,
        /// What people call it.
        #[arg(long, default_value = "")]
        display_name: String,
        /// A group it is in; may be given more than once.
        #[arg(long = "group")]
        groups: Vec<String>,
        #[command(flatten)]
        change: Change,
    },
    /// List the principals.
    List,
    /// Honour no grant of it any more, nor of any agent it owns, until it is resumed.
    Suspend {
        /// Its name.
        name: String,
        #[command(flatten)]
        change: Change,
    },
    /// Honour its grants again.
    Resume {
        /// Its name.
        name: String,
        #[command(flatten)]
        change: Change,
    },
}

/// Runs a verb.
pub async fn run(command: Command, global: &Global) -> Result<()> {
    let mut client = PrincipalServiceClient::new(connection::open(global).await?);
    let principal = match command {
        Command::Add { name, kind, owner, display_name, groups, change } => {
            let kind = match kind {
                Kind::Person => PrincipalKind::Person,
                Kind::Agent => PrincipalKind::Agent,
                Kind::Service => PrincipalKind::Service,
            };
            let owner = owner.map(|owner| resource(&owner)).unwrap_or_default();
            let principal =
                api::Principal { kind: kind.into(), owner, display_name, groups, ..Default::default() };
            let request = api::CreatePrincipalRequest {
                principal_id: name,
                principal: Some(principal),
                request_id: change.id(),
            };
            client.create_principal(request).await?.into_inner().principal
        }
        Command::List => {
            let (mut principals, mut page_token) = (Vec::new(), String::new());
            loop {
                let request = api::ListPrincipalsRequest { page_token, ..Default::default() };
                let page = client.list_principals(request).await?.into_inner();
                principals.extend(page.principals.iter().map(shown));
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    return output::list(&principals, &COLUMNS, global.output);
                }
            }
        }
        Command::Suspend { name, change } => {
            let request = api::SuspendPrincipalRequest { name: resource(&name), request_id: change.id() };
            client.suspend_principal(request).await?.into_inner().principal
        }
        Command::Resume { name, change } => {
            let request = api::ResumePrincipalRequest { name: resource(&name), request_id: change.id() };
            client.resume_principal(request).await?.into_inner().principal
        }
    };
    output::object(&shown(&principal.unwrap_or_default()), &COLUMNS, global.output)
}

fn shown(principal: &api::Principal) -> Value {
    let kind = match principal.kind() {
        PrincipalKind::Unspecified => "unknown",
        PrincipalKind::Person => "person",
        PrincipalKind::Agent => "agent",
        PrincipalKind::Service => "service",
    };
    json!({
        "principal": principal.name.trim_start_matches("principals/"),
        "kind": kind,
        "owner": principal.owner.trim_start_matches("principals/"),
        "display_name": principal.display_name,
        "groups": principal.groups,
        "suspended": principal.suspended,
    })
}

fn resource(name: &str) -> String {
    format!("principals/{name}")
}
