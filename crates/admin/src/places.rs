//! The places for connections, and who has to leave when they run short.
//!
//! ```text
//!   accept ─► take: on probation ──guard: an operator──► keep: stays as long as it likes
//!                   │
//!                   └─► dismissed: too late, or the oldest when a newcomer needs the place
//! ```
//!
//! A revocation must get through while somebody without a token does all it can against it. So connections on
//! probation hold at most half of the places and few from one network, and the oldest of them goes when there is no
//! more room: a silent peer can hold nothing, and one network mostly pushes out its own. Turning newcomers away
//! instead would give the places to whoever came first.
//!
//! It knows no sockets. What must stay true: a place is held until the connection is gone, so that there are never
//! more than [`MAX_CONNECTIONS`]; only [`Place::keep`] ends a probation well, and only the guard calls it.

use std::{
    collections::BTreeMap,
    io,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Sleep, sleep},
};

use crate::network::Network;

/// The most connections at once, handshakes included: operators and their tools, not agents. Further ones wait,
/// one accepted and the others in the listener's backlog, which happens only if operators hold all places.
const MAX_CONNECTIONS: usize = 256;

/// The most connections at once on which no operator has shown itself. The other half is left to those who have.
const MAX_ON_PROBATION: usize = MAX_CONNECTIONS / 2;

/// The most of them from one network: an operator's terminals, or all operators behind one address that connect in the
/// same second.
const MAX_ON_PROBATION_PER_NETWORK: usize = 32;

/// All places of one listener.
pub(crate) struct Places {
    probation: Duration,
    all: Arc<Semaphore>,
    strangers: Mutex<Strangers>,
}

/// One connection's place, free again when it is dropped.
pub(crate) struct Place {
    places: Arc<Places>,
    arrival: u64,
    _permit: OwnedSemaphorePermit,
}

/// How a connection's probation ends: well, when an operator showed itself on it, or else with the reason to close.
/// It is not to be polled again after that.
pub(crate) struct Probation {
    dismissed: oneshot::Receiver<()>,
    deadline: Pin<Box<Sleep>>,
}

/// Why a connection has to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Dismissed {
    /// Its time is over.
    #[error("no operator showed itself on the connection in time")]
    TooLate,
    /// A newcomer got its place.
    #[error("no operator had shown itself on the connection when another one needed its place")]
    Displaced,
}

/// The connections on probation, oldest first.
#[derive(Default)]
struct Strangers {
    arrivals: u64,
    by_arrival: BTreeMap<u64, Stranger>,
}

struct Stranger {
    network: Network,
    dismiss: oneshot::Sender<()>,
}

impl Places {
    /// Free places, in each of which an operator has to show itself within `probation`.
    pub(crate) fn new(probation: Duration) -> Arc<Self> {
        let all = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        Arc::new(Self { probation, all, strangers: Mutex::default() })
    }

    /// A place for a connection from `address`, on probation from now on. Waits only until a connection that has to
    /// leave is gone, or if operators hold all places. To be called for one connection at a time.
    pub(crate) async fn take(self: &Arc<Self>, address: IpAddr) -> (Arc<Place>, Probation) {
        let network = Network::of(address);
        let made_room = self.strangers.lock().make_room(network);
        let permit = match Arc::clone(&self.all).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_none_free) => {
                if !made_room {
                    self.strangers.lock().dismiss_oldest(|_| true);
                }
                Arc::clone(&self.all).acquire_owned().await.expect("the semaphore is never closed")
            }
        };
        let (arrival, dismissed) = self.strangers.lock().enter(network);
        let place = Arc::new(Place { places: Arc::clone(self), arrival, _permit: permit });
        (place, Probation { dismissed, deadline: Box::pin(sleep(self.probation)) })
    }
}

impl Place {
    /// An operator showed itself on this connection: it may stay. Does nothing if it has to leave already.
    pub(crate) fn keep(&self) {
        self.places.strangers.lock().by_arrival.remove(&self.arrival);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.strangers.lock().by_arrival.remove(&self.arrival);
    }
}

impl Future for Probation {
    type Output = Result<(), Dismissed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.dismissed).poll(context) {
            Poll::Ready(Ok(())) => Poll::Ready(Err(Dismissed::Displaced)),
            // Whoever is told nothing any more is not on the list any more.
            Poll::Ready(Err(_kept)) => Poll::Ready(Ok(())),
            Poll::Pending => self.deadline.as_mut().poll(context).map(|()| Err(Dismissed::TooLate)),
        }
    }
}

