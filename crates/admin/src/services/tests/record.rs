//! Reading the record: what is in it, in which order, and how a subscription goes on and ends.

use authority::{
    Reason,
    event::Revision,
    grant,
    operator::Role,
    principal,
    record::{CallFacts, Denied},
    server,
    time::Boot,
};
use tonic::{Code, Streaming};
use wire::pb::{
    admin::v1 as admin,
    audit::v1::{self as pb, audit_service_client::AuditServiceClient, subscribe_request::Start},
};

use super::fixture::{Site, reason, refused};

fn denied(tool: &str) -> Denied {
    let call = CallFacts {
        revision: Revision(7),
        grants: vec![grant::Id([1; 16])],
        principal: principal::Id::parse("ana").expect("a name"),
        owner: None,
        client: None,
        peer: "127.0.0.1:9".into(),
        server: server::Id::parse("files").expect("a name"),
        mcp_revision: "2025-11-25".into(),
        method: "tools/call".into(),
        target: Some(tool.into()),
        argument_keys: vec!["path".into()],
        arguments_digest: None,
        trace: Some("ab".repeat(16)),
        decided_at: Boot(1),
    };
    Denied { call, reason: Reason::ToolOutOfScope, rule: "grants/x/scopes".into() }
}

async fn list(site: &Site, request: pb::ListRequest) -> pb::ListResponse {
    site.audit().list(request).await.expect("a list").into_inner()
}

fn changes(entries: &[pb::AuditEntry]) -> Vec<&str> {
    entries
        .iter()
        .filter(|entry| entry.kind() == pb::AuditKind::Change)
        .map(|entry| entry.event.as_str())
        .collect()
}

#[tokio::test]
async fn the_record_tells_of_changes_and_calls_and_not_of_its_own_books() {
    let site = Site::start().await;
    site.furnish().await;
    let issued = site.issue(&["*"]).await;
    let name = issued.grant.expect("a grant").name;
    let revoke = admin::RevokeGrantRequest { name: name.clone(), request_id: String::new() };
    site.grants().revoke_grant(revoke.clone()).await.expect("it is revoked");
    site.grants().revoke_grant(revoke).await.expect("it is revoked already");
    site.wal.denied(denied("delete_file")).await.expect("it is recorded");
    site.wal.flush().await.expect("it is synced");

    let all = list(&site, pb::ListRequest { page_size: 1000, ..Default::default() }).await;
    assert_eq!(
        changes(&all.entries),
        [
            "cluster.founded",
            "node.incarnation_registered",
            "operator.added",
            "principal.added",
            "server.added",
            "grant.issued",
            "grant.revoked",
            "command.handled"
        ]
    );
    let revoked = all.entries.iter().find(|entry| entry.event == "grant.revoked").expect("it is told");
    assert_eq!((revoked.subject.as_str(), revoked.actor.as_str()), (name.as_str(), "operators/root"));
    assert!(!revoked.archived && revoked.revision > 0 && !revoked.request_id.is_empty());
    let call =
        all.entries.iter().find(|entry| entry.kind() == pb::AuditKind::CallDenied).expect("it is told");
    assert_eq!(
        (call.principal.as_str(), call.server.as_str(), call.target.as_str(), call.reason.as_str()),
        ("principals/ana", "servers/files", "delete_file", "tool_out_of_scope")
    );
    assert_eq!((call.trace.len(), call.revision, call.id.as_str()), (32, 7, "records/1/1/2"));

    let of = pb::AuditFilter { grant: name, ..Default::default() };
    let found = list(&site, pb::ListRequest { filter: Some(of), ..Default::default() }).await;
    assert_eq!(changes(&found.entries), ["grant.issued", "grant.revoked", "command.handled"]);
}

