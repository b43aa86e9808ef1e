//! Principals, servers and the status of the node: what is there to grant.

use authority::operator::Role;
use tonic::Code;
use wire::pb::admin::v1::{
    self as pb,
    PrincipalKind::{Agent, Person, Unspecified},
    server_service_client::ServerServiceClient,
};

use super::fixture::{REFUSED_HOST, Site, person, refused, server};

#[tokio::test]
async fn a_principal_is_added_shown_suspended_and_resumed() {
    let site = Site::start().await;
    site.principals().create_principal(person("ana")).await.expect("ana is added");
    let agent = pb::CreatePrincipalRequest {
        principal_id: "ana-agent".into(),
        principal: Some(pb::Principal {
            kind: pb::PrincipalKind::Agent.into(),
            owner: "principals/ana".into(),
            display_name: "Ana's agent".into(),
            groups: vec!["research".into()],
            ..Default::default()
        }),
        request_id: String::new(),
    };
    let added = site.principals().create_principal(agent).await.expect("the agent is added").into_inner();
    let name = pb::GetPrincipalRequest { name: "principals/ana-agent".into() };
    let shown = site.principals().get_principal(name).await.expect("it is there").into_inner();
    assert_eq!(shown.principal, added.principal);
    assert!(shown.revision >= added.revision);

    let suspend = pb::SuspendPrincipalRequest { name: "principals/ana".into(), request_id: String::new() };
    let suspended = site.principals().suspend_principal(suspend).await.expect("it is suspended").into_inner();
    assert!(suspended.principal.is_some_and(|principal| principal.suspended));
    assert!(suspended.enforcement.is_some_and(|enforcement| enforcement.enforced));
    let resume = pb::ResumePrincipalRequest { name: "principals/ana".into(), request_id: String::new() };
    let resumed = site.principals().resume_principal(resume).await.expect("it is resumed").into_inner();
    assert!(resumed.principal.is_some_and(|principal| !principal.suspended));
}

#[tokio::test]
async fn a_principal_that_contradicts_itself_is_refused_with_its_reason() {
    let site = Site::start().await;
    site.principals().create_principal(person("ana")).await.expect("ana is added");
    let with = |id: &str, kind: pb::PrincipalKind, owner: &str| pb::CreatePrincipalRequest {
        principal_id: id.into(),
        principal: Some(pb::Principal { kind: kind.into(), owner: owner.into(), ..Default::default() }),
        request_id: String::new(),
    };
    for (request, expected) in [
        (with("ana", Person, ""), "ALREADY_EXISTS"),
        (with("", Person, ""), "FIELD_MISSING"),
        (with("Ana", Person, ""), "NAME_INVALID"),
        (with("bob", Unspecified, ""), "VALUE_UNSPECIFIED"),
        (with("bob", Person, "principals/ana"), "OWNER_ONLY_FOR_AGENTS"),
        (with("bob", Agent, ""), "FIELD_MISSING"),
        (with("bob", Agent, "ana"), "NAME_INVALID"),
        (with("bob", Agent, "principals/nobody"), "NOT_FOUND"),
        (pb::CreatePrincipalRequest { request_id: "x".into(), ..person("bob") }, "REQUEST_ID_INVALID"),
        (pb::CreatePrincipalRequest { principal: None, ..person("bob") }, "FIELD_MISSING"),
    ] {
        assert_eq!(
            refused(site.principals().create_principal(request.clone()).await),
            expected,
            "{request:?}"
        );
    }
    let nobody = pb::GetPrincipalRequest { name: "principals/nobody".into() };
    assert_eq!(refused(site.principals().get_principal(nobody).await), "NOT_FOUND");
}

#[tokio::test]
async fn a_list_comes_in_pages_and_a_foreign_token_is_refused() {
    let site = Site::start().await;
    for name in ["cid", "ana", "bob"] {
        site.principals().create_principal(person(name)).await.expect("it is added");
    }
    let page = |page_token: String| pb::ListPrincipalsRequest { page_size: 2, page_token };
    let first = site.principals().list_principals(page(String::new())).await.expect("a page").into_inner();
    let names = |principals: &[pb::Principal]| -> Vec<String> {
        principals.iter().map(|principal| principal.name.clone()).collect()
    };
    assert_eq!(names(&first.principals), ["principals/ana", "principals/bob"]);
    let second = site
        .principals()
        .list_principals(page(first.next_page_token.clone()))
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(
        (names(&second.principals), second.next_page_token.as_str()),
        (vec!["principals/cid".into()], "")
    );

    let foreign = pb::ListServersRequest { page_size: 2, page_token: first.next_page_token };
    assert_eq!(refused(site.servers().list_servers(foreign).await), "PAGE_TOKEN_INVALID");
}

