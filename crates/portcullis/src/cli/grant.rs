//! `portcullis grant`: who may use which tools of which servers.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tonic::Status;
use tonic_types::StatusExt;
use wire::pb::admin::v1::{self as api, Enforcement, GrantState, grant_service_client::GrantServiceClient};

use super::{
    Change, Global, Output,
    connection::{self, Connection},
    failure::Usage,
    instant,
    output::{self, Column},
};
use crate::context::Context;

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
        #[arg(long, value_name = "NAME")]
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
        #[arg(long, value_name = "LENGTH")]
        overlap: Option<String>,
        #[command(flatten)]
        change: Change,
    },
    /// Revoke a grant and every grant made from it, for ever. Returns when no call of it is let through any more.
    Revoke {
        /// Its id.
        grant: String,
        #[command(flatten)]
        change: Change,
    },
}

/// What a grant is made of.
#[derive(Args)]
pub struct Issue {
    /// Whose grant it is.
    #[arg(long, value_name = "NAME")]
    principal: String,
    /// A server it reaches; may be given more than once. What follows applies to all of them.
    #[arg(long = "server", value_name = "NAME", required = true)]
    servers: Vec<String>,
    /// A tool it reaches, by name or with `*` for any run of characters; may be given more than once.
    #[arg(long = "tool", value_name = "PATTERN")]
    tools: Vec<String>,
    /// A prompt it reaches, by name or pattern; may be given more than once.
    #[arg(long = "prompt", value_name = "PATTERN")]
    prompts: Vec<String>,
    /// A resource it reaches, by URI or pattern; may be given more than once.
    #[arg(long = "resource", value_name = "PATTERN")]
    resources: Vec<String>,
    /// Everything the servers offer, now and later.
    #[arg(long, conflicts_with_all = ["tools", "prompts", "resources"])]
    all: bool,
    /// What people call it.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    label: String,
    /// How long it is honoured, for example 8h or 30d; without it until it is revoked.
    #[arg(long, value_name = "LENGTH")]
    ttl: Option<String>,
    /// The grant it is made from. It never reaches more, and is revoked with it.
    #[arg(long, value_name = "GRANT")]
    parent: Option<String>,
    #[command(flatten)]
    change: Change,
}

/// Runs a verb.
pub async fn run(command: Command, global: &Global) -> Result<()> {
    let mut client = GrantServiceClient::new(connection::open(global).await?);
    match command {
        Command::Issue(issue) => {
            let parent = issue.parent.clone();
            let issued = client.issue_grant(request_of(issue)?).await;
            let issued = issued.map_err(|status| naming_parent(status, parent.as_deref()))?.into_inner();
            print_token(&issued.grant.unwrap_or_default(), &issued.token, global)
        }
        Command::List { principal } => list(&mut client, principal, global).await,
        Command::Show { grant } => {
            let shown_grant =
                client.get_grant(api::GetGrantRequest { name: resource(&grant) }).await?.into_inner();
            output::object(&shown(&shown_grant.grant.unwrap_or_default()), &COLUMNS, global.output)
        }
        Command::Rotate { grant, overlap, change } => {
            let overlap = overlap.as_deref().map(instant::duration).transpose()?;
            let request =
                api::RotateGrantRequest { name: resource(&grant), overlap, request_id: change.id() };
            let rotated = client.rotate_grant(request).await?.into_inner();
            print_token(&rotated.grant.unwrap_or_default(), &rotated.token, global)
        }
        Command::Revoke { grant, change } => {
            let request = api::RevokeGrantRequest { name: resource(&grant), request_id: change.id() };
            let revoked = client.revoke_grant(request).await?.into_inner();
            let enforcement = revoked.enforcement.unwrap_or_default();
            output::object(
                &shown_revocation(bare(&grant), revoked.revision, &enforcement),
                &REVOKED_COLUMNS,
                global.output,
            )
        }
    }
}

/// The gateway refuses a sub-grant by the id it would have had, which says nothing to whoever asked for it.
fn naming_parent(status: Status, parent: Option<&str>) -> Status {
    let reason = status.get_details_error_info().map(|info| info.reason);
    match (reason.as_deref(), parent) {
        (Some("WIDER_THAN_PARENT"), Some(parent)) => {
            let message = format!("this grant would reach more, or longer, than its parent {}", bare(parent));
            Status::with_details(status.code(), message, status.details().to_vec().into())
        }
        _ => status,
    }
}

