//! The operators: who administers the gateway. An operator rotates its own token; those of others only an owner does.

use std::sync::Arc;

use authority::{
    View,
    command::{AddOperator, Body, RotateOperatorToken},
    grant::TokenHash,
    operator::{self, Operator, Role},
};
use keyring::token::{Token, TokenKind};
use tonic::{Request, Response, Status};
use wire::pb::admin::v1::{self as pb, operator_service_server::OperatorService};

use crate::{
    authenticate::Caller,
    control::Control,
    enforcement::enforcement,
    paging::Wanted,
    parse::{self, Invalid, Why},
    roles::NotAllowed,
    status::Absent,
};

/// The service.
pub(crate) struct Operators {
    control: Arc<Control>,
}

impl Operators {
    pub(crate) fn new(control: Arc<Control>) -> Self {
        Self { control }
    }
}

#[tonic::async_trait]
impl OperatorService for Operators {
    async fn create_operator(
        &self,
        request: Request<pb::CreateOperatorRequest>,
    ) -> Result<Response<pb::CreateOperatorResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let id = parse::name("operator_id", &message.operator_id, operator::Id::parse)?;
        let said = message.operator.as_ref().ok_or_else(|| Why::Missing.of("operator"))?;
        let role = read_role(said.role())?;
        let request = self.control.request_id(&message.request_id)?;
        let (token, hash) = self.control.mint(TokenKind::Operator);
        let operator = Operator { id: id.clone(), role, token: hash };
        let body = Body::AddOperator(AddOperator { operator });
        let done = self.control.propose(&caller.id, request, body).await?;
        let held = held(&done.view, &id)?;
        Ok(Response::new(pb::CreateOperatorResponse {
            operator: Some(form(held)),
            token: shown(held, &token, hash),
            revision: done.revision.0,
        }))
    }

    async fn rotate_operator_token(
        &self,
        request: Request<pb::RotateOperatorTokenRequest>,
    ) -> Result<Response<pb::RotateOperatorTokenResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let id = parse::operator("name", &message.name)?;
        if id != caller.id && caller.role != Role::Owner {
            return Err(NotAllowed::Role { role: caller.role, needed: &[Role::Owner] }.into());
        }
        let request = self.control.request_id(&message.request_id)?;
        let (token, hash) = self.control.mint(TokenKind::Operator);
        let body = Body::RotateOperatorToken(RotateOperatorToken { operator: id.clone(), token: hash });
        let done = self.control.propose(&caller.id, request, body).await?;
        let held = held(&done.view, &id)?;
        Ok(Response::new(pb::RotateOperatorTokenResponse {
            operator: Some(form(held)),
            token: shown(held, &token, hash),
            revision: done.revision.0,
            enforcement: Some(enforcement(done.enforced.as_ref())),
        }))
    }

    async fn list_operators(
        &self,
        request: Request<pb::ListOperatorsRequest>,
    ) -> Result<Response<pb::ListOperatorsResponse>, Status> {
        let message = request.get_ref();
        let wanted = Wanted::parse("operators", message.page_size, &message.page_token)?;
        let view = self.control.view().await?;
        let page = wanted.of(view.operators().map(|operator| (operator.id.as_str(), &**operator)), form);
        Ok(Response::new(pb::ListOperatorsResponse {
            operators: page.items,
            next_page_token: page.next,
            revision: view.revision().0,
        }))
    }
}

/// The token for the answer, if it is the one the operator got: a repetition mints another, which nobody stored.
fn shown(operator: &Operator, token: &Token, hash: TokenHash) -> String {
    if operator.token == hash { token.reveal().to_owned() } else { String::new() }
}

fn held<'view>(view: &'view View, id: &operator::Id) -> Result<&'view Operator, Absent> {
    let held = view.operator(id).map(|operator| &**operator);
    held.ok_or_else(|| Absent::of(format_args!("operators/{id}")))
}

fn read_role(role: pb::Role) -> Result<Role, Invalid> {
    match role {
        pb::Role::Unspecified => Err(Why::Unspecified.of("operator.role")),
        pb::Role::Owner => Ok(Role::Owner),
        pb::Role::SecurityAdmin => Ok(Role::SecurityAdmin),
        pb::Role::ServerAdmin => Ok(Role::ServerAdmin),
        pb::Role::Granter => Ok(Role::Granter),
        pb::Role::Approver => Ok(Role::Approver),
        pb::Role::Auditor => Ok(Role::Auditor),
        pb::Role::Operator => Ok(Role::Operator),
    }
}

fn form(operator: &Operator) -> pb::Operator {
    let role = match operator.role {
        Role::Owner => pb::Role::Owner,
        Role::SecurityAdmin => pb::Role::SecurityAdmin,
        Role::ServerAdmin => pb::Role::ServerAdmin,
        Role::Granter => pb::Role::Granter,
        Role::Approver => pb::Role::Approver,
        Role::Auditor => pb::Role::Auditor,
        Role::Operator => pb::Role::Operator,
    };
    pb::Operator { name: format!("operators/{}", operator.id), role: role.into() }
}
