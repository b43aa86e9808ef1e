//! A plain MCP client over a plain socket: one request a connection, every byte of the answer kept.
//!
//! Not an SDK: the proofs want the bytes as they came, and to be cut off at any of them.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use seams::{Clock, SystemClock};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// A client of one server behind a gateway.
#[derive(Clone, Debug)]
pub struct McpClient {
    /// Where the gateway listens for agents.
    pub gateway: SocketAddr,
    /// The server's name.
    pub server: String,
    /// The grant token.
    pub token: String,
}

/// An answer, as it came.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// Head and body.
    pub bytes: Vec<u8>,
}

/// An answer that is still coming.
pub struct OpenStream {
    socket: TcpStream,
    bytes: Vec<u8>,
}

/// How a stream ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Boot time at which the client knew, in nanoseconds.
    pub at_nanos: u64,
    /// Everything that came.
    pub bytes: Vec<u8>,
}

impl OpenStream {
    /// Reads until the gateway ends the stream, by an end or by a reset.
    pub async fn until_end(mut self) -> Result<Ended> {
        let read = timeout(ANSWER, self.socket.read_to_end(&mut self.bytes)).await;
        let at_nanos = SystemClock.boot_nanos();
        // A reset is an end too: it is what a cut looks like from here.
        drop(read.context("the stream did not end")?);
        Ok(Ended { at_nanos, bytes: self.bytes })
    }

    async fn read_until(&mut self, opening: &str) -> Result<()> {
        while !String::from_utf8_lossy(&self.bytes).contains(opening) {
            if self.socket.read_buf(&mut self.bytes).await? == 0 {
                anyhow::bail!("the stream ended before it began: {}", String::from_utf8_lossy(&self.bytes));
            }
        }
        Ok(())
    }
}

impl McpClient {
    /// Calls a tool in the revision without sessions; `trace` is the W3C trace-id the call is known by in the record.
    pub async fn call_tool(
        &self,
        tool: &str,
        arguments: &Value,
        trace: &str,
        headers: &str,
    ) -> Result<Answered> {
        let (body, named) = Self::tool_call(tool, arguments, trace);
        self.post(&body, &format!("{named}{headers}")).await
    }

    /// Calls a tool whose answer is a stream, and answers when its first event, which holds `opening`, is there.
    pub async fn open_stream(&self, tool: &str, trace: &str, opening: &str) -> Result<OpenStream> {
        let (body, named) = Self::tool_call(tool, &json!({}), trace);
        let mut socket = TcpStream::connect(self.gateway).await.context("the gateway does not accept")?;
        socket.write_all(self.request(&body, &named).as_bytes()).await?;
        let mut stream = OpenStream { socket, bytes: Vec::new() };
        timeout(ANSWER, stream.read_until(opening)).await.context("the stream did not open in time")??;
        Ok(stream)
    }

    /// The body of a tool call, and the headers that mirror it.
    fn tool_call(tool: &str, arguments: &Value, trace: &str) -> (String, String) {
        let body = json!({
            "jsonrpc": "2.0", "id": trace, "method": "tools/call",
            "params": {
                "name": tool,
                "arguments": arguments,
                "_meta": {
                    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                    "io.modelcontextprotocol/clientCapabilities": {},
                    "io.modelcontextprotocol/clientInfo": {"name": "proof", "version": "1"},
                    "traceparent": format!("00-{trace}-00f067aa0ba902b7-01")
                }
            }
        });
        let named =
            format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n");
        (body.to_string(), named)
    }

    /// Posts a body with these headers added to those every client sends.
    pub async fn post(&self, body: &str, headers: &str) -> Result<Answered> {
        self.exchange(self.request(body, headers).as_bytes()).await
    }

    fn request(&self, body: &str, headers: &str) -> String {
        format!(
            "POST /mcp/{}/ HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
            self.server,
            self.gateway,
            self.token,
            body.len()
        )
    }

    /// Sends these bytes and reads until the gateway closes.
    pub async fn exchange(&self, request: &[u8]) -> Result<Answered> {
        let mut socket = TcpStream::connect(self.gateway).await.context("the gateway does not accept")?;
        socket.write_all(request).await?;
        let mut bytes = Vec::new();
        timeout(ANSWER, socket.read_to_end(&mut bytes)).await.context("no answer in time")??;
        let status = bytes.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
        let status =
            status.and_then(|digits| digits.parse().ok()).context("the gateway closed without an answer")?;
        Ok(Answered { status, bytes })
    }
}
