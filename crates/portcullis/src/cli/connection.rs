//! The connection to the admin API: TLS under the context's own certificate authority, and the operator token with
//! every request.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint, Uri},
};

use super::Global;
use crate::context::Context;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long one request may take: longer than the gateway waits for a change to be enforced.
const REQUEST: Duration = Duration::from_secs(40);

/// A channel that sends the operator token.
pub type Connection = InterceptedService<Channel, SendToken>;

/// Adds the operator token to each request.
#[derive(Clone)]
pub struct SendToken(MetadataValue<Ascii>);

impl Interceptor for SendToken {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Connects to the gateway of the context, for requests that each end.
pub async fn open(global: &Global) -> Result<Connection> {
    connect(global, Some(REQUEST)).await
}

/// Connects for a stream that goes on until one side ends it.
pub async fn open_for_stream(global: &Global) -> Result<Connection> {
    connect(global, None).await
}

async fn connect(global: &Global, timeout: Option<Duration>) -> Result<Connection> {
    let context = Context::find(global.context.as_deref())?;
    let Some(authority) = context.admin_url.strip_prefix("https://") else {
        bail!("admin_url = {:?} of the context does not begin with https://", context.admin_url);
    };
    let authority = authority.trim_end_matches('/').to_owned();
    let token: MetadataValue<Ascii> = format!("Bearer {}", context.operator_token()?)
        .parse()
        .map_err(|_| anyhow::anyhow!("the operator token has characters that no token has"))?;
    let tls = client_tls(&context)?;
    // TLS is made by the connector below, so the channel itself sees a plain URI.
    let mut endpoint = Endpoint::from_shared(format!("http://{authority}"))?.connect_timeout(CONNECT);
    if let Some(timeout) = timeout {
        endpoint = endpoint.timeout(timeout);
    }
    let connector = tower::service_fn(move |uri: Uri| secure(tls.clone(), uri));
    let channel = endpoint
        .connect_with_connector(connector)
        .await
        .with_context(|| format!("cannot reach the gateway at {}; is it running?", context.admin_url))?;
    let mut token = token;
    token.set_sensitive(true);
    Ok(InterceptedService::new(channel, SendToken(token)))
}

async fn secure(
    tls: TlsConnector,
    uri: Uri,
) -> std::io::Result<TokioIo<tokio_rustls::client::TlsStream<TcpStream>>> {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
    let socket = TcpStream::connect((host.as_str(), uri.port_u16().unwrap_or(443))).await?;
    socket.set_nodelay(true)?;
    let name = ServerName::try_from(host).map_err(std::io::Error::other)?;
    Ok(TokioIo::new(tls.connect(name, socket).await?))
}

fn client_tls(context: &Context) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    let file = &context.ca_file;
    let certificates = CertificateDer::pem_file_iter(file)
        .with_context(|| format!("cannot read the certificate authority {}", file.display()))?;
    for certificate in certificates {
        roots.add(certificate?).with_context(|| format!("{} is no certificate authority", file.display()))?;
    }
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}
