//! A request's body, read whole under bounds of size and time. The decision needs all of it before a byte goes on.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::timeout;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyRefused {
    /// It is longer than the bound.
    #[error("the body is longer than {limit} bytes")]
    TooLarge {
        /// The bound.
        limit: usize,
    },
    /// It took longer than the bound.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The connection ended or broke its framing.
    #[error("the body ended early or broke the framing of HTTP")]
    Broken,
}

/// Reads `body`. One that came in one piece, as most do, is not copied.
pub(crate) async fn read<B>(body: B, limit: usize, within: Duration) -> Result<Bytes, BodyRefused>
where
    B: Body<Data = Bytes> + Unpin,
{
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(BodyRefused::TooLarge { limit });
    }
    timeout(within, collect(body, limit)).await.unwrap_or(Err(BodyRefused::TooSlow))
}

async fn collect<B>(mut body: B, limit: usize) -> Result<Bytes, BodyRefused>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyRefused::Broken)?.into_data() else { continue };
        if first.len() + joined.len() + data.len() > limit {
            return Err(BodyRefused::TooLarge { limit });
        }
        if first.is_empty() && joined.is_empty() {
            first = data;
        } else {
            joined.extend_from_slice(&std::mem::take(&mut first));
            joined.extend_from_slice(&data);
        }
    }
    Ok(if joined.is_empty() { first } else { joined.freeze() })
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        pin::Pin,
        task::{Context, Poll},
    };

    use http_body::Frame;

    use super::*;

    /// A body of given pieces, that ends or never does.
    struct Pieces(Vec<&'static [u8]>, bool);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match self.0.is_empty() {
                false => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(self.0.remove(0)))))),
                true if self.1 => Poll::Ready(None),
                true => Poll::Pending,
            }
        }
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn a_body_is_whole_in_its_order() {
        assert_eq!(read(Pieces(vec![b"abc"], true), 9, MINUTE).await.as_deref(), Ok(&b"abc"[..]));
        let pieces = Pieces(vec![b"abc", b"", b"def", b"ghi"], true);
        assert_eq!(read(pieces, 9, MINUTE).await.as_deref(), Ok(&b"abcdefghi"[..]));
        assert_eq!(read(Pieces(vec![], true), 9, MINUTE).await.as_deref(), Ok(&b""[..]));
    }

    #[tokio::test]
    async fn a_body_beyond_its_bound_is_refused_without_being_kept() {
        let refused = read(Pieces(vec![b"abcde", b"fghij"], false), 9, MINUTE).await;
        assert_eq!(refused, Err(BodyRefused::TooLarge { limit: 9 }));
    }

    #[tokio::test]
    async fn d02_a_body_that_never_ends_is_refused_in_time() {
        assert_eq!(
            read(Pieces(vec![b"abc"], false), 9, Duration::from_millis(1)).await,
            Err(BodyRefused::TooSlow)
        );
    }
}
