//! What the admin API is made of, and the two things it asks of crates it does not import.

use std::{error::Error, sync::Arc};

use authority::{enforcement::Gate, server::Endpoint};
use keyring::Keyring;
use replica::Replica;
use seams::{SharedClock, SharedEntropy};

/// What the admin API works with.
#[derive(Clone)]
pub struct Parts {
    /// Takes commands and gives linearizable views.
    pub replica: Replica,
    /// The published view, the lease and the calls in flight.
    pub gate: Arc<Gate>,
    /// Hashes tokens and seals credentials.
    pub keyring: Arc<Keyring>,
    /// Reads the record.
    pub audit: ledger::Reader,
    /// Says whether a server may be where somebody wants to add it.
    pub check_endpoint: Arc<dyn CheckEndpoint>,
    /// Says whether this node records.
    pub recording: Arc<dyn Recording>,
    /// The clocks.
    pub clock: SharedClock,
    /// For ids and tokens.
    pub entropy: SharedEntropy,
}

/// The static check of a server's URL: whether any call to it could ever be sent. The dialer checks the address again
/// at each connection; this tells the operator at once.
pub trait CheckEndpoint: Send + Sync + 'static {
    /// Refuses an endpoint that may not be reached.
    ///
    /// # Errors
    /// [`EndpointRefused`], with the reason as it is to be shown.
    fn check_endpoint(&self, endpoint: &Endpoint) -> Result<(), EndpointRefused>;
}

/// Whether this node can record calls.
pub trait Recording: Send + Sync + 'static {
    /// Whether a record that is written now would be kept.
    fn is_recording(&self) -> bool;
}

/// Why no server may be at an endpoint.
#[derive(Debug, thiserror::Error)]
#[error("server.url: {reason}")]
pub struct EndpointRefused {
    /// The reason, which says what to do.
    #[source]
    pub reason: Box<dyn Error + Send + Sync>,
}
