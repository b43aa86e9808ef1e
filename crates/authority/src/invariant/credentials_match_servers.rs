//! A server and its credential name each other, and a version of a credential never comes again: what is sealed is bound
//! to it.

use crate::authority::Authority;

/// Holds when each credential is that of its server and the other way round, and no version went back.
pub fn credentials_match_servers(before: &Authority, after: &Authority) -> Result<(), String> {
    for held in after.credentials.values() {
        let server = after.servers.get(&held.server);
        if server.is_none_or(|server| server.credential.as_ref() != Some(&held.id)) {
            return Err(format!("credential {} is not that of its server", held.id));
        }
    }
    for server in after.servers.values() {
        let held = server.credential.as_ref().map(|id| after.credentials.get(id));
        if held.is_some_and(|held| held.is_none_or(|held| held.server != server.id)) {
            return Err(format!("server {} names a credential that is not its own", server.id));
        }
    }
    match before.credentials.keys().find(|id| went_back(before, after, id)) {
        Some(id) => Err(format!("a version of credential {id} could come again")),
        None => Ok(()),
    }
}

fn went_back(before: &Authority, after: &Authority, id: &crate::credential::Id) -> bool {
    after.next_credential_version(id) < before.next_credential_version(id)
}