fn request_of(issue: Issue) -> Result<api::IssueGrantRequest> {
    let everything = || vec!["*".to_owned()];
    let (tools, prompts, resources) = match issue.all {
        true => (everything(), everything(), everything()),
        false => (issue.tools, issue.prompts, issue.resources),
    };
    if tools.is_empty() && prompts.is_empty() && resources.is_empty() {
        let nothing = "a grant without --tool, --prompt or --resource reaches nothing: name what it reaches, or say --all";
        return Err(Usage::of(nothing).into());
    }
    if let Some(note) = literal_note(tools.iter().chain(&prompts).chain(&resources)) {
        eprintln!("{note}");
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
    Ok(api::IssueGrantRequest { grant: Some(grant), ttl, request_id: issue.change.id() })
}

/// What to tell somebody who seems to take a pattern for one of a shell.
fn literal_note<'a>(mut patterns: impl Iterator<Item = &'a String>) -> Option<&'static str> {
    let looks_like_glob = patterns.any(|pattern| pattern.contains(['?', '[']));
    looks_like_glob.then_some("note: only * is a wildcard; ? and [ are taken literally")
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
fn print_token(grant: &api::Grant, token: &str, global: &Global) -> Result<()> {
    let output = global.output;
    let mut object = shown(grant);
    if token.is_empty() {
        // The request was answered before. Nothing failed, so whatever can be shown is shown.
        output::object(&object, &COLUMNS, output)?;
        let grant = bare(&grant.name);
        eprintln!("This request was answered before, and its token was shown then.");
        eprintln!("next: `portcullis grant rotate {grant}` makes a new one");
        return Ok(());
    }
    object["token"] = token.into();
    output::object(&object, &COLUMNS, output)?;
    if output == Output::Table {
        output::print(&format!("\n{token}"))?;
        let data_url = Context::find(global.context.as_deref())?.data_url;
        eprintln!("\n{}", how_to_use(grant, data_url.as_deref()));
    }
    Ok(())
}

