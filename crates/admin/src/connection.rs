//! A connection under TLS that may stay only if an operator shows itself on it in time.
//!
//! It passes bytes and reads none of them. What must stay true: once its probation failed every operation fails, so
//! that whatever the HTTP/2 engine waits for, be it a preface, a frame or room to write, it gives the connection up.

use std::{
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tonic::transport::server::Connected;

use crate::{
    guard::Peer,
    places::{Dismissed, Probation},
};

/// A connection and, with its peer, the place it holds.
pub(crate) struct Connection {
    tls: TlsStream<TcpStream>,
    peer: Peer,
    standing: Standing,
}

enum Standing {
    OnProbation(Probation),
    Kept,
    Dismissed(Dismissed),
}

impl Connection {
    /// Shakes hands, which counts as part of the probation.
    ///
    /// # Errors
    /// The handshake failed, or the probation ended first.
    pub(crate) async fn open(
        socket: TcpStream,
        tls: TlsAcceptor,
        peer: Peer,
        mut probation: Probation,
    ) -> io::Result<Self> {
        // Answers are small and their reader waits for each.
        socket.set_nodelay(true)?;
        let tls = tokio::select! {
            accepted = tls.accept(socket) => accepted?,
            Err(dismissed) = &mut probation => return Err(dismissed.into()),
        };
        Ok(Self { tls, peer, standing: Standing::OnProbation(probation) })
    }

    /// The stream, if the connection may still be used.
    fn usable(&mut self, context: &mut Context<'_>) -> io::Result<&mut TlsStream<TcpStream>> {
        if let Standing::OnProbation(probation) = &mut self.standing
            && let Poll::Ready(ended) = Pin::new(probation).poll(context)
        {
            self.standing = match ended {
                Ok(()) => Standing::Kept,
                Err(dismissed) => {
                    tracing::debug!(peer = %self.peer.address, reason = %dismissed, "an admin connection is closed");
                    Standing::Dismissed(dismissed)
                }
            };
        }
        match self.standing {
            Standing::OnProbation(_) | Standing::Kept => Ok(&mut self.tls),
            Standing::Dismissed(dismissed) => Err(dismissed.into()),
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        Peer { address: self.peer.address, place: Arc::clone(&self.peer.place) }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        pin!(self.usable(context)?).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        pin!(self.usable(context)?).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        pin!(self.usable(context)?).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.tls.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(self.usable(context)?).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(self.usable(context)?).poll_shutdown(context)
    }
}
