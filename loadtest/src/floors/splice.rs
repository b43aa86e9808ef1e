//! The lower floor: bytes are copied between two sockets, and nobody knows that they are HTTP.
//!
//! Four calls to the kernel for each request and its answer; no proxy in user space does with fewer.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::{
    io::copy_bidirectional_with_sizes,
    net::{TcpListener, TcpStream},
};

/// Bytes copied at once in each direction.
const COPY_BYTES: usize = 64 * 1024;

/// Listens on loopback, prints the address, and copies until it is killed.
pub async fn serve(upstream: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (client, _) = listener.accept().await.context("the splice cannot accept")?;
        tokio::spawn(async move {
            if let Err(error) = copy(client, upstream).await {
                eprintln!("splice: {error:#}");
            }
        });
    }
}

async fn copy(mut client: TcpStream, upstream: SocketAddr) -> Result<()> {
    client.set_nodelay(true)?;
    let mut server = TcpStream::connect(upstream).await.context("cannot reach the upstream")?;
    server.set_nodelay(true)?;
    // Whoever resets a connection ends it, and the load counts the answer that is missing.
    drop(copy_bidirectional_with_sizes(&mut client, &mut server, COPY_BYTES, COPY_BYTES).await);
    Ok(())
}
