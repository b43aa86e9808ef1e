//! Operators: who administers the gateway. Not principals: an operator token opens the admin API and never the data
//! plane, a grant token the other way round.

use crate::{grant::TokenHash, name::name_id};

name_id! {
    /// The id of an operator.
    Id
}

/// Somebody who administers the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Its id.
    pub id: Id,
    /// What it may do.
    pub role: Role,
    /// The keyed hash of its token.
    pub token: TokenHash,
}

/// What an operator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything, operators included.
    Owner,
    /// Principals, grants and policies of everyone, and keys.
    SecurityAdmin,
    /// Servers and credentials.
    ServerAdmin,
    /// Issuing and revoking grants.
    Granter,
    /// Answering approvals.
    Approver,
    /// Reading everything, the audit included; changing nothing.
    Auditor,
    /// Health of the cluster only.
    Operator,
}
