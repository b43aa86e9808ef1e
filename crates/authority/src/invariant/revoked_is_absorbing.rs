//! I5: a grant that was revoked stays revoked.

use crate::authority::Authority;

/// Holds when every grant revoked in `before` is revoked, unchanged, in `after`.
pub fn revoked_is_absorbing(before: &Authority, after: &Authority) -> Result<(), String> {
    for grant in before.grants.values().filter(|grant| grant.revoked_at.is_some()) {
        let now = after.grants.get(&grant.id);
        if now.is_none_or(|now| now.revoked_at != grant.revoked_at || now.principal != grant.principal) {
            return Err(format!("{} was revoked and is not any more", grant.id));
        }
    }
    Ok(())
}
