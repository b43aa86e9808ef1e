//! Who gets in: every method, every role, every kind of token.

use std::{collections::BTreeSet, sync::Arc};

use authority::operator::Role;
use http::header::AUTHORIZATION;
use keyring::token::{TokenKind, mint};
use prost::Message;
use prost_types::FileDescriptorSet;
use seams::{ManualClock, SharedClock, SystemEntropy};
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt;
use tower::Service;
use wire::pb::admin::v1 as pb;

use super::fixture::{Site, reason};
use crate::{parts::Parts, roles, services::services};

const EXHAUSTED: &str = "TOO_MANY_FAILED_ATTEMPTS";

const ROLES: [(&str, Role); 7] = [
    ("an-owner", Role::Owner),
    ("a-security-admin", Role::SecurityAdmin),
    ("a-server-admin", Role::ServerAdmin),
    ("a-granter", Role::Granter),
    ("an-approver", Role::Approver),
    ("an-auditor", Role::Auditor),
    ("an-operator", Role::Operator),
];

/// The full names of all methods of the API, and those of reflection.
fn methods() -> BTreeSet<String> {
    let set = FileDescriptorSet::decode(wire::FILE_DESCRIPTOR_SET).expect("wire built it");
    let mut methods = BTreeSet::new();
    for file in &set.file {
        for service in &file.service {
            for method in &service.method {
                methods.insert(format!("/{}.{}/{}", file.package(), service.name(), method.name()));
            }
        }
    }
    assert!(methods.len() > 20, "the descriptors have the API");
    for version in ["v1", "v1alpha"] {
        methods.insert(format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo"));
    }
    methods
}

/// What the guard says to a request with these authorization headers. Without a message no method does anything, so
/// that whoever passes changes nothing.
async fn call(site: &Site, method: &str, headers: &[&str]) -> Option<Status> {
    let mut request = http::Request::post(method).body(Body::empty()).expect("a request");
    for header in headers {
        request.headers_mut().append(AUTHORIZATION, header.parse().expect("a header"));
    }
    let response = site.service.clone().call(request).await.expect("a guard always answers");
    Status::from_header_map(response.headers())
}

#[tokio::test]
async fn e23_every_method_refuses_whoever_is_no_operator() {
    let site = Site::start().await;
    site.furnish().await;
    let grant = site.issue(&["*"]).await.token;
    let bearer = |kind| format!("Bearer {}", mint(kind, &SystemEntropy).reveal());
    let (stranger, join) = (bearer(TokenKind::Operator), bearer(TokenKind::Join));
    let owner = format!("Bearer {}", site.owner);
    let grant = format!("Bearer {grant}");
    let basic = format!("Basic {}", site.owner);
    let mistyped = format!("{}x", &owner[..owner.len() - 1]);
    let cases: [(&[&str], &str); 9] = [
        (&[], "TOKEN_MISSING"),
        (&[&grant], "TOKEN_OF_ANOTHER_KIND"),
        (&[&join], "TOKEN_OF_ANOTHER_KIND"),
        (&[&stranger], "TOKEN_UNKNOWN"),
        (&[&mistyped], "TOKEN_MALFORMED"),
        (&[&basic], "TOKEN_NOT_BEARER"),
        (&["Bearer"], "TOKEN_NOT_BEARER"),
        (&[&owner, &owner], "TOKEN_AMBIGUOUS"),
        (&[&owner, &stranger], "TOKEN_AMBIGUOUS"),
    ];
    for method in methods() {
        for (headers, expected) in cases {
            let status = call(&site, &method, headers).await.expect("it is refused");
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (Code::Unauthenticated, expected),
                "{method}"
            );
            assert!(!status.message().contains(&site.owner), "the refusal repeats the token");
        }
    }
}

/// E04: as many wrong tokens as there may be for all networks together, which is what counts without a socket.
#[tokio::test]
async fn e04_too_many_wrong_tokens_are_refused_unhashed_and_a_known_operator_is_not() {
    let mut site = Site::start().await;
    let clock = Arc::new(ManualClock::new(0));
    let parts = Parts { clock: Arc::clone(&clock) as SharedClock, ..site.parts.clone() };
    site.service = services(parts, site.stop.subscribe());
    let list = "/portcullis.audit.v1.AuditService/List";
    let owner = format!("Bearer {}", site.owner);
    let welcome = async || {
        let status = call(&site, list, &[&owner]).await;
        let kept_out = [Code::Unauthenticated, Code::ResourceExhausted];
        status.is_none_or(|status| !kept_out.contains(&status.code()))
    };
    assert!(welcome().await);

    let stranger = format!("Bearer {}", mint(TokenKind::Operator, &SystemEntropy).reveal());
    let mut unknown = 0;
    let refused = loop {
        let status = call(&site, list, &[&stranger]).await.expect("it is refused");
        if reason(&status) != "TOKEN_UNKNOWN" {
            break status;
        }
        unknown += 1;
        assert!(unknown < 1_000, "there is a bound");
    };
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, EXHAUSTED));
    let wait = refused.get_details_retry_info().and_then(|info| info.retry_delay).expect("it says when");
    assert!(welcome().await, "nobody locks an operator out");
    clock.advance(wait);
    let again = call(&site, list, &[&stranger]).await.expect("it is refused");
    assert_eq!(reason(&again), "TOKEN_UNKNOWN");
}

