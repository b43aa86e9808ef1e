//! Grants: tokens that are shown once, rights that only shrink, revocations that are answered when they bite.

use authority::{enforcement::CutReason, grant::TokenHash};
use keyring::token;
use tonic::Code;
use wire::pb::admin::v1 as pb;

use super::fixture::{Site, grant, reason, refused, seconds};
use crate::instants::timestamp;

fn name(issued: &pb::IssueGrantResponse) -> String {
    issued.grant.as_ref().expect("a grant").name.clone()
}

async fn show(site: &Site, name: &str) -> pb::Grant {
    let shown =
        site.grants().get_grant(pb::GetGrantRequest { name: name.into() }).await.expect("it is there");
    shown.into_inner().grant.expect("a grant")
}

fn revoke(name: &str) -> pb::RevokeGrantRequest {
    pb::RevokeGrantRequest { name: name.into(), request_id: String::new() }
}

#[tokio::test]
async fn a_grant_is_issued_with_a_token_that_no_later_answer_holds() {
    let site = Site::start().await;
    site.furnish().await;
    let mut request = grant(&["get_*"]);
    request.grant.as_mut().expect("a grant").label = "laptop".into();
    request.ttl = seconds(3600);
    let issued = site.grants().issue_grant(request).await.expect("it is issued").into_inner();
    assert!(issued.token.starts_with("pcl_"));

    let shown = show(&site, &name(&issued)).await;
    assert_eq!(Some(&shown), issued.grant.as_ref());
    assert_eq!((shown.principal.as_str(), shown.label.as_str()), ("principals/ana", "laptop"));
    assert_eq!(shown.state(), pb::GrantState::Live);
    let lasts = shown.expire_time.expect("it ends").seconds - shown.start_time.expect("it begins").seconds;
    assert!((3599..=3601).contains(&lasts), "{lasts}");
    assert_eq!(shown.scopes[0].tools, ["get_*"]);

    let listed =
        site.grants().list_grants(pb::ListGrantsRequest::default()).await.expect("a list").into_inner();
    assert_eq!(listed.grants, [shown]);
    let parsed = token::parse(issued.token.as_bytes()).expect("a token");
    let hash = TokenHash(site.parts.keyring.pepper().hash(&parsed));
    let view = site.parts.gate.view().expect("a view");
    assert!(view.grant_of_token(&hash, authority::time::Wall(0)).is_some(), "the token opens the grant");
}

/// E36: a repeated request never makes a second grant, nor shows a token twice.
#[tokio::test]
async fn e36_a_repeated_request_finds_the_first_grant_and_shows_no_token() {
    let site = Site::start().await;
    site.furnish().await;
    let request_id = "7f1c2a9e-5c1b-4c39-9a7e-2f4d1f0b8a6c".to_owned();
    let request = pb::IssueGrantRequest { request_id, ..grant(&["*"]) };
    let first = site.grants().issue_grant(request.clone()).await.expect("it is issued").into_inner();
    let again = site.grants().issue_grant(request).await.expect("a repetition").into_inner();
    assert_eq!((again.token.as_str(), again.revision), ("", first.revision));
    assert_eq!(name(&again), name(&first));
    let listed =
        site.grants().list_grants(pb::ListGrantsRequest::default()).await.expect("a list").into_inner();
    assert_eq!(listed.grants.len(), 1);

    site.grants().revoke_grant(revoke(&name(&first))).await.expect("it is revoked");
    let rotate = pb::RotateGrantRequest { name: name(&first), ..Default::default() };
    assert_eq!(refused(site.grants().rotate_grant(rotate).await), "GRANT_REVOKED");
}

