//! The guard in front of every method, reflection included: first who calls, then whether its role may. No service is
//! reached by a request that did not pass it, and it is the only place that lets one pass.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tonic::{Status, body::Body};
use tower::{Layer, Service};

use crate::{
    authenticate::{Authenticator, Caller, Refused},
    network::Network,
    places::Place,
    refusals::Refusals,
    roles,
};

/// The connection that a request came by.
#[derive(Clone)]
pub(crate) struct Peer {
    /// Where it comes from.
    pub(crate) address: SocketAddr,
    /// The place it holds, which it may keep once an operator showed itself.
    pub(crate) place: Arc<Place>,
}

/// Puts a [`Guard`] in front of a service.
#[derive(Clone)]
pub(crate) struct GuardLayer {
    authenticator: Arc<Authenticator>,
    refusals: Arc<Refusals>,
}

/// A service behind the guard.
#[derive(Clone)]
pub(crate) struct Guard<S> {
    authenticator: Arc<Authenticator>,
    refusals: Arc<Refusals>,
    inner: S,
}

type Answer = Result<http::Response<Body>, Infallible>;

impl GuardLayer {
    pub(crate) fn new(authenticator: Arc<Authenticator>, refusals: Arc<Refusals>) -> Self {
        Self { authenticator, refusals }
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        let Self { authenticator, refusals } = self.clone();
        Guard { authenticator, refusals, inner }
    }
}

impl<S> Guard<S> {
    fn check<B>(&self, request: &http::Request<B>) -> Result<Caller, Status> {
        let peer = request.extensions().get::<Peer>();
        let network = peer.map(|peer| Network::of(peer.address.ip()));
        let caller = self
            .authenticator
            .authenticate(request.headers(), network)
            .inspect_err(|refused| self.tell(peer, refused))?;
        if let Some(peer) = peer {
            peer.place.keep();
        }
        roles::check(caller.role, request.uri().path()).inspect_err(|refused| {
            tracing::info!(operator = %caller.id, reason = %refused, "an operator was refused what its role may not do");
        })?;
        Ok(caller)
    }

    /// Logs that nobody's request was refused, at a level and rate that leave the log to the operators.
    fn tell(&self, peer: Option<&Peer>, refused: &Refused) {
        let peer = peer.map(|peer| peer.address);
        tracing::debug!(?peer, reason = %refused, "an admin request was refused");
        if let Some(count) = self.refusals.count() {
            tracing::info!(count, last_peer = ?peer, last_reason = %refused, "admin requests came from no operator");
        }
    }
}

impl<S, B> Service<http::Request<B>> for Guard<S>
where
    S: Service<http::Request<B>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        match self.check(&request) {
            Ok(caller) => {
                request.extensions_mut().insert(caller);
                Box::pin(self.inner.call(request))
            }
            Err(status) => Box::pin(std::future::ready(Ok(status.into_http()))),
        }
    }
}
