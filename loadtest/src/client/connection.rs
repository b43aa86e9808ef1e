//! One connection of the load: it sends a request that was made before, and reads the answer to its last byte.
//!
//! The bytes of an answer are counted and thrown away; the opening of the last one stays in the buffer, to say what a
//! wrong answer was. There is never more than one request on the way.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    clock::now_nanos,
    http1::{Body, Head},
};

/// Bytes read at once. A whole small answer fits, and a large one takes few reads.
const BUFFER_BYTES: usize = 128 * 1024;

/// How much of a wrong answer is shown.
const SHOWN_BYTES: usize = 400;

/// An open connection.
pub struct Connection {
    socket: TcpStream,
    buffer: Box<[u8]>,
    filled: usize,
}

/// A whole answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Bytes of the body, without framing.
    pub body_bytes: u64,
    /// When the first byte of the body was there.
    pub first_byte_nanos: u64,
}

/// An answer whose head, at least, is there.
struct Begun {
    status: u16,
    body: Body,
    /// Where in the buffer the body begins.
    at: usize,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let socket =
            TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        socket.set_nodelay(true)?;
        Ok(Self { socket, buffer: vec![0; BUFFER_BYTES].into_boxed_slice(), filled: 0 })
    }

    /// Sends a request and reads the whole answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        self.send(request).await?;
        self.answer().await
    }

    /// The same, where anything but success with at least `least_body_bytes` is an error that shows the answer.
    pub async fn succeed(&mut self, request: &[u8], least_body_bytes: u64) -> Result<Answer> {
        let answer = self.exchange(request).await?;
        if answer.status != 200 || answer.body_bytes < least_body_bytes {
            let shown = &self.buffer[..self.filled.min(SHOWN_BYTES)];
            bail!(
                "status {}, {} bytes: {}",
                answer.status,
                answer.body_bytes,
                String::from_utf8_lossy(shown)
            );
        }
        Ok(answer)
    }

    /// Sends a request.
    pub async fn send(&mut self, request: &[u8]) -> Result<()> {
        self.socket.write_all(request).await.context("the request was not taken")
    }

    /// Reads the answer to its end.
    pub async fn answer(&mut self) -> Result<Answer> {
        let Begun { status, mut body, at } = self.begun().await?;
        let mut new = at..self.filled;
        let mut first_byte_nanos = None;
        loop {
            if !new.is_empty() {
                first_byte_nanos.get_or_insert_with(now_nanos);
            }
            body.take(&self.buffer[new])?;
            if body.is_whole() {
                let first_byte_nanos = first_byte_nanos.unwrap_or_else(now_nanos);
                return Ok(Answer { status, body_bytes: body.seen(), first_byte_nanos });
            }
            self.filled = self.read_at(0).await?;
            new = 0..self.filled;
        }
    }

    /// Reads until the first byte of the body of an answer is there, and answers the status. What follows is still to come.
    pub async fn first_byte(&mut self) -> Result<u16> {
        let begun = self.begun().await?;
        let mut filled = self.filled;
        while filled == begun.at {
            filled += self.read_at(filled).await?;
        }
        Ok(begun.status)
    }

    /// Lets go of the buffer and keeps the socket, for a stream that is only held open.
    pub fn into_socket(self) -> TcpStream {
        self.socket
    }

    async fn begun(&mut self) -> Result<Begun> {
        self.filled = 0;
        loop {
            if self.filled == self.buffer.len() {
                bail!("the head of the answer is larger than {BUFFER_BYTES} bytes");
            }
            self.filled += self.read_at(self.filled).await?;
            if let Some(head) = Head::read(&self.buffer[..self.filled]) {
                let status = head.status().context("not the head of an answer")?;
                return Ok(Begun { status, body: head.body()?, at: head.len() });
            }
        }
    }

    async fn read_at(&mut self, at: usize) -> Result<usize> {
        let count = self.socket.read(&mut self.buffer[at..]).await.context("the answer broke off")?;
        if count == 0 {
            bail!("the connection ended before the answer did");
        }
        Ok(count)
    }
}