/// E34: a sub-grant never reaches more than its parent, nor longer.
#[tokio::test]
async fn e34_a_sub_grant_is_never_wider_than_its_parent() {
    let site = Site::start().await;
    site.furnish().await;
    let mut parent = grant(&["get_*"]);
    parent.ttl = seconds(3600);
    let parent = name(&site.grants().issue_grant(parent).await.expect("it is issued").into_inner());
    let below = |tools: &[&str], ttl: u64| {
        let mut request = grant(tools);
        request.grant.as_mut().expect("a grant").parent.clone_from(&parent);
        request.ttl = seconds(ttl);
        request
    };
    let narrow = site.grants().issue_grant(below(&["get_issue"], 60)).await.expect("narrower").into_inner();
    for (wider, expected) in [
        (below(&["*"], 60), "WIDER_THAN_PARENT"),
        (below(&["get_issue", "delete_issue"], 60), "WIDER_THAN_PARENT"),
        (below(&["get_issue"], 7200), "WIDER_THAN_PARENT"),
    ] {
        let status = site.grants().issue_grant(wider).await.expect_err("wider");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, expected));
    }
    site.grants().revoke_grant(revoke(&parent)).await.expect("it is revoked");
    assert_eq!(show(&site, &name(&narrow)).await.state(), pb::GrantState::Revoked, "the tree goes with it");
    assert_eq!(refused(site.grants().issue_grant(below(&["get_issue"], 60)).await), "GRANT_REVOKED");
}

#[tokio::test]
async fn a_revocation_answers_what_it_cut_and_a_second_one_says_the_same() {
    let site = Site::start().await;
    site.furnish().await;
    let (doomed, spared) = (site.issue(&["*"]).await, site.issue(&["*"]).await);
    let cut = site.call(&doomed.token, "get_issue");
    let untouched = site.call(&spared.token, "get_issue");

    let revoked =
        site.grants().revoke_grant(revoke(&name(&doomed))).await.expect("it is revoked").into_inner();
    assert_eq!(revoked.grant.expect("a grant").state(), pb::GrantState::Revoked);
    let enforcement = revoked.enforcement.expect("it narrows");
    assert!(enforcement.enforced && enforcement.elapsed.is_some());
    assert_eq!(enforcement.calls_cut, 1);
    let named =
        pb::CutCall { grant: name(&doomed), server: "servers/files".into(), action: "tool get_issue".into() };
    assert_eq!(enforcement.calls_in_flight, [named]);
    let why = CutReason::Narrowed(authority::Reason::GrantRevoked);
    assert_eq!((cut.mark().cut_reason(), untouched.mark().cut_reason()), (Some(why), None));

    let again = site.grants().revoke_grant(revoke(&name(&doomed))).await.expect("it is revoked").into_inner();
    let enforcement = again.enforcement.expect("it narrows");
    assert!(enforcement.enforced);
    assert_eq!(enforcement.calls_cut, 0);
}

#[tokio::test]
async fn a_rotation_honours_the_old_token_for_the_overlap_only() {
    let site = Site::start().await;
    site.furnish().await;
    let issued = site.issue(&["*"]).await;
    let rotate = |overlap| pb::RotateGrantRequest { name: name(&issued), overlap, request_id: String::new() };
    let overlapping =
        site.grants().rotate_grant(rotate(seconds(60))).await.expect("it is rotated").into_inner();
    assert!(overlapping.token.starts_with("pcl_") && overlapping.token != issued.token);
    assert!(overlapping.grant.expect("a grant").previous_token_expire_time.is_some());
    let call = site.call(&issued.token, "get_issue");
    assert_eq!(call.mark().cut_reason(), None, "the old token still opens the grant");

    let at_once = site.grants().rotate_grant(rotate(None)).await.expect("it is rotated").into_inner();
    assert_eq!(at_once.grant.expect("a grant").previous_token_expire_time, None);
    assert_eq!(at_once.enforcement.expect("it narrows").calls_cut, 1, "the first token is two rotations old");
    assert_eq!(refused(site.grants().rotate_grant(rotate(seconds(8 * 24 * 3600))).await), "OUT_OF_BOUNDS");
}

