//! The grants: issuing, showing, rotating, revoking. A token leaves in the one answer that made it and in no other.

mod form;

use std::sync::Arc;

use authority::{
    View,
    command::{Body, IssueGrant, RevokeGrant, RotateGrantToken},
    grant::{self, Grant, TokenHash},
    time::Wall,
};
use keyring::token::{Token, TokenKind};
use tonic::{Request, Response, Status};
use wire::pb::admin::v1::{self as pb, grant_service_server::GrantService};

use self::form::{form, scope};
use crate::{
    authenticate::Caller,
    control::Control,
    enforcement::enforcement,
    paging::Wanted,
    parse::{self, Invalid, Why},
    status::Absent,
};

/// The service.
pub(crate) struct Grants {
    control: Arc<Control>,
}

impl Grants {
    pub(crate) fn new(control: Arc<Control>) -> Self {
        Self { control }
    }

    fn found(&self, view: &View, id: grant::Id) -> Result<pb::Grant, Absent> {
        Ok(form(view, held(view, id)?, self.control.now()))
    }

    /// The command that a request to issue stands for. The id follows from the request, so that a repetition whose
    /// first answer was lost finds the grant that was made.
    fn read(
        &self,
        id: grant::Id,
        message: &pb::IssueGrantRequest,
        token: TokenHash,
    ) -> Result<IssueGrant, Invalid> {
        let said = message.grant.as_ref().ok_or_else(|| Why::Missing.of("grant"))?;
        let parent = match said.parent.as_str() {
            "" => None,
            text => Some(parse::grant("grant.parent", text)?),
        };
        let start = said.start_time.as_ref().map(|time| parse::instant("grant.start_time", time));
        let not_before = start.transpose()?;
        Ok(IssueGrant {
            grant: id,
            principal: parse::principal("grant.principal", &said.principal)?,
            label: said.label.as_str().into(),
            parent,
            scopes: said.scopes.iter().map(scope).collect::<Result<_, _>>()?,
            not_before,
            expires_at: read_end(message, said, not_before.unwrap_or_else(|| self.control.now()))?,
            token,
        })
    }
}

#[tonic::async_trait]
impl GrantService for Grants {
    async fn issue_grant(
        &self,
        request: Request<pb::IssueGrantRequest>,
    ) -> Result<Response<pb::IssueGrantResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let request = self.control.request_id(&message.request_id)?;
        let id = self.control.grant_id(request);
        let (token, hash) = self.control.mint(TokenKind::Grant);
        let body = Body::IssueGrant(self.read(id, &message, hash)?);
        let done = self.control.propose(&caller.id, request, body).await?;
        Ok(Response::new(pb::IssueGrantResponse {
            grant: Some(self.found(&done.view, id)?),
            token: shown(held(&done.view, id)?, &token, hash),
            revision: done.revision.0,
        }))
    }

    async fn get_grant(
        &self,
        request: Request<pb::GetGrantRequest>,
    ) -> Result<Response<pb::GetGrantResponse>, Status> {
        let id = parse::grant("name", &request.get_ref().name)?;
        let view = self.control.view().await?;
        let grant = Some(self.found(&view, id)?);
        Ok(Response::new(pb::GetGrantResponse { grant, revision: view.revision().0 }))
    }

    async fn list_grants(
        &self,
        request: Request<pb::ListGrantsRequest>,
    ) -> Result<Response<pb::ListGrantsResponse>, Status> {
        let message = request.get_ref();
        let wanted = Wanted::parse("grants", message.page_size, &message.page_token)?;
        let of = match message.principal.as_str() {
            "" => None,
            text => Some(parse::principal("principal", text)?),
        };
        let view = self.control.view().await?;
        let wanted_ones =
            view.grants().filter(|grant| of.as_ref().is_none_or(|principal| grant.principal == *principal));
        let now = self.control.now();
        let there = wanted_ones.map(|grant| (oldest_first(grant), grant));
        let page = wanted.of(there, |grant| form(&view, grant, now));
        Ok(Response::new(pb::ListGrantsResponse {
            grants: page.items,
            next_page_token: page.next,
            revision: view.revision().0,
        }))
    }

    async fn rotate_grant(
        &self,
        request: Request<pb::RotateGrantRequest>,
    ) -> Result<Response<pb::RotateGrantResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let id = parse::grant("name", &message.name)?;
        let overlap = message.overlap.as_ref().map(|time| parse::duration_millis("overlap", time));
        let overlap_millis = overlap.transpose()?.unwrap_or_default();
        let request = self.control.request_id(&message.request_id)?;
        let (token, hash) = self.control.mint(TokenKind::Grant);
        let body = Body::RotateGrantToken(RotateGrantToken { grant: id, token: hash, overlap_millis });
        let done = self.control.propose(&caller.id, request, body).await?;
        Ok(Response::new(pb::RotateGrantResponse {
            grant: Some(self.found(&done.view, id)?),
            token: shown(held(&done.view, id)?, &token, hash),
            revision: done.revision.0,
            enforcement: Some(enforcement(done.enforced.as_ref())),
        }))
    }

    async fn revoke_grant(
        &self,
        request: Request<pb::RevokeGrantRequest>,
    ) -> Result<Response<pb::RevokeGrantResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let id = parse::grant("name", &message.name)?;
        let request = self.control.request_id(&message.request_id)?;
        let body = Body::RevokeGrant(RevokeGrant { grant: id });
        let done = self.control.propose(&caller.id, request, body).await?;
        Ok(Response::new(pb::RevokeGrantResponse {
            grant: Some(self.found(&done.view, id)?),
            revision: done.revision.0,
            enforcement: Some(enforcement(done.enforced.as_ref())),
        }))
    }
}

/// The token for the answer, if it is the one the grant got: a repetition mints another, which nobody stored.
fn shown(grant: &Grant, token: &Token, hash: TokenHash) -> String {
    let before = grant.tokens.previous.map(|(before, _)| before);
    let stored = grant.tokens.current == hash || before == Some(hash);
    if stored { token.reveal().to_owned() } else { String::new() }
}

fn held(view: &View, id: grant::Id) -> Result<&Grant, Absent> {
    view.grant(&id).map(|grant| &**grant).ok_or_else(|| Absent::of(format_args!("grants/{id}")))
}

/// The place of a grant in the list.
fn oldest_first(grant: &Grant) -> [u8; 24] {
    let mut key = [0; 24];
    key[..8].copy_from_slice(&grant.issued_at.0.to_be_bytes());
    key[8..].copy_from_slice(&grant.id.0);
    key
}

/// When a grant ends: at the time that is given, or some time after `start`.
fn read_end(message: &pb::IssueGrantRequest, said: &pb::Grant, start: Wall) -> Result<Option<Wall>, Invalid> {
    match (&message.ttl, &said.expire_time) {
        (None, None) => Ok(None),
        (None, Some(time)) => parse::instant("grant.expire_time", time).map(Some),
        (Some(ttl), None) => Ok(Some(start.plus_millis(parse::duration_millis("ttl", ttl)?))),
        (Some(_), Some(_)) => Err(Why::Conflict { other: "grant.expire_time" }.of("ttl")),
    }
}
