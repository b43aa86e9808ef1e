//! The permit: the proof of one allow. It is made by an allowing decision and nowhere else, it is never stored or
//! cloned, and `upstream` sends nothing without one.

use std::sync::Arc;

use crate::{
    credential::Credential,
    enforcement::CallMark,
    event::Revision,
    grant, principal,
    record::Seq,
    server::Server,
    time::{Boot, Wall},
};

/// The proof that one registered call was allowed.
#[derive(Debug)]
pub struct Permit {
    inner: Facts,
}

/// A permit whose intent is in the write-ahead log at the configured durability: what `upstream` demands. The log makes
/// it when the record is safe, and nothing else should.
#[derive(Debug)]
pub struct RecordedPermit {
    permit: Permit,
    intent: Seq,
}

/// What a decision establishes about an allowed call; see the accessors of [`Permit`].
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) grant: grant::Id,
    pub(crate) principal: principal::Id,
    pub(crate) server: Arc<Server>,
    pub(crate) credential: Option<Arc<Credential>>,
    pub(crate) revision: Revision,
    pub(crate) decided_at: Boot,
    pub(crate) expires_at: Option<Wall>,
    pub(crate) mark: Arc<CallMark>,
}

impl Permit {
    pub(crate) fn new(inner: Facts) -> Self {
        Self { inner }
    }

    /// The grant that allows the call.
    pub fn grant(&self) -> grant::Id {
        self.inner.grant
    }

    /// Whose grant it is; with the credential, the key of every upstream connection pool.
    pub fn principal(&self) -> &principal::Id {
        &self.inner.principal
    }

    /// The one server the call may go to.
    pub fn server(&self) -> &Server {
        &self.inner.server
    }

    /// The credential to attach, whose origin was that of the server when the decision was made.
    pub fn credential(&self) -> Option<&Credential> {
        self.inner.credential.as_deref()
    }

    /// The revision of the view that decided.
    pub fn revision(&self) -> Revision {
        self.inner.revision
    }

    /// The boot time of the decision.
    pub fn decided_at(&self) -> Boot {
        self.inner.decided_at
    }

    /// When the earliest grant along the path expires: from then on the call has to be cut.
    pub fn expires_at(&self) -> Option<Wall> {
        self.inner.expires_at
    }

    /// The mark of the call in flight, which every write to the upstream socket has to pass.
    pub fn mark(&self) -> &Arc<CallMark> {
        &self.inner.mark
    }
}

impl RecordedPermit {
    /// Joins a permit with the place of its intent.
    pub fn new(permit: Permit, intent: Seq) -> Self {
        Self { permit, intent }
    }

    /// The permit.
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Where its intent stands in this epoch of the log.
    pub fn intent(&self) -> Seq {
        self.intent
    }
}