impl From<Dismissed> for io::Error {
    fn from(dismissed: Dismissed) -> Self {
        Self::new(io::ErrorKind::ConnectionAborted, dismissed)
    }
}

impl Strangers {
    /// Keeps the bounds with one more from `network`, and says whether somebody has to leave for it.
    fn make_room(&mut self, network: Network) -> bool {
        let from_there = |stranger: &Stranger| stranger.network == network;
        if self.by_arrival.values().filter(|stranger| from_there(stranger)).count()
            >= MAX_ON_PROBATION_PER_NETWORK
        {
            return self.dismiss_oldest(from_there);
        }
        self.by_arrival.len() >= MAX_ON_PROBATION && self.dismiss_oldest(|_| true)
    }

    fn dismiss_oldest(&mut self, among: impl Fn(&Stranger) -> bool) -> bool {
        let oldest = self.by_arrival.iter().find(|(_, stranger)| among(stranger));
        let Some(stranger) = oldest.map(|(arrival, _)| *arrival).and_then(|it| self.by_arrival.remove(&it))
        else {
            return false;
        };
        // If nobody listens, the connection is ending by itself, and its place becomes free all the same.
        let _ = stranger.dismiss.send(());
        true
    }

    fn enter(&mut self, network: Network) -> (u64, oneshot::Receiver<()>) {
        let (dismiss, dismissed) = oneshot::channel();
        self.arrivals += 1;
        self.by_arrival.insert(self.arrivals, Stranger { network, dismiss });
        (self.arrivals, dismissed)
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Waker};

    use super::*;

    /// Longer than any test: what is dismissed here is dismissed for want of room.
    const LONG: Duration = Duration::from_secs(3_600);

    fn now<F: Future>(future: F) -> Poll<F::Output> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    async fn take(places: &Arc<Places>, host: u8) -> (Arc<Place>, Probation) {
        places.take(IpAddr::from([192, 0, 2, host])).await
    }

    #[tokio::test]
    async fn a_network_over_its_bound_loses_its_own_oldest_and_no_other() {
        let places = Places::new(LONG);
        let (_other, mut other) = take(&places, 1).await;
        let mut flood = Vec::new();
        for _ in 0..=MAX_ON_PROBATION_PER_NETWORK {
            flood.push(take(&places, 2).await);
        }
        assert_eq!(now(&mut flood[0].1), Poll::Ready(Err(Dismissed::Displaced)));
        assert_eq!(now(&mut flood[1].1), Poll::Pending);
        assert_eq!(now(&mut other), Poll::Pending);
    }

    #[tokio::test]
    async fn half_of_the_places_are_for_operators_and_the_oldest_stranger_makes_room() {
        let places = Places::new(LONG);
        let mut all = Vec::new();
        for host in 0..MAX_ON_PROBATION {
            all.push(take(&places, u8::try_from(host).expect("fewer than 256")).await);
        }
        let (place, mut probation) = take(&places, 255).await;
        assert_eq!(now(&mut all[0].1), Poll::Ready(Err(Dismissed::Displaced)));
        assert_eq!(now(&mut all[1].1), Poll::Pending);
        place.keep();
        assert_eq!(now(&mut probation), Poll::Ready(Ok(())));
        // The one that left and the one that stays are no strangers any more, so that the next needs nobody to go.
        let _next = take(&places, 254).await;
        assert_eq!(now(&mut all[1].1), Poll::Pending);
    }

    #[tokio::test]
    async fn when_every_place_is_taken_the_oldest_stranger_goes_and_never_an_operator() {
        let places = Places::new(LONG);
        let mut operators = Vec::new();
        for _ in 0..MAX_CONNECTIONS - 1 {
            let (place, probation) = take(&places, 1).await;
            place.keep();
            operators.push((place, probation));
        }
        let (stranger, mut probation) = take(&places, 2).await;
        let mut newcomer = pin!(take(&places, 3));
        assert!(now(&mut newcomer).is_pending(), "the stranger is not gone yet");
        assert_eq!(now(&mut probation), Poll::Ready(Err(Dismissed::Displaced)));
        drop(stranger);
        newcomer.await.0.keep();
        for (_place, probation) in operators {
            assert_eq!(probation.await, Ok(()));
        }
    }

    #[tokio::test]
    async fn a_probation_without_an_operator_ends_by_itself() {
        let (_place, probation) = take(&Places::new(Duration::ZERO), 1).await;
        assert_eq!(probation.await, Err(Dismissed::TooLate));
    }
}
