//! The thread that owns the log, and the handle by which others reach it.
//!
//! The thread answers one request after the other and ends when it is told to, or when the last handle is gone. If it
//! panics (sled has places that do), every request that waits and every later one is answered with an error, which
//! ends the Raft node: never with silence.

use std::{io, path::PathBuf, thread, time::Duration};

use openraft::storage::LogFlushed;
use seams::SharedDisk;
use tokio::{
    sync::{mpsc, oneshot},
    time,
};

use super::{
    check::Contents,
    damage::Damage,
    disk_log::{DiskLog, LogFailed, OpenLogFailed},
};
use crate::{
    identity::Identity,
    type_config::{Entry, LogId, TypeConfig, Vote},
};

/// The most requests that wait for the thread. openraft asks for one thing at a time, a reader for each other member
/// too; more than this never wait.
const MAX_WAITING_REQUESTS: usize = 64;

/// How long a shutdown waits for the thread: a last write to a slow disk.
const CLOSE_DEADLINE: Duration = Duration::from_secs(10);

/// A handle on the log store. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct LogStore {
    requests: mpsc::Sender<Request>,
}

/// The thread, for whoever has to see it end.
pub(crate) struct StoreThread {
    requests: mpsc::Sender<Request>,
    thread: thread::JoinHandle<()>,
}

/// Why a request got no good answer. Each of them ends the Raft node.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestFailed {
    /// The log answered so.
    #[error("the log store failed")]
    Log(#[source] LogFailed),
    /// The thread has ended.
    #[error("the thread of the log store has ended")]
    Ended,
}

type Answer<T> = oneshot::Sender<Result<T, LogFailed>>;

enum Request {
    SaveIdentity(Box<Identity>, Answer<()>),
    SaveVote(Vote, Answer<()>),
    SaveCommitted(LogId, Answer<()>),
    Committed(Answer<Option<LogId>>),
    Append(Vec<Entry>, LogFlushed<TypeConfig>),
    Truncate(u64, Answer<()>),
    Purge(LogId, Answer<()>),
    Entries { start: u64, end: u64, answer: Answer<Vec<Entry>> },
    Contents(Answer<Contents>),
    Close,
}

/// Opens the log in `dir` on a thread of its own.
pub(crate) async fn open(
    dir: PathBuf,
    disk: SharedDisk,
) -> Result<(LogStore, StoreThread, Contents), OpenLogFailed> {
    let (requests, incoming) = mpsc::channel(MAX_WAITING_REQUESTS);
    let (opened, is_open) = oneshot::channel();
    let body = move || match DiskLog::open(&dir, &*disk) {
        Ok(log) => {
            // Whoever opened it may have given up meanwhile; then the last handle is gone too, and the thread ends.
            let _ = opened.send(Ok(log.contents().clone()));
            run(log, incoming);
        }
        Err(error) => {
            let _ = opened.send(Err(error));
        }
    };
    let thread = thread::Builder::new().name("raft-log".to_owned()).spawn(body)?;
    let contents = is_open.await.unwrap_or(Err(Damage::Panicked.into()))?;
    Ok((LogStore { requests: requests.clone() }, StoreThread { requests, thread }, contents))
}

impl LogStore {
    pub(crate) async fn save_identity(&self, identity: Identity) -> Result<(), RequestFailed> {
        self.ask(|answer| Request::SaveIdentity(Box::new(identity), answer)).await
    }

    pub(super) async fn save_vote(&self, vote: Vote) -> Result<(), RequestFailed> {
        self.ask(|answer| Request::SaveVote(vote, answer)).await
    }

    pub(super) async fn save_committed(&self, committed: LogId) -> Result<(), RequestFailed> {
        self.ask(|answer| Request::SaveCommitted(committed, answer)).await
    }

    pub(super) async fn committed(&self) -> Result<Option<LogId>, RequestFailed> {
        self.ask(Request::Committed).await
    }

    pub(super) async fn append(
        &self,
        entries: Vec<Entry>,
        flushed: LogFlushed<TypeConfig>,
    ) -> Result<(), RequestFailed> {
        self.requests.send(Request::Append(entries, flushed)).await.map_err(|_| RequestFailed::Ended)
    }

    pub(super) async fn truncate(&self, first: u64) -> Result<(), RequestFailed> {
        self.ask(|answer| Request::Truncate(first, answer)).await
    }

    pub(super) async fn purge(&self, upto: LogId) -> Result<(), RequestFailed> {
        self.ask(|answer| Request::Purge(upto, answer)).await
    }

    pub(super) async fn entries(&self, start: u64, end: u64) -> Result<Vec<Entry>, RequestFailed> {
        self.ask(|answer| Request::Entries { start, end, answer }).await
    }

    pub(super) async fn contents(&self) -> Result<Contents, RequestFailed> {
        self.ask(Request::Contents).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T, RequestFailed> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| RequestFailed::Ended)?;
        answered.await.map_err(|_| RequestFailed::Ended)?.map_err(RequestFailed::Log)
    }
}

impl StoreThread {
    /// Ends the thread, whoever still holds a handle, and returns when the files are closed.
    pub(crate) async fn close(self) {
        let Self { requests, thread } = self;
        // If the thread is gone already, there is nobody to tell.
        let _ = requests.send(Request::Close).await;
        let joined = tokio::task::spawn_blocking(move || thread.join());
        match time::timeout(CLOSE_DEADLINE, joined).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(_panic))) => tracing::error!("the thread of the raft log panicked"),
            Ok(Err(error)) => tracing::error!(%error, "nobody waited for the thread of the raft log"),
            Err(_) => tracing::error!("the thread of the raft log did not end in time"),
        }
    }
}

fn run(mut log: DiskLog, mut incoming: mpsc::Receiver<Request>) {
    while let Some(request) = incoming.blocking_recv() {
        match request {
            Request::SaveIdentity(identity, answer) => reply(answer, log.save_identity(&identity)),
            Request::SaveVote(vote, answer) => reply(answer, log.save_vote(&vote)),
            Request::SaveCommitted(committed, answer) => reply(answer, log.save_committed(&committed)),
            Request::Committed(answer) => reply(answer, log.committed()),
            Request::Append(entries, flushed) => {
                flushed.log_io_completed(log.append(&entries).map_err(io::Error::other));
            }
            Request::Truncate(first, answer) => reply(answer, log.truncate(first)),
            Request::Purge(upto, answer) => reply(answer, log.purge(&upto)),
            Request::Entries { start, end, answer } => reply(answer, log.entries(start, end)),
            Request::Contents(answer) => reply(answer, Ok(log.contents().clone())),
            Request::Close => break,
        }
    }
}

fn reply<T>(answer: Answer<T>, result: Result<T, LogFailed>) {
    // Whoever asked may have stopped waiting; what was written stays written, and the next reader sees it.
    let _ = answer.send(result);
}
