//! Between one call and its client: waits for the upstream and hands the answer on, while watching for whatever ends it.
//!
//! Nothing is collected here. A slow client holds the upstream back, since at most a few pieces wait; a client that has
//! gone ends the call or lets it run on, as its revision has it; a cut ends it at once, wherever it stands. What must
//! stay true: every wait of a call after its intent is recorded goes through [`Relay::until`] or [`Relay::send`], and
//! so also waits for the cutoff.

use std::{
    future::{Future, pending},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use authority::enforcement::CallMark;
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::oneshot;
use upstream::ReplyBody;

use crate::{
    answer::{self, Answer, Pipe},
    broke::Broke,
    cutoff::{Cutoff, Stop},
    socket::Reset,
};

/// What happens to a call whose client goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnClientGone {
    /// It is cut: closing the stream is how a client of 2026-07-28 cancels, and a GET stream is for its client only.
    Cancel,
    /// It runs on for as long as this: older revisions say that a disconnect does not cancel.
    RunOn(Duration),
}

/// One call and its client.
pub(crate) struct Relay {
    client: Client,
    /// Ends the client's connection, if it carries nothing but this call.
    reset: Option<Arc<Reset>>,
    cutoff: Cutoff,
    on_client_gone: OnClientGone,
}

/// Who waits for the answer of one call.
pub(crate) struct Waiting {
    /// Takes the answer.
    pub(crate) answer: oneshot::Sender<Answer>,
    /// Ends the client's connection, if it carries nothing but this call.
    pub(crate) reset: Option<Arc<Reset>>,
}

/// What the client does.
enum Client {
    /// It waits for the answer to begin.
    Waiting(oneshot::Sender<Answer>),
    /// It reads the answer.
    Reading(Pipe),
    /// It has all of the answer, or has gone.
    Done,
}

/// What came of waiting for a body with patience.
#[derive(Debug)]
pub(crate) enum Within {
    /// The next piece, or the end.
    Next(Option<Bytes>),
    /// Nothing, for as long as one would wait.
    Silence,
}

impl Relay {
    pub(crate) fn new(client: Waiting, cutoff: Cutoff, on_client_gone: OnClientGone) -> Self {
        let Waiting { answer, reset } = client;
        Self { client: Client::Waiting(answer), reset, cutoff, on_client_gone }
    }

    /// Does `work`, unless the call has to stop before.
    pub(crate) async fn until<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Stop> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                stop = self.cutoff.reached() => return Err(stop),
                () = self.client.gone() => self.client_gone(),
                done = &mut work => return Ok(done),
            }
        }
    }

    /// Waits for the next piece of `body`; `None` is its orderly end.
    pub(crate) async fn next(&mut self, body: &mut ReplyBody) -> Result<Option<Bytes>, Broke> {
        self.until(next_piece(body)).await?
    }

    /// Waits for the next piece of `body`, but no longer than `patience`.
    pub(crate) async fn next_within(
        &mut self,
        body: &mut ReplyBody,
        patience: impl Future<Output = ()>,
    ) -> Result<Within, Broke> {
        self.until(async {
            tokio::select! {
                biased;
                piece = next_piece(body) => piece.map(Within::Next),
                () = patience => Ok(Within::Silence),
            }
        })
        .await?
    }

    /// The mark of the call.
    pub(crate) fn mark(&self) -> &CallMark {
        self.cutoff.mark()
    }

    /// Gives the client the whole answer.
    pub(crate) fn answer(&mut self, answer: Answer) {
        if let Client::Waiting(client) = std::mem::replace(&mut self.client, Client::Done) {
            // A client that has gone meanwhile reads no answer, and the call ends here in any case.
            let _ = client.send(answer);
        }
    }

    /// Gives the client `answer` if none has begun. One that has is aborted, with all of it that still waits.
    pub(crate) fn answer_or_abort(&mut self, answer: impl FnOnce() -> Answer) {
        match std::mem::replace(&mut self.client, Client::Done) {
            // As above: a client that has gone reads no answer.
            Client::Waiting(client) => drop(client.send(answer())),
            Client::Reading(pipe) => {
                drop(pipe);
                if let Some(reset) = &self.reset {
                    reset.order();
                }
            }
            Client::Done => {}
        }
    }

    /// Begins an answer whose body follows by [`Relay::send`].
    pub(crate) fn begin(&mut self, answer: impl FnOnce(answer::Body) -> Answer) {
        let Client::Waiting(client) = std::mem::replace(&mut self.client, Client::Done) else { return };
        let (pipe, body) = answer::pipe();
        match client.send(answer(body)) {
            Ok(()) => self.client = Client::Reading(pipe),
            Err(_unread) => self.client_gone(),
        }
    }

    /// Hands a piece of the body on; once the client is gone, nowhere.
    pub(crate) async fn send(&mut self, piece: Bytes) -> Result<(), Stop> {
        let Client::Reading(pipe) = &self.client else { return Ok(()) };
        let sent = tokio::select! {
            biased;
            stop = self.cutoff.reached() => return Err(stop),
            sent = pipe.send(piece) => sent,
        };
        if sent.is_err() {
            self.client_gone();
        }
        Ok(())
    }

    /// Ends the body in order. A relay dropped without this aborts it, and the client sees that.
    pub(crate) fn complete(&mut self) {
        if let Client::Reading(pipe) = std::mem::replace(&mut self.client, Client::Done) {
            pipe.complete();
        }
    }

    fn client_gone(&mut self) {
        self.client = Client::Done;
        match self.on_client_gone {
            OnClientGone::Cancel => self.cutoff.client_gone(),
            OnClientGone::RunOn(at_most) => self.cutoff.abandon(at_most),
        }
    }
}

impl Client {
    /// Waits until the client has gone while something was owed to it.
    async fn gone(&mut self) {
        match self {
            Self::Waiting(client) => client.closed().await,
            Self::Reading(pipe) => pipe.closed().await,
            Self::Done => pending().await,
        }
    }
}

/// The next data of a body; it has no trailers.
async fn next_piece(body: &mut ReplyBody) -> Result<Option<Bytes>, Broke> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(Broke::Reply)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