#[tokio::test]
async fn a_server_is_added_disabled_enabled_and_removed_for_good() {
    let site = Site::start().await;
    let added = site.servers().create_server(server("files", "https://files.example.com/mcp")).await;
    let added = added.expect("it is added").into_inner().server.expect("a server");
    assert_eq!(
        (added.url.as_str(), added.state()),
        ("https://files.example.com:443/mcp", pb::ServerState::Enabled)
    );

    let name = || "servers/files".to_owned();
    let disabled =
        site.servers().disable_server(pb::DisableServerRequest { name: name(), ..Default::default() }).await;
    let disabled = disabled.expect("it is disabled").into_inner();
    assert_eq!(disabled.server.expect("a server").state(), pb::ServerState::Disabled);
    assert!(disabled.enforcement.is_some_and(|enforcement| enforcement.enforced));
    let enabled =
        site.servers().enable_server(pb::EnableServerRequest { name: name(), ..Default::default() }).await;
    assert_eq!(
        enabled.expect("it is enabled").into_inner().server.expect("a server").state(),
        pb::ServerState::Enabled
    );
    let removed =
        site.servers().delete_server(pb::DeleteServerRequest { name: name(), ..Default::default() }).await;
    assert!(
        removed
            .expect("it is removed")
            .into_inner()
            .enforcement
            .is_some_and(|enforcement| enforcement.enforced)
    );

    let listed =
        site.servers().list_servers(pb::ListServersRequest::default()).await.expect("a list").into_inner();
    assert_eq!(listed.servers, []);
    let shown = site.servers().get_server(pb::GetServerRequest { name: name() }).await.expect("it is known");
    assert_eq!(shown.into_inner().server.expect("a server").state(), pb::ServerState::Removed);
    let again = site.servers().create_server(server("files", "https://files.example.com/mcp")).await;
    assert_eq!(refused(again), "SERVER_REMOVED");
}

#[tokio::test]
async fn a_server_is_refused_where_no_call_could_go() {
    let site = Site::start().await;
    for (url, expected) in [
        ("", "FIELD_MISSING"),
        ("ftp://files.example.com", "URL_INVALID"),
        ("https://user@files.example.com", "URL_INVALID"),
    ] {
        assert_eq!(refused(site.servers().create_server(server("files", url)).await), expected, "{url}");
    }
    let metadata = server("files", &format!("http://{REFUSED_HOST}/latest"));
    let status = site.servers().create_server(metadata).await.expect_err("it is refused");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("metadata address"), "{}", status.message());
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_and_another_one_is_told_apart() {
    let site = Site::start().await;
    let request_id = "7f1c2a9e-5c1b-4c39-9a7e-2f4d1f0b8a6c".to_owned();
    let request = pb::CreatePrincipalRequest { request_id: request_id.clone(), ..person("ana") };
    let first = site.principals().create_principal(request.clone()).await.expect("it is added").into_inner();
    let again = site.principals().create_principal(request).await.expect("the same answer").into_inner();
    assert_eq!(first, again);

    let other = pb::CreateServerRequest { request_id, ..server("files", "https://files.example.com") };
    assert_eq!(refused(site.servers().create_server(other).await), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn the_status_tells_how_the_node_is() {
    let site = Site::start().await;
    site.furnish().await;
    site.issue(&["*"]).await;
    let status = site.cluster().get_status(pb::GetStatusRequest {}).await.expect("a status").into_inner();
    assert_eq!((status.cluster.as_str(), status.node.as_str(), status.epoch), ("test", "nodes/1", 1));
    assert_eq!((status.grants, status.calls_in_flight, status.recording), (1, 0, true));
    assert_eq!(status.events_unarchived, status.last_event);
    assert!(status.revision > 0);
}

/// E24: what reads, reads; what it may not, it is told before anything happens.
#[tokio::test]
async fn e24_an_auditor_sees_servers_and_adds_none() {
    let site = Site::start().await;
    let auditor = site.operator("audrey", Role::Auditor).await;
    let mut servers = ServerServiceClient::new(site.channel(&auditor));
    assert_eq!(
        refused(servers.create_server(server("files", "https://files.example.com")).await),
        "ROLE_MAY_NOT"
    );
    let listed = servers.list_servers(pb::ListServersRequest::default()).await.expect("a list").into_inner();
    assert_eq!(listed.servers, []);
}
