//! What grants have in common is kept once: the names of principals and servers, and whole lists of scopes.
//!
//! A million grants reach a few thousand different lists of scopes. Kept once, those stay in the processor's cache, where
//! a copy in each grant would cost a decision several reaches into cold memory, and take most of the grant's space.
//! Nothing is ever taken out again: grants are never removed, so their lists are in use for ever. Sharing changes no
//! value, only where it stands; what must stay true is that an equal list is put in for one that is taken out.

use std::{
    hash::{BuildHasherDefault, DefaultHasher},
    sync::Arc,
};

use imbl::{GenericHashMap, shared_ptr::DefaultSharedPtr};

use crate::{authority::Authority, grant::Grant, scope::Scope};

/// A map from keys that people choose. The hash is not keyed: only operators put keys in.
pub(crate) type HashedMap<K, V> = GenericHashMap<K, V, BuildHasherDefault<DefaultHasher>, DefaultSharedPtr>;

/// The different lists of scopes that grants have.
pub(crate) type ScopeLists = HashedMap<Arc<[Scope]>, ()>;

impl Authority {
    /// Puts a grant in, its names and scopes shared, and its tokens into their index.
    pub(crate) fn insert_grant(&mut self, grant: &Grant) {
        let principal = self.principals.get(&grant.principal).map(|held| held.id.clone());
        let shared = Grant {
            principal: principal.unwrap_or_else(|| grant.principal.clone()),
            scopes: self.shared_scopes(&grant.scopes),
            ..grant.clone()
        };
        self.tokens.insert(shared.tokens.current, shared.id);
        if let Some((previous, _)) = shared.tokens.previous {
            self.tokens.insert(previous, shared.id);
        }
        self.judge(&shared.principal);
        self.grants.insert(shared.id, Arc::new(shared));
    }

    fn shared_scopes(&mut self, scopes: &[Scope]) -> Arc<[Scope]> {
        if let Some((shared, ())) = self.scope_lists.get_key_value(scopes) {
            return Arc::clone(shared);
        }
        let with_shared_name = |scope: &Scope| {
            let server = self.servers.get(&scope.server).map_or(&scope.server, |held| &held.id);
            Scope { server: server.clone(), ..scope.clone() }
        };
        let list: Arc<[Scope]> = scopes.iter().map(with_shared_name).collect();
        self.scope_lists.insert(Arc::clone(&list), ());
        list
    }
}
