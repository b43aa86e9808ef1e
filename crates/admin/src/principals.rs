//! The principals: who calls.

use std::sync::Arc;

use authority::{
    View,
    command::{AddPrincipal, Body, ResumePrincipal, SuspendPrincipal},
    principal::{self, Kind, Principal},
};
use tonic::{Request, Response, Status};
use wire::pb::admin::v1::{self as pb, principal_service_server::PrincipalService};

use crate::{
    authenticate::Caller,
    control::{Control, Done},
    enforcement::enforcement,
    paging::Wanted,
    parse::{self, Invalid, Why},
    status::Absent,
};

/// The service.
pub(crate) struct Principals {
    control: Arc<Control>,
}

impl Principals {
    pub(crate) fn new(control: Arc<Control>) -> Self {
        Self { control }
    }

    async fn change(&self, caller: &Caller, request_id: &str, body: Body) -> Result<Done, Status> {
        let request = self.control.request_id(request_id)?;
        self.control.propose(&caller.id, request, body).await
    }
}

#[tonic::async_trait]
impl PrincipalService for Principals {
    async fn create_principal(
        &self,
        request: Request<pb::CreatePrincipalRequest>,
    ) -> Result<Response<pb::CreatePrincipalResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let principal = read(&message)?;
        let id = principal.id.clone();
        let body = Body::AddPrincipal(AddPrincipal { principal });
        let done = self.change(&caller, &message.request_id, body).await?;
        Ok(Response::new(pb::CreatePrincipalResponse {
            principal: Some(found(&done.view, &id)?),
            revision: done.revision.0,
        }))
    }

    async fn get_principal(
        &self,
        request: Request<pb::GetPrincipalRequest>,
    ) -> Result<Response<pb::GetPrincipalResponse>, Status> {
        let id = parse::principal("name", &request.get_ref().name)?;
        let view = self.control.view().await?;
        Ok(Response::new(pb::GetPrincipalResponse {
            principal: Some(found(&view, &id)?),
            revision: view.revision().0,
        }))
    }

    async fn list_principals(
        &self,
        request: Request<pb::ListPrincipalsRequest>,
    ) -> Result<Response<pb::ListPrincipalsResponse>, Status> {
        let message = request.get_ref();
        let wanted = Wanted::parse("principals", message.page_size, &message.page_token)?;
        let view = self.control.view().await?;
        let page = wanted.of(view.principals().map(|principal| (principal.id.as_str(), &**principal)), form);
        Ok(Response::new(pb::ListPrincipalsResponse {
            principals: page.items,
            next_page_token: page.next,
            revision: view.revision().0,
        }))
    }

    async fn suspend_principal(
        &self,
        request: Request<pb::SuspendPrincipalRequest>,
    ) -> Result<Response<pb::SuspendPrincipalResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let id = parse::principal("name", &message.name)?;
        let body = Body::SuspendPrincipal(SuspendPrincipal { principal: id.clone() });
        let done = self.change(&caller, &message.request_id, body).await?;
        Ok(Response::new(pb::SuspendPrincipalResponse {
            principal: Some(found(&done.view, &id)?),
            revision: done.revision.0,
            enforcement: Some(enforcement(done.enforced.as_ref())),
        }))
    }

    async fn resume_principal(
        &self,
        request: Request<pb::ResumePrincipalRequest>,
    ) -> Result<Response<pb::ResumePrincipalResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let id = parse::principal("name", &message.name)?;
        let body = Body::ResumePrincipal(ResumePrincipal { principal: id.clone() });
        let done = self.change(&caller, &message.request_id, body).await?;
        Ok(Response::new(pb::ResumePrincipalResponse {
            principal: Some(found(&done.view, &id)?),
            revision: done.revision.0,
        }))
    }
}

fn read(message: &pb::CreatePrincipalRequest) -> Result<Principal, Invalid> {
    let id = parse::name("principal_id", &message.principal_id, principal::Id::parse)?;
    let said = message.principal.as_ref().ok_or_else(|| Why::Missing.of("principal"))?;
    let kind = match (said.kind(), said.owner.as_str()) {
        (pb::PrincipalKind::Unspecified, _) => return Err(Why::Unspecified.of("principal.kind")),
        (pb::PrincipalKind::Agent, owner) => {
            Kind::Agent { owner: parse::principal("principal.owner", owner)? }
        }
        (pb::PrincipalKind::Person, "") => Kind::Person,
        (pb::PrincipalKind::Service, "") => Kind::Service,
        (pb::PrincipalKind::Person | pb::PrincipalKind::Service, _) => {
            return Err(Why::OnlyForAgents.of("principal.owner"));
        }
    };
    Ok(Principal {
        id,
        kind,
        display_name: said.display_name.as_str().into(),
        groups: parse::groups("principal.groups", &said.groups)?,
        suspended: false,
    })
}

fn found(view: &View, id: &principal::Id) -> Result<pb::Principal, Status> {
    let principal = view.principal(id).ok_or_else(|| Absent::of(format_args!("principals/{id}")))?;
    Ok(form(principal))
}

fn form(principal: &Principal) -> pb::Principal {
    let kind = match principal.kind {
        Kind::Person => pb::PrincipalKind::Person,
        Kind::Agent { .. } => pb::PrincipalKind::Agent,
        Kind::Service => pb::PrincipalKind::Service,
    };
    pb::Principal {
        name: format!("principals/{}", principal.id),
        kind: kind.into(),
        owner: principal.owner().map(|owner| format!("principals/{owner}")).unwrap_or_default(),
        display_name: principal.display_name.to_string(),
        groups: principal.groups.iter().map(ToString::to_string).collect(),
        suspended: principal.suspended,
    }
}