#[tokio::test]
async fn a_grant_says_whether_it_is_honoured() {
    let site = Site::start().await;
    site.furnish().await;
    let live = name(&site.issue(&["*"]).await);
    let mut later = grant(&["*"]);
    let tomorrow = site.parts.clock.wall_millis() + 24 * 3_600_000;
    later.grant.as_mut().expect("a grant").start_time = Some(timestamp(authority::time::Wall(tomorrow)));
    let later = name(&site.grants().issue_grant(later).await.expect("it is issued").into_inner());
    assert_eq!(show(&site, &later).await.state(), pb::GrantState::Pending);
    let suspend = pb::SuspendPrincipalRequest { name: "principals/ana".into(), request_id: String::new() };
    site.principals().suspend_principal(suspend).await.expect("it is suspended");
    assert_eq!(show(&site, &live).await.state(), pb::GrantState::Suspended);
}

#[tokio::test]
async fn the_grants_of_one_principal_come_oldest_first() {
    let site = Site::start().await;
    site.furnish().await;
    let mut issued = Vec::new();
    for _ in 0..3 {
        issued.push(name(&site.issue(&["*"]).await));
    }
    let list = |principal: &str| pb::ListGrantsRequest { principal: principal.into(), ..Default::default() };
    let of_ana = site.grants().list_grants(list("principals/ana")).await.expect("a list").into_inner();
    let mut listed: Vec<_> = of_ana.grants.iter().map(|grant| grant.name.clone()).collect();
    let issue_time = |grant: &pb::Grant| grant.issue_time.map(|time| (time.seconds, time.nanos));
    assert!(of_ana.grants.is_sorted_by_key(issue_time));
    listed.sort_unstable();
    issued.sort_unstable();
    assert_eq!(listed, issued);
    let of_bob = site.grants().list_grants(list("principals/bob")).await.expect("a list").into_inner();
    assert_eq!(of_bob.grants, []);
}

#[tokio::test]
async fn a_grant_that_contradicts_itself_is_refused_with_its_reason() {
    let site = Site::start().await;
    site.furnish().await;
    let with = |change: &dyn Fn(&mut pb::IssueGrantRequest, &mut pb::Grant)| {
        let mut request = grant(&["*"]);
        let mut inner = request.grant.take().expect("a grant");
        change(&mut request, &mut inner);
        pb::IssueGrantRequest { grant: Some(inner), ..request }
    };
    let soon = Some(timestamp(authority::time::Wall(4_000_000_000_000)));
    for (request, expected) in [
        (pb::IssueGrantRequest::default(), "FIELD_MISSING"),
        (with(&|_, grant| grant.principal = "principals/nobody".into()), "NOT_FOUND"),
        (with(&|_, grant| grant.parent = "grants/gr_x".into()), "NAME_INVALID"),
        (with(&|_, grant| grant.scopes[0].server = "servers/none".into()), "NOT_FOUND"),
        (with(&|_, grant| grant.scopes[0].tools.push(String::new())), "PATTERN_INVALID"),
        (with(&|_, grant| grant.label = "x".repeat(201)), "OUT_OF_BOUNDS"),
        (with(&|_, grant| grant.expire_time = Some(timestamp(authority::time::Wall(1)))), "TIMES_CONTRADICT"),
        (with(&|request, _| request.ttl = seconds(0)), "TIMES_CONTRADICT"),
        (with(&|request, grant| (request.ttl, grant.expire_time) = (seconds(1), soon)), "FIELDS_CONFLICT"),
        (
            with(&|request, _| request.ttl = Some(prost_types::Duration { seconds: -1, nanos: 0 })),
            "TIME_INVALID",
        ),
        (
            with(&|_, grant| grant.scopes[0].tools = (0..257).map(|at| format!("{at:0>400}")).collect()),
            "CHANGE_TOO_LARGE",
        ),
    ] {
        assert_eq!(refused(site.grants().issue_grant(request).await), expected);
    }
    let nobody = format!("grants/gr_{}", "a".repeat(26));
    assert_eq!(refused(site.grants().revoke_grant(revoke(&nobody)).await), "NOT_FOUND");
    assert_eq!(refused(site.grants().get_grant(pb::GetGrantRequest { name: nobody }).await), "NOT_FOUND");
}
