//! Whose a grant is, for the changes that name it by its id alone. Events say what changed and nothing twice; the reader
//! of the record wants to find the revocations of a person too, so the current view fills in the rest.
//!
//! This is sound because a grant and a principal are never removed, and whose they are never changes: what the view
//! says now was true then. What must stay true: an entry that the view does not know yet is shown all the same.

use std::sync::Arc;

use authority::{View, enforcement::Gate, event::Event, grant, principal};
use wire::pb::audit::v1 as pb;

/// Who holds the grants, as far as the node knows.
pub(super) struct Holders(Option<Arc<View>>);

impl Holders {
    /// As of now.
    pub(super) fn of(gate: &Gate) -> Self {
        Self(gate.view())
    }

    /// Fills in the principal, its owner, and the grants up to the root.
    pub(super) fn tell(&self, event: &Event, entry: &mut pb::AuditEntry) {
        match event {
            Event::GrantIssued(grant) => {
                self.tell_owner(&grant.principal, entry);
                self.tell_path(grant.id, entry);
            }
            Event::GrantTokenRotated { grant, .. } | Event::GrantRevoked(grant) => {
                let held = self.0.as_ref().and_then(|view| view.grant(grant));
                if let Some(held) = held {
                    entry.principal = format!("principals/{}", held.principal);
                    self.tell_owner(&held.principal, entry);
                }
                self.tell_path(*grant, entry);
            }
            Event::PrincipalSuspended(id) | Event::PrincipalResumed(id) => self.tell_owner(id, entry),
            // These tell all there is to tell themselves.
            Event::ClusterFounded { .. }
            | Event::PrincipalAdded(_)
            | Event::ServerAdded { .. }
            | Event::ServerDisabled(_)
            | Event::ServerEnabled(_)
            | Event::ServerRemoved(_)
            | Event::CredentialSet(_)
            | Event::CredentialRemoved(_)
            | Event::OperatorAdded(_)
            | Event::OperatorTokenRotated { .. }
            | Event::IncarnationRegistered { .. }
            | Event::ArchiveHeadCommitted(_)
            | Event::CommandHandled { .. } => {}
        }
    }

    fn tell_owner(&self, principal: &principal::Id, entry: &mut pb::AuditEntry) {
        let known = self.0.as_ref().and_then(|view| view.principal(principal));
        if let Some(owner) = known.and_then(|principal| principal.owner()) {
            entry.owner = format!("principals/{owner}");
        }
    }

    /// An empty path, of a grant that is not known, leaves what the event says itself.
    fn tell_path(&self, grant: grant::Id, entry: &mut pb::AuditEntry) {
        let path = self.0.iter().flat_map(|view| view.path(grant));
        let path: Vec<_> = path.map(|grant| format!("grants/{}", grant.id)).collect();
        if !path.is_empty() {
            entry.grants = path;
        }
    }
}
