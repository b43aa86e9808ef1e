//! `portcullis grant`: who may use which tools of which servers.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use wire::pb::admin::v1::{self as api, Enforcement, GrantState, grant_service_client::GrantServiceClient};

use super::{
    Global, Output,
    connection::{self, Connection},
    instant,
    output::{self, Column},
};

const COLUMNS: [Column; 6] = [
    ("grant", "grant"),
    ("principal", "principal"),
    ("status", "status"),
    ("reaches", "reaches"),
    ("expires", "expires"),
    ("label", "label"),
];

const REVOKED_COLUMNS: [Column; 4] = [
    ("grant", "grant"),
    ("enforced", "enforced"),
    ("milliseconds", "elapsed_millis"),
    ("calls cut", "calls_cut"),
];

/// The verbs.
#[derive(Subcommand)]
pub enum Command {
    /// Issue a grant, and print its token, once.
    Issue(Issue),
    /// List the grants.
    List {
        /// Only those of this principal.
        #[arg(long)]
        principal: Option<String>,
    },
    /// Show one grant.
    Show {
        /// Its id.
        grant: String,
    },
    /// Give a grant a new token, and print it, once. The one before ends at once, or after the overlap.
    Rotate {
        /// Its id.
        grant: String,
        /// For how long the token before is still honoured, for example 1h.
        #[arg(long)]
        overlap: Option<String>,
    },
    /// Revoke a grant and every grant made from it, for ever. Returns when no call of it is let through any more.
    Revoke {
        /// Its id.
        grant: String,
    },
}

/// What a grant is made of.
#[derive(Args)]
pub struct Issue {
    /// Whose grant it is.
    #[arg(long)]
    principal: String,
    /// A server it reaches; may be given more than once. What follows applies to all of them.
    #[arg(long = "server", required = true)]
    servers: Vec<String>,
    /// A tool it reaches, by name or with `*` for any run of characters; may be given more than once.
    #[arg(long = "tool")]
    tools: Vec<String>,
    /// A prompt it reaches, likewise.
    #[arg(long = "prompt")]
    prompts: Vec<String>,
    /// A resource it reaches, by URI, likewise.
    #[arg(long = "resource")]
    resources: Vec<String>,
    /// Everything the servers offer, now and later.
    #[arg(long, conflicts_with_all = ["tools", "prompts", "resources"])]
    all: bool,
    /// What people call it.
    #[arg(long, default_value = "")]
    label: String,
    /// How long it is honoured, for example 8h or 30d; without it until it is revoked.
    #[arg(long)]
    ttl: Option<String>,
    /// The grant it is made from. It never reaches more, and is revoked with it.
    #[arg(long)]
    parent: Option<String>,
}

/// Runs a verb.
pub async fn run(command: Command, global: &Global) -> Result<()> {
    let mut client = GrantServiceClient::new(connection::open(global).await?);
    match command {
        Command::Issue(issue) => {
            let issued = client.issue_grant(request_of(issue)?).await?.into_inner();
            print_token(&issued.grant.unwrap_or_default(), &issued.token, global.output)
        }
        Command::List { principal } => list(&mut client, principal, global).await,
        Command::Show { grant } => {
            let shown_grant =
                client.get_grant(api::GetGrantRequest { name: resource(&grant) }).await?.into_inner();
            output::object(&shown(&shown_grant.grant.unwrap_or_default()), &COLUMNS, global.output)
        }
        Command::Rotate { grant, overlap } => {
            let overlap = overlap.as_deref().map(instant::duration).transpose()?;
            let request = api::RotateGrantRequest { name: resource(&grant), overlap, ..Default::default() };
            let rotated = client.rotate_grant(request).await?.into_inner();
            print_token(&rotated.grant.unwrap_or_default(), &rotated.token, global.output)
        }
        Command::Revoke { grant } => {
            let request = api::RevokeGrantRequest { name: resource(&grant), ..Default::default() };
            let revoked = client.revoke_grant(request).await?.into_inner();
            let enforcement = revoked.enforcement.unwrap_or_default();
            output::object(
                &shown_revocation(&grant, revoked.revision, &enforcement),
                &REVOKED_COLUMNS,
                global.output,
            )
        }
    }
}

