//! Operators and their roles.

use authority::operator::{Id, Operator, Role};

use crate::{
    field,
    malformed::{Flaw, Malformed},
    pb::events::v1 as pb,
};

pub(crate) fn to_pb(operator: &Operator) -> pb::Operator {
    let role = match operator.role {
        Role::Owner => pb::OperatorRole::Owner,
        Role::SecurityAdmin => pb::OperatorRole::SecurityAdmin,
        Role::ServerAdmin => pb::OperatorRole::ServerAdmin,
        Role::Granter => pb::OperatorRole::Granter,
        Role::Approver => pb::OperatorRole::Approver,
        Role::Auditor => pb::OperatorRole::Auditor,
        Role::Operator => pb::OperatorRole::Operator,
    };
    pb::Operator { id: operator.id.as_str().to_owned(), role: role.into(), token: operator.token.0.to_vec() }
}

pub(crate) fn from_pb(operator: Option<pb::Operator>) -> Result<Operator, Malformed> {
    let operator = field::required("operator", operator)?;
    Ok(Operator {
        id: field::name("operator.id", &operator.id, Id::parse)?,
        role: role(operator.role)?,
        token: field::token("operator.token", &operator.token)?,
    })
}

fn role(value: i32) -> Result<Role, Malformed> {
    match pb::OperatorRole::try_from(value) {
        Ok(pb::OperatorRole::Owner) => Ok(Role::Owner),
        Ok(pb::OperatorRole::SecurityAdmin) => Ok(Role::SecurityAdmin),
        Ok(pb::OperatorRole::ServerAdmin) => Ok(Role::ServerAdmin),
        Ok(pb::OperatorRole::Granter) => Ok(Role::Granter),
        Ok(pb::OperatorRole::Approver) => Ok(Role::Approver),
        Ok(pb::OperatorRole::Auditor) => Ok(Role::Auditor),
        Ok(pb::OperatorRole::Operator) => Ok(Role::Operator),
        Ok(pb::OperatorRole::Unspecified) | Err(_) => Err(Flaw::UnknownValue { value }.of("operator.role")),
    }
}
