//! Credentials: a secret goes in, opens only for its origin, and comes out nowhere.

use keyring::seal::{Aad, Sealed};
use prost::Message;
use wire::pb::admin::v1::{self as pb, attachment::Form};

use super::fixture::{Site, reason, refused};

const CANARY: &str = "canary-7b1f0c2e-sekrit";

fn set(secret: &str) -> pb::SetCredentialRequest {
    pb::SetCredentialRequest {
        server: "servers/files".into(),
        secret: secret.as_bytes().to_vec(),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_credential_is_sealed_for_the_origin_of_its_server() {
    let site = Site::start().await;
    site.furnish().await;
    let set_once = site.credentials().set_credential(set(CANARY)).await.expect("it is set").into_inner();
    let credential = set_once.credential.expect("a credential");
    assert_eq!((credential.name.as_str(), credential.version), ("credentials/files", 1));
    assert_eq!(credential.origin, "https://files.example.com:443");
    let again =
        site.credentials().set_credential(set("another-value")).await.expect("it is set").into_inner();
    assert_eq!(again.credential.expect("a credential").version, 2);

    let view = site.parts.gate.view().expect("a view");
    let id = authority::credential::Id::parse("files").expect("a name");
    let held = view.credential(&id).expect("it is held");
    let sealed = Sealed::from_bytes(&held.sealed.0).expect("it is sealed");
    let aad = |origin, version| Aad { kind: "credential", id: "files", origin, version };
    let opened = site.parts.keyring.open_sealed(&aad("https://files.example.com:443", 2), &sealed);
    assert!(opened.expect("it opens").same_as(b"another-value"));
    assert!(site.parts.keyring.open_sealed(&aad("https://evil.example.com:443", 2), &sealed).is_err());
    assert!(site.parts.keyring.open_sealed(&aad("https://files.example.com:443", 1), &sealed).is_err());
}

/// E24: no method answers a secret, and no refusal repeats one.
#[tokio::test]
async fn e24_a_secret_is_in_no_answer_and_in_no_refusal() {
    let site = Site::start().await;
    site.furnish().await;
    let mut said = Vec::new();
    let answer = site.credentials().set_credential(set(CANARY)).await.expect("it is set").into_inner();
    said.extend(answer.encode_to_vec());
    let listed =
        site.credentials().list_credentials(pb::ListCredentialsRequest::default()).await.expect("a list");
    said.extend(listed.into_inner().encode_to_vec());
    let servers = site.servers().list_servers(pb::ListServersRequest::default()).await.expect("a list");
    said.extend(servers.into_inner().encode_to_vec());
    let audit = site.audit().list(wire::pb::audit::v1::ListRequest::default()).await.expect("a list");
    said.extend(audit.into_inner().encode_to_vec());
    let elsewhere = pb::SetCredentialRequest { server: "servers/none".into(), ..set(CANARY) };
    let unnamed = pb::SetCredentialRequest { credential_id: "Not A Name".into(), ..set(CANARY) };
    for unusable in [set(&format!("{CANARY}\r\nx: y")), set(&format!(" {CANARY}")), elsewhere, unnamed] {
        let status = site.credentials().set_credential(unusable).await.expect_err("it is refused");
        said.extend(format!("{status:?}").into_bytes());
        said.extend(status.details());
    }
    let said = String::from_utf8_lossy(&said);
    assert!(!said.contains(CANARY), "{said}");
}

#[tokio::test]
async fn a_credential_that_no_request_could_carry_is_refused_with_its_reason() {
    let site = Site::start().await;
    site.furnish().await;
    let in_header = |name: &str| {
        let form = Form::Header(pb::HeaderAttachment { name: name.into() });
        pb::SetCredentialRequest { attachment: Some(pb::Attachment { form: Some(form) }), ..set(CANARY) }
    };
    for (request, expected) in [
        (set(""), "SECRET_INVALID"),
        (set("two\nlines"), "SECRET_INVALID"),
        (set(&"x".repeat(8 * 1024 + 1)), "SECRET_INVALID"),
        (in_header("Host"), "HEADER_NAME_INVALID"),
        (in_header("mcp-session-id"), "HEADER_NAME_INVALID"),
        (
            pb::SetCredentialRequest { attachment: Some(pb::Attachment { form: None }), ..set(CANARY) },
            "FIELD_MISSING",
        ),
        (pb::SetCredentialRequest { server: "servers/none".into(), ..set(CANARY) }, "NOT_FOUND"),
    ] {
        assert_eq!(refused(site.credentials().set_credential(request).await), expected);
    }
    let named =
        site.credentials().set_credential(in_header("X-Api-Key")).await.expect("it is set").into_inner();
    let form =
        named.credential.and_then(|credential| credential.attachment).and_then(|attachment| attachment.form);
    assert_eq!(form, Some(Form::Header(pb::HeaderAttachment { name: "x-api-key".into() })));
}

#[tokio::test]
async fn a_credential_belongs_to_one_server_and_goes_when_it_is_removed() {
    let site = Site::start().await;
    site.furnish().await;
    let other = super::fixture::server("other", "https://other.example.com");
    site.servers().create_server(other).await.expect("it is added");
    site.credentials().set_credential(set(CANARY)).await.expect("it is set");
    let stolen = pb::SetCredentialRequest {
        server: "servers/other".into(),
        credential_id: "files".into(),
        ..set(CANARY)
    };
    let status = site.credentials().set_credential(stolen).await.expect_err("it is another server's");
    assert_eq!(reason(&status), "ORIGIN_MISMATCH");

    let delete =
        || pb::DeleteCredentialRequest { name: "credentials/files".into(), request_id: String::new() };
    let deleted = site.credentials().delete_credential(delete()).await.expect("it is removed").into_inner();
    assert!(deleted.enforcement.is_some_and(|enforcement| enforcement.enforced));
    assert_eq!(refused(site.credentials().delete_credential(delete()).await), "NOT_FOUND");
    let listed =
        site.credentials().list_credentials(pb::ListCredentialsRequest::default()).await.expect("a list");
    assert_eq!(listed.into_inner().credentials, []);
}