fn request_of(issue: Issue) -> Result<api::IssueGrantRequest> {
    let everything = || vec!["*".to_owned()];
    let (tools, prompts, resources) = match issue.all {
        true => (everything(), everything(), everything()),
        false => (issue.tools, issue.prompts, issue.resources),
    };
    if tools.is_empty() && prompts.is_empty() && resources.is_empty() {
        bail!(
            "a grant without --tool, --prompt or --resource reaches nothing; name what it reaches, or say --all"
        );
    }
    let scope = |server: &String| api::Scope {
        server: format!("servers/{server}"),
        tools: tools.clone(),
        prompts: prompts.clone(),
        resources: resources.clone(),
    };
    let grant = api::Grant {
        principal: format!("principals/{}", issue.principal),
        label: issue.label,
        parent: issue.parent.map(|parent| resource(&parent)).unwrap_or_default(),
        scopes: issue.servers.iter().map(scope).collect(),
        ..Default::default()
    };
    let ttl = issue.ttl.as_deref().map(instant::duration).transpose()?;
    Ok(api::IssueGrantRequest { grant: Some(grant), ttl, ..Default::default() })
}

async fn list(
    client: &mut GrantServiceClient<Connection>,
    principal: Option<String>,
    global: &Global,
) -> Result<()> {
    let principal = principal.map(|principal| format!("principals/{principal}")).unwrap_or_default();
    let (mut grants, mut page_token) = (Vec::new(), String::new());
    loop {
        let request =
            api::ListGrantsRequest { principal: principal.clone(), page_token, ..Default::default() };
        let page = client.list_grants(request).await?.into_inner();
        grants.extend(page.grants.iter().map(shown));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return output::list(&grants, &COLUMNS, global.output);
        }
    }
}

/// A token is shown here and never again.
fn print_token(grant: &api::Grant, token: &str, output: Output) -> Result<()> {
    let mut object = shown(grant);
    object["token"] = token.into();
    if output != Output::Table {
        return output::object(&object, &COLUMNS, output);
    }
    output::object(&object, &COLUMNS, output)?;
    println!("\n{token}");
    eprintln!(
        "\nThe line above is the token, shown this once. Clients send it as `Authorization: Bearer <token>`."
    );
    Ok(())
}

fn shown_revocation(grant: &str, revision: u64, enforcement: &Enforcement) -> Value {
    let in_flight = enforcement.calls_in_flight.iter().map(|call| {
        json!({"grant": bare(&call.grant), "server": call.server.trim_start_matches("servers/"), "action": call.action})
    });
    json!({
        "grant": grant,
        "revision": revision,
        "enforced": enforcement.enforced,
        "elapsed_millis": instant::millis(enforcement.elapsed.as_ref()),
        "calls_cut": enforcement.calls_cut,
        "calls_in_flight": in_flight.collect::<Vec<_>>(),
    })
}

fn shown(grant: &api::Grant) -> Value {
    let status = match grant.state() {
        GrantState::Unspecified => "unknown",
        GrantState::Live => "live",
        GrantState::Pending => "pending",
        GrantState::Expired => "expired",
        GrantState::Revoked => "revoked",
        GrantState::Suspended => "suspended",
    };
    json!({
        "grant": bare(&grant.name),
        "principal": grant.principal.trim_start_matches("principals/"),
        "label": grant.label,
        "parent": bare(&grant.parent),
        "status": status,
        "scopes": grant.scopes.iter().map(shown_scope).collect::<Vec<_>>(),
        "reaches": grant.scopes.iter().map(summary).collect::<Vec<_>>(),
        "issued": instant::shown(grant.issue_time.as_ref()),
        "begins": instant::shown(grant.start_time.as_ref()),
        "expires": instant::shown(grant.expire_time.as_ref()),
        "revoked": instant::shown(grant.revoke_time.as_ref()),
        "previous_token_until": instant::shown(grant.previous_token_expire_time.as_ref()),
    })
}

fn shown_scope(scope: &api::Scope) -> Value {
    json!({
        "server": scope.server.trim_start_matches("servers/"),
        "tools": scope.tools,
        "prompts": scope.prompts,
        "resources": scope.resources,
    })
}

/// A scope in few words, such as `github: get_*, list_* (2 prompts)`.
fn summary(scope: &api::Scope) -> String {
    let kinds = BTreeMap::from([("prompts", scope.prompts.len()), ("resources", scope.resources.len())]);
    let others: Vec<_> = kinds
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let others = if others.is_empty() { String::new() } else { format!(" (+{})", others.join(", ")) };
    format!("{}: {}{others}", scope.server.trim_start_matches("servers/"), scope.tools.join(" "))
}

fn bare(name: &str) -> &str {
    name.trim_start_matches("grants/")
}

fn resource(grant: &str) -> String {
    format!("grants/{}", bare(grant))
}
