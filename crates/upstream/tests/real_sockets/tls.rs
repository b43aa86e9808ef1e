//! Which certificates are accepted (FAULTS D16).

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use seams::SystemClock;
use upstream::{
    Config, ForwardFailed, Sent,
    dialer::{Resolve, Resolving},
};

use crate::{
    recording_upstream::{Answer, RecordingUpstream, ok},
    world::{SECRET, World, every_text, loopback},
};

/// Resolves every name to one address.
struct OneAddress(std::net::SocketAddr);

impl Resolve for OneAddress {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> Resolving<'a> {
        Box::pin(async { Ok(vec![self.0]) })
    }
}

/// A certificate authority of the test's own, with this name.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// A server's side with a certificate of `issuer` for `name`, until the year `until`.
fn server(issuer: &CertifiedIssuer<'static, KeyPair>, name: &str, until: i32) -> ServerConfig {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let certificate: CertificateDer<'static> = params.signed_by(&key, issuer).expect("a certificate").into();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the default versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a key of its certificate")
}

/// Calls `https://mcp.example` at a server of this configuration, with this authority trusted.
async fn call(config: ServerConfig, roots: String) -> (Result<(), ForwardFailed>, RecordingUpstream) {
    let answer = Answer::Pieces(vec![ok("application/json", b"{}")]);
    let upstream = RecordingUpstream::behind_tls(config, answer).await;
    let config = Config { extra_roots_pem: roots.into_bytes(), ..loopback() };
    let resolver = Arc::new(OneAddress(upstream.address()));
    let url = format!("https://mcp.example:{}/", upstream.address().port());
    let mut world = World::with(&url, config, Arc::new(SystemClock), resolver);
    world.set_secret(SECRET.as_bytes(), 1, authority::credential::Attachment::Bearer);
    let ana = world.grant("ana");
    for _ in 0..2 {
        if let Err(failed) = world.call(ana).await {
            return (Err(failed), upstream);
        }
    }
    (Ok(()), upstream)
}

#[tokio::test]
async fn a_server_with_a_good_certificate_gets_the_call_and_keeps_its_connection() {
    let issuer = authority("issuer");
    let (called, upstream) = call(server(&issuer, "mcp.example", 4000), issuer.pem()).await;
    called.expect("the certificate is good");
    assert_eq!((upstream.requests().len(), upstream.connections()), (2, 1));
    assert!(upstream.requests()[0].head.contains(SECRET));
}

/// D16: unknown issuer, wrong name, expired. The secret goes to none of them.
#[tokio::test]
async fn d16_a_server_with_a_bad_certificate_gets_nothing() {
    let (issuer, stranger) = (authority("issuer"), authority("stranger"));
    for (config, what) in [
        (server(&stranger, "mcp.example", 4000), "UnknownIssuer"),
        (server(&issuer, "other.example", 4000), "not valid for name"),
        (server(&issuer, "mcp.example", 2001), "expired"),
    ] {
        let (called, upstream) = call(config, issuer.pem()).await;
        let failed = called.expect_err(what);
        assert!(every_text(&failed).contains(what), "{}", every_text(&failed));
        assert_eq!((failed.sent(), upstream.requests()), (Sent::Nothing, Vec::new()));
    }
}

/// D16: a server that answers https:// in plain text.
#[tokio::test]
async fn d16_a_server_without_tls_gets_nothing() {
    let upstream = RecordingUpstream::answering(Answer::Pieces(Vec::new())).await;
    let mut world = World::with_secret(
        &format!("https://{}/", upstream.address()),
        Config {
            timeouts: upstream::config::Timeouts {
                tls: std::time::Duration::from_millis(100),
                ..upstream::config::Timeouts::default()
            },
            ..loopback()
        },
    );
    let ana = world.grant("ana");
    let failed = world.call(ana).await.expect_err("it speaks no TLS");
    assert!(matches!(failed, ForwardFailed::NotConnected(_)), "{failed:?}");
    assert_eq!(upstream.requests(), []);
}
