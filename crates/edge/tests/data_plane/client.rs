//! A client that writes bytes and reads bytes, so that a test can say anything at all on the wire.

use std::{io, net::SocketAddr};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One connection to the gateway.
pub struct Connection {
    tcp: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, or its head while the body still streams.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The text of a denied `tools/call`, or the message of an error.
    pub fn text(&self) -> String {
        let json = self.json();
        let text = json.pointer("/result/content/0/text").or_else(|| json.pointer("/error/message"));
        text.and_then(Value::as_str).expect("a text").to_owned()
    }
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let tcp = TcpStream::connect(address).await.expect("the gateway listens");
        Self { tcp, buffer: Vec::new() }
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.tcp.write_all(bytes).await.expect("the gateway reads");
    }

    /// Reads an answer whole.
    pub async fn response(&mut self) -> io::Result<Response> {
        let mut response = self.head().await?;
        match response.header("content-length").map(str::to_owned) {
            Some(length) => {
                let length: usize = length.parse().expect("a length");
                while self.buffer.len() < length {
                    self.read_more().await?;
                }
                response.body = self.buffer.drain(..length).collect();
            }
            None if response.header("transfer-encoding").is_some() => {
                while let Some(chunk) = self.chunk().await? {
                    response.body.extend_from_slice(&chunk);
                }
            }
            None => {}
        }
        Ok(response)
    }

    /// Reads the head of an answer only.
    pub async fn head(&mut self) -> io::Result<Response> {
        let end = self.position_of(b"\r\n\r\n").await?;
        let head = String::from_utf8(self.buffer.drain(..end + 4).collect()).expect("an ASCII head");
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
        let headers = lines.filter_map(|line| line.split_once(": "));
        Ok(Response {
            status: status.parse().expect("a status"),
            headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
            body: Vec::new(),
        })
    }

    /// The next chunk of a streamed body; `None` at its orderly end.
    pub async fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let end = self.position_of(b"\r\n").await?;
        let size = String::from_utf8(self.buffer.drain(..end + 2).collect()).expect("an ASCII size");
        let size = usize::from_str_radix(size.trim_end(), 16).expect("a hexadecimal size");
        while self.buffer.len() < size + 2 {
            self.read_more().await?;
        }
        let chunk: Vec<u8> = self.buffer.drain(..size + 2).take(size).collect();
        Ok((size > 0).then_some(chunk))
    }

    /// Reads a streamed body until it holds `text`.
    pub async fn until(&mut self, text: &str) -> io::Result<String> {
        let mut read = String::new();
        while !read.contains(text) {
            let chunk = self.chunk().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
            read.push_str(&String::from_utf8(chunk).expect("text"));
        }
        Ok(read)
    }

    /// Reads until the gateway ends the connection, in order or not.
    pub async fn ends(&mut self) {
        while self.read_more().await.is_ok() {}
    }

    async fn position_of(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.buffer.windows(bytes.len()).position(|window| window == bytes) {
                Some(at) => return Ok(at),
                None => self.read_more().await?,
            }
        }
    }

    async fn read_more(&mut self) -> io::Result<()> {
        match self.tcp.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _more => Ok(()),
        }
    }
}
