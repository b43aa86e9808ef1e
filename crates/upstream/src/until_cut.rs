//! Waiting for something unless the call is cut first.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use authority::enforcement::{CallMark, Cut};

/// Runs `work` until it is done or the call is cut, whichever comes first; a cut that was there before wins. What
/// `work` holds is dropped by the cut.
pub(crate) async fn until_cut<F: Future>(mark: &CallMark, work: F) -> Result<F::Output, Cut> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        if mark.poll_cut(cx.waker()) {
            return Poll::Ready(Err(Cut));
        }
        work.as_mut().poll(cx).map(Ok)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use authority::enforcement::CutReason;

    use super::*;

    #[tokio::test]
    async fn work_that_is_done_wins_unless_the_call_was_cut_before() {
        let mark = CallMark::new();
        assert_eq!(until_cut(&mark, ready(1)).await, Ok(1));
        mark.cut(CutReason::ClientGone);
        assert_eq!(until_cut(&mark, ready(1)).await, Err(Cut));
    }

    #[tokio::test]
    async fn a_cut_ends_the_wait() {
        let mark = CallMark::new();
        let cut = async {
            mark.cut(CutReason::ClientGone);
        };
        let (waited, ()) = tokio::join!(until_cut(&mark, pending::<()>()), cut);
        assert_eq!(waited, Err(Cut));
    }
}
