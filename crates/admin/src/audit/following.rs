//! One subscription: a task that reads on and a bounded queue to the subscriber.
//!
//! A subscriber that does not keep up is cut, so that it costs the node a fixed amount of memory and nothing else; it
//! resumes from its last cursor without a gap. The subscriber's token is looked at again before every answer, so that
//! a token that was rotated away stops reading too.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use authority::{enforcement::Gate, time::Wall};
use ledger::{
    Reader,
    cursor::Cursor,
    reader::{Progress, Query},
};
use seams::SharedClock;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot, watch},
    time::{sleep, timeout},
};
use tokio_stream::Stream;
use tonic::Status;
use wire::pb::audit::v1 as pb;

use super::{filter::Filter, forms, holders::Holders};
use crate::{
    authenticate::{Authenticator, Caller},
    instants::timestamp,
    parse::{self, Invalid, Why},
    status,
};

/// The most entries of one answer.
const MAX_ENTRIES: usize = 100;

/// How many answers wait for the subscriber. With the window of the connection this smooths a hiccup; a reader that
/// is slower than the record for longer gains nothing from more.
const MAX_WAITING: usize = 8;

/// How long a full queue waits for the subscriber before it is cut.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often a heartbeat comes, if the subscriber does not say, and what it may say.
const HEARTBEAT: Duration = Duration::from_secs(15);
const SHORTEST_HEARTBEAT: Duration = Duration::from_secs(5);
const LONGEST_HEARTBEAT: Duration = Duration::from_secs(60);

/// What a subscription reads, for whom, until when.
pub(super) struct Subscription {
    pub(super) reader: Reader,
    pub(super) gate: Arc<Gate>,
    pub(super) clock: SharedClock,
    pub(super) authenticator: Arc<Authenticator>,
    pub(super) caller: Caller,
    pub(super) filter: Filter,
    pub(super) heartbeat: Duration,
    pub(super) stopping: watch::Receiver<bool>,
    /// Its place among the subscriptions.
    pub(super) _place: OwnedSemaphorePermit,
}

/// The answers of a subscription: those that wait, then how it ended.
pub(super) struct Following {
    answers: mpsc::Receiver<pb::SubscribeResponse>,
    ended: Option<oneshot::Receiver<Status>>,
}

/// Why waiting at the end of the record is over.
enum Waited {
    /// There is something new.
    Grew,
    /// There was nothing new for a heartbeat.
    Long,
    /// The subscriber left.
    Left,
    /// The node stops.
    Stopping,
}

/// The interval a request asks for, within bounds.
pub(super) fn heartbeat(said: Option<&prost_types::Duration>) -> Result<Duration, Invalid> {
    const FIELD: &str = "heartbeat_interval";
    let Some(said) = said else { return Ok(HEARTBEAT) };
    let asked = Duration::from_millis(parse::duration_millis(FIELD, said)?);
    if (SHORTEST_HEARTBEAT..=LONGEST_HEARTBEAT).contains(&asked) {
        return Ok(asked);
    }
    Err(Why::Duration.of(FIELD))
}

impl Following {
    /// Starts following after `at`. Dropping the stream ends the task.
    pub(super) fn start(subscription: Subscription, at: Cursor) -> Self {
        let (sender, answers) = mpsc::channel(MAX_WAITING);
        let (end, ended) = oneshot::channel();
        tokio::spawn(async move {
            if let Some(status) = subscription.follow(&sender, at).await {
                // Nobody is there any more to be told, which is one way to end.
                drop(end.send(status));
            }
        });
        Self { answers, ended: Some(ended) }
    }
}

impl Stream for Following {
    type Item = Result<pb::SubscribeResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(answer) = std::task::ready!(self.answers.poll_recv(context)) {
            return Poll::Ready(Some(Ok(answer)));
        }
        let Some(ended) = &mut self.ended else { return Poll::Ready(None) };
        let status = std::task::ready!(Pin::new(ended).poll(context));
        self.ended = None;
        Poll::Ready(status.ok().map(Err))
    }
}

impl Subscription {
    /// Reads on until there is a reason to end; none if the subscriber left.
    async fn follow(self, answers: &mpsc::Sender<pb::SubscribeResponse>, mut at: Cursor) -> Option<Status> {
        loop {
            if let Err(refused) = self.authenticator.still_holds(&self.caller) {
                return Some(refused.into());
            }
            // Marked before it is read, so that what comes meanwhile is not slept through.
            let progress = self.reader.progress();
            let query = Query { after: at, limit: Some(MAX_ENTRIES), newest: false };
            let holders = Holders::of(&self.gate);
            let page = match self.reader.read(&query, |read| self.filter.picks(read, &holders)).await {
                Ok(page) => page,
                Err(error) => return Some(status::not_listed(&error)),
            };
            at = page.next.clone();
            let (is_last, entries) = (page.is_last, forms(&page, &holders).collect::<Vec<_>>());
            if !entries.is_empty()
                && let Err(end) = self.send(answers, entries, &at).await
            {
                return end;
            }
            if !is_last {
                continue;
            }
            match self.wait(answers, &progress).await {
                Waited::Grew => {}
                Waited::Long => {
                    if let Err(end) = self.send(answers, Vec::new(), &at).await {
                        return end;
                    }
                }
                Waited::Left => return None,
                Waited::Stopping => return Some(status::stopping()),
            }
        }
    }

    /// Waits at the end of the record.
    async fn wait(&self, answers: &mpsc::Sender<pb::SubscribeResponse>, progress: &Progress) -> Waited {
        let mut stopping = self.stopping.clone();
        tokio::select! {
            () = self.reader.grown(progress) => Waited::Grew,
            () = sleep(self.heartbeat) => Waited::Long,
            () = answers.closed() => Waited::Left,
            // An error means that the server is gone, which is a stop too.
            _ = stopping.wait_for(|stopping| *stopping) => Waited::Stopping,
        }
    }

    /// Sends an answer; an error ends the subscription, for the reason it holds, if any.
    async fn send(
        &self,
        answers: &mpsc::Sender<pb::SubscribeResponse>,
        entries: Vec<pb::AuditEntry>,
        at: &Cursor,
    ) -> Result<(), Option<Status>> {
        let now = Wall(self.clock.wall_millis());
        let answer =
            pb::SubscribeResponse { entries, cursor: at.to_string(), server_time: Some(timestamp(now)) };
        match timeout(PATIENCE, answers.send(answer)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => Err(Some(status::too_slow())),
        }
    }
}