/// Where the token is to be sent, and the next command. Without `data_url` only the path is known.
fn how_to_use(grant: &api::Grant, data_url: Option<&str>) -> String {
    let mut told =
        "The line above is the token, shown this once. Clients send it as `Authorization: Bearer <token>` to"
            .to_owned();
    let Some(data_url) = data_url else {
        told.push_str(" /mcp/SERVER/ of the gateway.");
        return told;
    };
    let data_url = data_url.trim_end_matches('/');
    let servers = || grant.scopes.iter().map(|scope| scope.server.trim_start_matches("servers/"));
    for server in servers() {
        told.push_str(&format!("\n  {data_url}/mcp/{server}/"));
    }
    for server in servers() {
        told.push_str(&format!("\nnext: `portcullis connect claude-code --server {server}`"));
    }
    told.push_str(" shows what to tell the client; there are codex, gemini, cursor, vscode and windsurf too");
    told
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

#[cfg(test)]
mod tests {
    use super::*;

    fn issue() -> Issue {
        Issue {
            principal: "ana".to_owned(),
            servers: vec!["github".to_owned(), "files".to_owned()],
            tools: vec!["get_*".to_owned()],
            prompts: Vec::new(),
            resources: Vec::new(),
            all: false,
            label: "laptop".to_owned(),
            ttl: Some("8h".to_owned()),
            parent: Some("gr_parent".to_owned()),
            change: Change::default(),
        }
    }

    #[test]
    fn what_is_named_applies_to_every_server() {
        let request = request_of(issue()).expect("a request");
        let grant = request.grant.expect("a grant");
        let scopes: Vec<_> =
            grant.scopes.iter().map(|scope| (scope.server.as_str(), &scope.tools[..])).collect();
        let tools = ["get_*".to_owned()];
        assert_eq!(scopes, [("servers/github", &tools[..]), ("servers/files", &tools[..])]);
        assert_eq!((grant.principal.as_str(), grant.parent.as_str()), ("principals/ana", "grants/gr_parent"));
        assert_eq!(request.ttl.map(|ttl| ttl.seconds), Some(8 * 3600));
    }

    #[test]
    fn a_grant_that_reaches_nothing_is_wrong_use_and_all_reaches_everything() {
        let nothing = Issue { tools: Vec::new(), ..issue() };
        assert!(request_of(nothing).expect_err("nothing").is::<Usage>());
        let all = Issue { tools: Vec::new(), all: true, ..issue() };
        let grant = request_of(all).expect("a request").grant.expect("a grant");
        let scope = &grant.scopes[0];
        assert_eq!([&scope.tools, &scope.prompts, &scope.resources], [&["*".to_owned()][..]; 3]);
    }

    #[test]
    fn a_pattern_that_looks_like_one_of_a_shell_is_remarked_upon() {
        let note = |pattern: &str| literal_note([pattern.to_owned()].iter()).is_some();
        assert!(note("get_?") && note("[gs]et") && !note("get_*"));
    }

    #[test]
    fn whoever_gets_a_token_learns_where_to_send_it() {
        let scope = |server: &str| api::Scope { server: format!("servers/{server}"), ..Default::default() };
        let grant = api::Grant { scopes: vec![scope("github"), scope("files")], ..Default::default() };
        let told = how_to_use(&grant, Some("https://gate.example:7450/"));
        for line in [
            "  https://gate.example:7450/mcp/github/",
            "  https://gate.example:7450/mcp/files/",
            "next: `portcullis connect claude-code --server github`",
        ] {
            assert!(told.lines().any(|told| told == line), "{line}: {told}");
        }
        assert!(how_to_use(&grant, None).ends_with("to /mcp/SERVER/ of the gateway."));
    }

    #[test]
    fn a_grant_that_is_wider_than_its_parent_is_refused_by_the_name_of_the_parent() {
        let details = |reason| tonic_types::ErrorDetails::with_error_info(reason, "portcullis", []);
        let refused = |reason| {
            Status::with_error_details(
                tonic::Code::FailedPrecondition,
                "grants/gr_new is not",
                details(reason),
            )
        };
        let told = naming_parent(refused("WIDER_THAN_PARENT"), Some("grants/gr_parent"));
        assert_eq!(told.message(), "this grant would reach more, or longer, than its parent gr_parent");
        assert!(told.get_details_error_info().is_some(), "the reason stays");
        assert_eq!(naming_parent(refused("TOO_DEEP"), Some("gr_parent")).message(), "grants/gr_new is not");
    }

    /// The members that scripts read keep their names.
    #[test]
    fn a_grant_is_shown_with_bare_names_and_without_a_token() {
        let grant = api::Grant {
            name: "grants/gr_x".to_owned(),
            principal: "principals/ana".to_owned(),
            scopes: vec![api::Scope {
                server: "servers/github".to_owned(),
                tools: vec!["get_*".to_owned(), "list_*".to_owned()],
                prompts: vec!["review".to_owned()],
                ..Default::default()
            }],
            state: GrantState::Revoked.into(),
            ..Default::default()
        };
        let object = shown(&grant);
        for (member, value) in [("grant", "gr_x"), ("principal", "ana"), ("status", "revoked")] {
            assert_eq!(object[member], value);
        }
        assert_eq!(object["scopes"][0]["tools"], json!(["get_*", "list_*"]));
        assert_eq!(object["reaches"], json!(["github: get_* list_* (+1 prompts)"]));
        assert!(object.get("token").is_none());
    }

    #[test]
    fn a_revocation_says_how_fast_and_what_it_cut() {
        let call = api::CutCall {
            grant: "grants/gr_x".to_owned(),
            server: "servers/github".to_owned(),
            action: "tool get_issue".to_owned(),
        };
        let enforcement = Enforcement {
            enforced: true,
            elapsed: Some(prost_types::Duration { seconds: 0, nanos: 2_500_000 }),
            calls_cut: 1,
            calls_in_flight: vec![call],
        };
        let expected = json!({
            "grant": "gr_x", "revision": 9, "enforced": true, "elapsed_millis": 2.5, "calls_cut": 1,
            "calls_in_flight": [{"grant": "gr_x", "server": "github", "action": "tool get_issue"}],
        });
        assert_eq!(shown_revocation("gr_x", 9, &enforcement), expected);
    }
}
