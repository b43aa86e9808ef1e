//! Sets the credential of a server, or gives it a new value. Widening: it takes no right from any grant.

use super::{Class, Handle, Rejected, Rejection};
use crate::{
    authority::Authority,
    credential::{Credential, MAX_SEALED_BYTES},
    event::Event,
    server::Status,
    time::Wall,
};

/// Sets the credential of a server, or gives it a new value. Widening: it takes no right from any grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCredential {
    /// The credential, sealed, bound to the origin of its server.
    pub credential: Credential,
}

impl Handle for SetCredential {
    fn class(&self) -> Class {
        Class::Widening
    }

    fn name(&self) -> &'static str {
        "set_credential"
    }

    fn subject(&self) -> String {
        format!("credentials/{}", self.credential.id)
    }

    fn decide(&self, state: &Authority, _now: Wall) -> Result<Vec<Event>, Rejected> {
        let set = &self.credential;
        let server = state.servers.get(&set.server).filter(|server| server.status != Status::Removed);
        let server =
            server.ok_or_else(|| Rejection::NotFound.about(format_args!("servers/{}", set.server)))?;
        let about = format_args!("credentials/{}", set.id);
        let before = state.credentials.get(&set.id);
        let other_server = before.is_some_and(|before| before.server != set.server);
        if server.endpoint.origin != set.origin || other_server {
            return Err(Rejection::OriginMismatch.about(about));
        }
        if set.version != state.next_credential_version(&set.id) {
            return Err(Rejection::VersionMismatch.about(about));
        }
        if set.sealed.0.len() > MAX_SEALED_BYTES {
            return Err(Rejection::OutOfBounds.about(about));
        }
        Ok(vec![Event::CredentialSet(set.clone())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        command::{AddServer, Body, Command, Outcome, RemoveCredential, apply},
        credential::{Attachment, Id, Sealed},
        event::{Actor, Revision},
        request,
        server::{self, Endpoint},
    };

    struct Story {
        state: Authority,
        step: u8,
    }

    impl Story {
        fn apply(&mut self, body: Body) -> Outcome {
            self.step += 1;
            let request = request::Id([self.step; 16]);
            let command = Command { request, actor: Actor::Founder, time: Wall(1), body };
            apply(&mut self.state, &command, Revision(u64::from(self.step))).outcome
        }

        fn set(&mut self, id: &str, version: u32) -> bool {
            let endpoint = Endpoint::parse("https://a.example/").expect("a URL");
            let credential = Credential {
                id: Id::parse(id).expect("a name"),
                server: server::Id::parse("a").expect("a name"),
                origin: endpoint.origin,
                attachment: Attachment::Bearer,
                version,
                sealed: Sealed([].into()),
            };
            matches!(self.apply(Body::SetCredential(SetCredential { credential })), Outcome::Done { .. })
        }
    }

    fn with_a_server() -> Story {
        let mut story = Story { state: Authority::new(), step: 0 };
        let server = server::Id::parse("a").expect("a name");
        let endpoint = Endpoint::parse("https://a.example/").expect("a URL");
        story.apply(Body::AddServer(AddServer { server, endpoint }));
        story
    }

    #[test]
    fn d22_a_version_of_a_credential_never_comes_again() {
        let mut story = with_a_server();
        assert!(story.set("key", 1) && story.set("key", 2));
        let credential = Id::parse("key").expect("a name");
        story.apply(Body::RemoveCredential(RemoveCredential { credential }));
        assert!(!story.set("key", 1) && !story.set("key", 2));
        assert!(story.set("key", 3));
    }

    #[test]
    fn a_server_has_one_credential_and_the_one_before_goes() {
        let mut story = with_a_server();
        assert!(story.set("old", 1) && story.set("new", 1));
        let held: Vec<_> = story.state.credentials.keys().map(Id::as_str).collect();
        assert_eq!(held, ["new"]);
        assert!(!story.set("old", 1) && story.set("old", 2));
    }
}
