//! A server of HTTP/1.1 that records every byte it receives and answers as a script says.
//!
//! It speaks no MCP and trusts nobody. What a test asks of it afterwards: which requests came, on which connection,
//! and how a connection ended.

use std::{io, net::SocketAddr, sync::Arc};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::TlsAcceptor;

/// What the server does after a request.
#[derive(Clone)]
pub enum Answer {
    /// Sends these pieces, each in a write of its own, and waits for the next request.
    Pieces(Vec<Vec<u8>>),
    /// Sends these pieces and closes the connection.
    ThenClose(Vec<Vec<u8>>),
    /// Sends the first of these, and then the second over and over until the connection ends.
    Endless(Vec<u8>, Vec<u8>),
}

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer closed it.
    Closed,
    /// The peer reset it.
    Reset,
}

/// The server. Ends with its test's runtime.
pub struct RecordingUpstream {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    ends: mpsc::UnboundedReceiver<End>,
    arrivals: mpsc::UnboundedReceiver<()>,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    bytes: Vec<u8>,
    requests: Vec<Recorded>,
}

struct Server {
    seen: Arc<Mutex<Seen>>,
    script: Box<dyn Fn(&Recorded) -> Answer + Send + Sync>,
    ended: mpsc::UnboundedSender<End>,
    arrived: mpsc::UnboundedSender<()>,
}

impl RecordingUpstream {
    /// A server that gives the same answer to everything.
    pub async fn answering(answer: Answer) -> Self {
        Self::scripted(move |_| answer.clone()).await
    }

    /// A server whose script gives the answer to each request.
    pub async fn scripted(script: impl Fn(&Recorded) -> Answer + Send + Sync + 'static) -> Self {
        Self::start(script, None).await
    }

    /// A server behind TLS.
    pub async fn behind_tls(config: rustls::ServerConfig, answer: Answer) -> Self {
        Self::start(move |_| answer.clone(), Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start(
        script: impl Fn(&Recorded) -> Answer + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
        let address = listener.local_addr().expect("it is bound");
        let (ended, ends) = mpsc::unbounded_channel();
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let seen = Arc::<Mutex<Seen>>::default();
        let server = Arc::new(Server { seen: Arc::clone(&seen), script: Box::new(script), ended, arrived });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (server, tls) = (Arc::clone(&server), tls.clone());
                let connection = server.count_connection();
                tokio::spawn(async move {
                    let end = match tls {
                        None => server.serve(connection, stream).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => server.serve(connection, stream).await,
                            Err(error) => Err(error),
                        },
                    };
                    // A test that does not ask how connections end has dropped the receiver.
                    let _ = server.ended.send(match end.map_err(|error| error.kind()) {
                        // The second is how a writer learns of it.
                        Err(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => End::Reset,
                        _ => End::Closed,
                    });
                });
            }
        });
        Self { address, seen, ends, arrivals }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, with this path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The whole requests that came.
    pub fn requests(&self) -> Vec<Recorded> {
        self.seen.lock().requests.clone()
    }

    /// Every byte that came, over all connections.
    pub fn bytes(&self) -> Vec<u8> {
        self.seen.lock().bytes.clone()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.seen.lock().connections
    }

    /// Waits until one more request came.
    pub async fn arrival(&mut self) {
        self.arrivals.recv().await.expect("the server runs as long as this");
    }

    /// Waits until one more connection ended.
    pub async fn end(&mut self) -> End {
        self.ends.recv().await.expect("the server runs as long as this")
    }
}

impl Server {
    fn count_connection(&self) -> usize {
        let mut seen = self.seen.lock();
        seen.connections += 1;
        seen.connections - 1
    }

    async fn serve<S>(&self, connection: usize, stream: S) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Send,
    {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let mut pending = Vec::new();
        loop {
            let mut block = vec![0; 16 * 1024];
            let read = reader.read(&mut block).await?;
            if read == 0 {
                return Ok(());
            }
            self.seen.lock().bytes.extend_from_slice(&block[..read]);
            pending.extend_from_slice(&block[..read]);
            while let Some((request, length)) = whole_request(connection, &pending) {
                pending.drain(..length);
                let answer = (self.script)(&request);
                self.seen.lock().requests.push(request);
                // As above: not every test waits for arrivals.
                let _ = self.arrived.send(());
                let (pieces, close) = match answer {
                    Answer::Pieces(pieces) => (pieces, false),
                    Answer::ThenClose(pieces) => (pieces, true),
                    Answer::Endless(head, piece) => {
                        writer.write_all(&head).await?;
                        loop {
                            writer.write_all(&piece).await?;
                        }
                    }
                };
                for piece in pieces {
                    writer.write_all(&piece).await?;
                    writer.flush().await?;
                    // Lets the peer see this piece before the next.
                    tokio::task::yield_now().await;
                }
                if close {
                    return writer.shutdown().await;
                }
            }
        }
    }
}

/// The first request in `bytes`, if it is whole, and its length.
fn whole_request(connection: usize, bytes: &[u8]) -> Option<(Recorded, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8(bytes[..end].to_vec()).expect("heads are text");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().expect("a length"));
    let body = bytes.get(end..end + length)?.to_vec();
    Some((Recorded { connection, head, body }, end + length))
}

/// An answer of status 200 with this type and body, in one piece.
pub fn ok(content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// The head of an answer of status 200 whose body comes in chunks.
pub fn chunked(content_type: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n")
        .into_bytes()
}

/// One chunk (RFC 9112, section 7.1).
pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