/// E23 and E24: a role reaches exactly what the table gives it, through the guard and not only in the table.
#[tokio::test]
async fn e23_e24_every_method_refuses_every_role_that_may_not() {
    let site = Site::start().await;
    let mut refusals = 0;
    for (name, role) in ROLES {
        let token = format!("Bearer {}", site.operator(name, role).await);
        for method in methods() {
            let status = call(&site, &method, &[&token]).await;
            match roles::check(role, &method) {
                Ok(()) => {
                    let kept_out = [Code::PermissionDenied, Code::Unauthenticated];
                    let passes = status.as_ref().is_none_or(|status| !kept_out.contains(&status.code()));
                    assert!(passes, "{name} {method} {status:?}");
                }
                Err(_) => {
                    let status = status.expect("it is refused");
                    assert_eq!(status.code(), Code::PermissionDenied, "{name} {method}");
                    assert_eq!(reason(&status), "ROLE_MAY_NOT");
                    refusals += 1;
                }
            }
        }
    }
    assert!(refusals > 40, "the roles differ: {refusals}");
}

#[tokio::test]
async fn a_method_nobody_has_written_is_refused_to_the_owner_too() {
    let site = Site::start().await;
    let token = format!("bearer {}", site.owner);
    for method in ["/portcullis.admin.v1.GrantService/StealGrant", "/grpc.health.v1.Health/Check", "/"] {
        let status = call(&site, method, &[&token]).await.expect("it is refused");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Unimplemented, "METHOD_NOT_KNOWN"));
    }
}

#[tokio::test]
async fn an_operator_rotates_its_own_token_and_the_old_one_ends_at_once() {
    let site = Site::start().await;
    let before = site.operator("audrey", Role::Auditor).await;
    let mut operators = pb::operator_service_client::OperatorServiceClient::new(site.channel(&before));
    let rotate = |name: &str| pb::RotateOperatorTokenRequest { name: name.into(), request_id: String::new() };

    let refused = operators.rotate_operator_token(rotate("operators/root")).await.expect_err("not its own");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ROLE_MAY_NOT"));

    let rotated =
        operators.rotate_operator_token(rotate("operators/audrey")).await.expect("its own").into_inner();
    assert!(rotated.enforcement.is_some_and(|enforcement| enforcement.enforced));
    let refused = operators.rotate_operator_token(rotate("operators/audrey")).await.expect_err("it ended");
    assert_eq!(reason(&refused), "TOKEN_UNKNOWN");

    let list = "/portcullis.audit.v1.AuditService/List";
    let status = call(&site, list, &[&format!("Bearer {}", rotated.token)]).await;
    assert!(status.is_none_or(|status| status.code() != Code::Unauthenticated));
}

#[tokio::test]
async fn an_owner_adds_operators_and_sees_their_roles() {
    let site = Site::start().await;
    let operator = Some(pb::Operator { name: String::new(), role: pb::Role::Granter.into() });
    let request_id = "7f1c2a9e-5c1b-4c39-9a7e-2f4d1f0b8a6c".to_owned();
    let request = pb::CreateOperatorRequest { operator_id: "grace".into(), operator, request_id };
    let created = site.operators().create_operator(request.clone()).await.expect("it is added").into_inner();
    assert!(created.token.starts_with("pcla_"));
    let again = site.operators().create_operator(request).await.expect("a repetition").into_inner();
    assert_eq!((again.token.as_str(), again.revision), ("", created.revision));

    let listed = site.operators().list_operators(pb::ListOperatorsRequest::default()).await.expect("a list");
    let listed: Vec<_> =
        listed.into_inner().operators.into_iter().map(|found| (found.name.clone(), found.role())).collect();
    let expected =
        [("operators/grace".to_owned(), pb::Role::Granter), ("operators/root".to_owned(), pb::Role::Owner)];
    assert_eq!(listed, expected);

    let nothing = pb::CreateOperatorRequest {
        operator_id: "x".into(),
        operator: Some(pb::Operator::default()),
        ..Default::default()
    };
    let refused = site.operators().create_operator(nothing).await.expect_err("no role");
    assert_eq!(reason(&refused), "VALUE_UNSPECIFIED");
}
