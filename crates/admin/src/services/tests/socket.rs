//! The API on a real socket, under TLS, as `serve` offers it.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::{
    codegen::Service,
    transport::{Channel, Endpoint, Uri},
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use wire::pb::admin::v1::{self as pb, principal_service_client::PrincipalServiceClient};

use super::fixture::{Site, person, reason};
use crate::{
    places::Places,
    serve::{ServeFailed, serve_with},
};

/// A probation that no test outlasts.
const LONG: Duration = Duration::from_secs(3_600);

/// A served API.
struct Served {
    address: SocketAddr,
    tls: TlsConnector,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), ServeFailed>>,
}

/// Connects under TLS, trusting the one certificate there is.
#[derive(Clone)]
struct Dial {
    address: SocketAddr,
    tls: TlsConnector,
    dialled: Arc<AtomicUsize>,
}

impl Service<Uri> for Dial {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let Self { address, tls, dialled } = self.clone();
        dialled.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let socket = TcpStream::connect(address).await?;
            let name = ServerName::try_from("localhost").expect("a name");
            Ok(TokioIo::new(tls.connect(name, socket).await?))
        })
    }
}

async fn start(site: &Site) -> Served {
    start_with(site, Places::new(LONG)).await
}

async fn start_with(site: &Site, places: Arc<Places>) -> Served {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let certificate = CertificateDer::from(cert);
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let mut server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("they belong together");
    server.alpn_protocols = vec![b"h2".to_vec()];
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).expect("a root");
    let mut client = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    client.alpn_protocols = vec![b"h2".to_vec()];

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel();
    let stopped = async { stopped.await.unwrap_or_default() };
    let serving = tokio::spawn(serve_with(places, listener, Arc::new(server), site.parts.clone(), stopped));
    Served { address, tls: TlsConnector::from(Arc::new(client)), stop, serving }
}

async fn connect(served: &Served) -> Channel {
    connect_counted(served).await.0
}

/// A channel, and how often it connected.
async fn connect_counted(served: &Served) -> (Channel, Arc<AtomicUsize>) {
    let dialled = Arc::new(AtomicUsize::new(0));
    let dial = Dial { address: served.address, tls: served.tls.clone(), dialled: Arc::clone(&dialled) };
    // The scheme tells tonic nothing of the TLS that the connector speaks itself.
    let endpoint = Endpoint::from_static("http://localhost");
    (endpoint.connect_with_connector(dial).await.expect("it connects"), dialled)
}

/// A connection that shook hands and has said nothing yet.
async fn shake_hands(served: &Served) -> TlsStream<TcpStream> {
    let socket = TcpStream::connect(served.address).await.expect("it connects");
    let name = ServerName::try_from("localhost").expect("a name");
    served.tls.connect(name, socket).await.expect("it shakes hands")
}

fn with_token<T>(message: T, token: &str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
    request
}

#[tokio::test]
async fn an_operator_works_over_tls_and_an_open_subscription_does_not_hold_up_the_stop() {
    let site = Site::start().await;
    let served = start(&site).await;
    let channel = connect(&served).await;
    let mut principals = PrincipalServiceClient::new(channel.clone());
    let status = principals.create_principal(person("ana")).await.expect_err("nobody asks");
    assert_eq!(reason(&status), "TOKEN_MISSING");
    let created =
        principals.create_principal(with_token(person("ana"), &site.owner)).await.expect("root asks");
    assert_eq!(created.into_inner().principal.expect("a principal").name, "principals/ana");

    let mut audit = wire::pb::audit::v1::audit_service_client::AuditServiceClient::new(channel);
    let follow = with_token(wire::pb::audit::v1::SubscribeRequest::default(), &site.owner);
    let mut stream = audit.subscribe(follow).await.expect("it follows").into_inner();
    served.stop.send(()).expect("it serves");
    assert_eq!(reason(&stream.message().await.expect_err("it ends")), "NODE_STOPPING");
    drop((stream, audit, principals));
    served.serving.await.expect("it ends").expect("it ends well");
}

#[tokio::test]
async fn the_api_describes_itself_to_operators_only() {
    let site = Site::start().await;
    let served = start(&site).await;
    let mut reflection = ServerReflectionClient::new(connect(&served).await);
    let ask = || {
        let message_request = Some(MessageRequest::ListServices(String::new()));
        tokio_stream::once(ServerReflectionRequest { host: String::new(), message_request })
    };
    let refused = reflection.server_reflection_info(ask()).await.expect_err("nobody asks");
    assert_eq!(reason(&refused), "TOKEN_MISSING");
    let mut answers = reflection.server_reflection_info(with_token(ask(), &site.owner)).await;
    let answers = answers.as_mut().expect("root asks").get_mut();
    let answer = answers.message().await.expect("it answers").expect("one answer").message_response;
    let Some(MessageResponse::ListServicesResponse(listed)) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = listed.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&"portcullis.admin.v1.GrantService"), "{names:?}");
    assert!(names.contains(&"portcullis.audit.v1.AuditService"), "{names:?}");
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_turned_away_and_others_are_served() {
    let site = Site::start().await;
    let served = start(&site).await;
    let mut plain = TcpStream::connect(served.address).await.expect("it connects");
    plain.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.expect("it is sent");
    let mut answer = Vec::new();
    // A reset is as good as an end.
    drop(plain.read_to_end(&mut answer).await);
    assert!(!answer.starts_with(b"HTTP"), "nothing is answered in plain text");
    let mut principals = PrincipalServiceClient::new(connect(&served).await);
    let listed =
        principals.list_principals(with_token(pb::ListPrincipalsRequest::default(), &site.owner)).await;
    listed.expect("others are served");
}

/// More connections than there are places, from one peer that says nothing after its handshake.
const FLOOD: usize = 260;

#[tokio::test]
async fn silent_connections_do_not_keep_an_operator_out() {
    let site = Site::start().await;
    let served = start(&site).await;
    let mut silent = Vec::new();
    for _ in 0..FLOOD {
        silent.push(shake_hands(&served).await);
    }
    let mut principals = PrincipalServiceClient::new(connect(&served).await);
    principals
        .create_principal(with_token(person("ana"), &site.owner))
        .await
        .expect("the operator is served");
}

#[tokio::test]
async fn a_connection_ends_unless_an_operator_shows_itself_in_time() {
    let site = Site::start().await;
    let served = start_with(&site, Places::new(Duration::from_secs(1))).await;
    let (stranger, strangers_dials) = connect_counted(&served).await;
    let mut stranger = PrincipalServiceClient::new(stranger);
    stranger.list_principals(pb::ListPrincipalsRequest::default()).await.expect_err("it has no token");
    let (operator, operators_dials) = connect_counted(&served).await;
    let mut operator = PrincipalServiceClient::new(operator);
    let list = || with_token(pb::ListPrincipalsRequest::default(), &site.owner);
    operator.list_principals(list()).await.expect("it is an operator");

    let (mut silent, mut begun) = (shake_hands(&served).await, shake_hands(&served).await);
    begun.write_all(b"PRI * HTTP/2.0\r\n").await.expect("it is sent");
    // They end, with a goodbye or without.
    let mut said = Vec::new();
    drop((silent.read_to_end(&mut said).await, begun.read_to_end(&mut said).await));

    operator.list_principals(list()).await.expect("it is still an operator");
    assert_eq!(operators_dials.load(Ordering::SeqCst), 1, "an operator keeps its connection");
    while strangers_dials.load(Ordering::SeqCst) == 1 {
        stranger.list_principals(pb::ListPrincipalsRequest::default()).await.expect_err("it has no token");
    }
}