#[tokio::test]
async fn pages_together_are_the_record_and_the_newest_come_last() {
    let site = Site::start().await;
    site.furnish().await;
    let whole = list(&site, pb::ListRequest { page_size: 1000, ..Default::default() }).await;
    assert_eq!(whole.next_page_token, "");
    let mut ids = Vec::new();
    let mut page_token = String::new();
    loop {
        let page = list(&site, pb::ListRequest { page_size: 2, page_token, ..Default::default() }).await;
        assert!(page.entries.len() <= 2);
        ids.extend(page.entries.into_iter().map(|entry| entry.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let expected: Vec<_> = whole.entries.iter().map(|entry| entry.id.clone()).collect();
    assert_eq!(ids, expected);
    let newest = list(&site, pb::ListRequest { page_size: 2, newest: true, ..Default::default() }).await;
    let newest: Vec<_> = newest.entries.into_iter().map(|entry| entry.id).collect();
    assert_eq!(newest, expected[expected.len() - 2..]);

    let foreign = pb::ListRequest { page_token: "x".into(), ..Default::default() };
    assert_eq!(refused(site.audit().list(foreign).await), "PAGE_TOKEN_INVALID");
    let both = pb::ListRequest { page_token: "x".into(), newest: true, ..Default::default() };
    assert_eq!(refused(site.audit().list(both).await), "FIELDS_CONFLICT");
}

async fn follow(site: &Site, token: &str, start: Start) -> Streaming<pb::SubscribeResponse> {
    let request = pb::SubscribeRequest { start: Some(start), ..Default::default() };
    let mut audit = AuditServiceClient::new(site.channel(token));
    audit.subscribe(request).await.expect("it follows").into_inner()
}

async fn next(stream: &mut Streaming<pb::SubscribeResponse>) -> pb::SubscribeResponse {
    stream.message().await.expect("it goes on").expect("it does not end")
}

#[tokio::test]
async fn a_subscription_sees_what_comes_and_resumes_from_its_cursor() {
    let site = Site::start().await;
    let latest = Start::Position(pb::StartPosition::Latest.into());
    let mut stream = follow(&site, &site.owner, latest).await;
    site.furnish().await;
    let mut seen = Vec::new();
    let mut cursor = String::new();
    while seen.is_empty() {
        let answer = next(&mut stream).await;
        seen.extend(answer.entries.into_iter().map(|entry| entry.event));
        cursor = answer.cursor;
    }
    drop(stream);
    let mut stream = follow(&site, &site.owner, Start::Cursor(cursor)).await;
    while seen.len() < 2 {
        seen.extend(next(&mut stream).await.entries.into_iter().map(|entry| entry.event));
    }
    assert_eq!(seen, ["principal.added", "server.added"]);
}

#[tokio::test]
async fn a_subscription_ends_when_its_token_does() {
    let site = Site::start().await;
    let auditor = site.operator("audrey", Role::Auditor).await;
    let mut stream = follow(&site, &auditor, Start::Position(pb::StartPosition::Latest.into())).await;
    let rotate =
        admin::RotateOperatorTokenRequest { name: "operators/audrey".into(), request_id: String::new() };
    site.operators().rotate_operator_token(rotate).await.expect("it is rotated");
    let ended = loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended without saying why"),
            Err(status) => break status,
        }
    };
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unauthenticated, "TOKEN_UNKNOWN"));
}

#[tokio::test]
async fn a_subscription_ends_when_the_node_stops() {
    let site = Site::start().await;
    let mut stream = follow(&site, &site.owner, Start::Position(pb::StartPosition::Latest.into())).await;
    site.stop.send_replace(true);
    let ended = stream.message().await.expect_err("it ends");
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unavailable, "NODE_STOPPING"));
}

#[tokio::test]
async fn there_are_only_so_many_subscriptions_and_heartbeats_only_so_often() {
    let site = Site::start().await;
    let mut streams = Vec::new();
    for _ in 0..32 {
        streams.push(follow(&site, &site.owner, Start::Position(pb::StartPosition::Latest.into())).await);
    }
    let status = site.audit().subscribe(pb::SubscribeRequest::default()).await.expect_err("it is full");
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::ResourceExhausted, "TOO_MANY_SUBSCRIPTIONS")
    );
    drop(streams);

    let heartbeat_interval = super::fixture::seconds(1);
    let hasty = pb::SubscribeRequest { heartbeat_interval, ..Default::default() };
    let status = site.audit().subscribe(hasty).await.expect_err("too often");
    assert_eq!(reason(&status), "TIME_INVALID");
}
