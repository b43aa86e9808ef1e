//! Denials: the edge refuses a call. Each names its reason, the rule that decided it, and what to do.

use std::fmt;

use crate::{action::Kind, grant, principal, server};

/// Why a call is refused, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The reason.
    pub reason: Reason,
    /// The value of the state that decided, as a pointer; see [`Rule`].
    pub rule: Rule,
}

/// The closed list of reasons. Their codes are published and never change meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The node has not loaded its state yet.
    NoView,
    /// The node holds no valid lease, so it may not know of a revocation.
    LeaseExpired,
    /// The node is shutting down and takes no more calls.
    Draining,
    /// The token names no grant any more: it was rotated away.
    TokenNotCurrent,
    /// The grant, or one it was made from, was revoked.
    GrantRevoked,
    /// The grant, or one it was made from, has expired.
    GrantExpired,
    /// The grant, or one it was made from, is not valid yet.
    GrantNotYetValid,
    /// The principal is suspended.
    PrincipalSuspended,
    /// The owner behind the agent is suspended.
    OwnerSuspended,
    /// The grant, or one it was made from, does not reach the server.
    ServerOutOfScope,
    /// The server is disabled or removed.
    ServerDisabled,
    /// The credential the call was decided with was removed meanwhile.
    CredentialRemoved,
    /// The grant does not reach the tool.
    ToolOutOfScope,
    /// The grant does not reach the prompt.
    PromptOutOfScope,
    /// The grant does not reach the resource or resource template.
    ResourceOutOfScope,
    /// The URI of the resource is not in normal form, so a glob cannot vouch for it.
    ResourceUriNotNormal,
    /// The gateway does not know the method.
    MethodNotKnown,
}

/// Where the rule that decided stands, as a pointer into the resources of the admin API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// This node's own state.
    Node,
    /// A grant as a whole.
    Grant(grant::Id),
    /// The scopes of a grant.
    Scopes(grant::Id),
    /// A principal.
    Principal(principal::Id),
    /// A server.
    Server(server::Id),
}

impl Reason {
    /// Every reason, in the order of the list.
    pub const ALL: [Self; 17] = [
        Self::NoView,
        Self::LeaseExpired,
        Self::Draining,
        Self::TokenNotCurrent,
        Self::GrantRevoked,
        Self::GrantExpired,
        Self::GrantNotYetValid,
        Self::PrincipalSuspended,
        Self::OwnerSuspended,
        Self::ServerOutOfScope,
        Self::ServerDisabled,
        Self::CredentialRemoved,
        Self::ToolOutOfScope,
        Self::PromptOutOfScope,
        Self::ResourceOutOfScope,
        Self::ResourceUriNotNormal,
        Self::MethodNotKnown,
    ];

    /// The published code.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoView => "no_view",
            Self::LeaseExpired => "lease_expired",
            Self::Draining => "draining",
            Self::TokenNotCurrent => "token_not_current",
            Self::GrantRevoked => "grant_revoked",
            Self::GrantExpired => "grant_expired",
            Self::GrantNotYetValid => "grant_not_yet_valid",
            Self::PrincipalSuspended => "principal_suspended",
            Self::OwnerSuspended => "owner_suspended",
            Self::ServerOutOfScope => "server_out_of_scope",
            Self::ServerDisabled => "server_disabled",
            Self::CredentialRemoved => "credential_removed",
            Self::ToolOutOfScope => "tool_out_of_scope",
            Self::PromptOutOfScope => "prompt_out_of_scope",
            Self::ResourceOutOfScope => "resource_out_of_scope",
            Self::ResourceUriNotNormal => "resource_uri_not_normal",
            Self::MethodNotKnown => "method_not_known",
        }
    }

    /// What the caller, or the person behind it, can do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NoView | Self::LeaseExpired => {
                "try again in a moment; this node is catching up with its cluster"
            }
            Self::Draining => "try again; another node, or this one after its restart, takes the call",
            Self::TokenNotCurrent => "use the token that the last rotation printed",
            Self::GrantRevoked | Self::GrantExpired => "ask whoever issued the grant for a new one",
            Self::GrantNotYetValid => "wait until the grant begins, or ask for one that is valid now",
            Self::PrincipalSuspended | Self::OwnerSuspended => "ask an administrator to resume the principal",
            Self::ServerOutOfScope
            | Self::ToolOutOfScope
            | Self::PromptOutOfScope
            | Self::ResourceOutOfScope => "use what the lists show, or ask for a grant with a wider scope",
            Self::ServerDisabled => "ask an administrator whether the server comes back",
            Self::CredentialRemoved => {
                "try again; if it stays so, ask an administrator for the server's credential"
            }
            Self::ResourceUriNotNormal => {
                "write the URI without dot segments, encoded dots or slashes, or empty segments"
            }
            Self::MethodNotKnown => "use a method of the MCP revision that was negotiated",
        }
    }

    /// The reason for a thing of this kind being out of scope.
    pub fn out_of_scope(kind: Kind) -> Self {
        match kind {
            Kind::Tool => Self::ToolOutOfScope,
            Kind::Prompt => Self::PromptOutOfScope,
            Kind::Resource | Kind::ResourceTemplate => Self::ResourceOutOfScope,
        }
    }

    /// Whether the token itself is no good any more, so that the answer is 401 and not a denied call.
    pub fn ends_the_token(self) -> bool {
        match self {
            Self::TokenNotCurrent
            | Self::GrantRevoked
            | Self::GrantExpired
            | Self::GrantNotYetValid
            | Self::PrincipalSuspended
            | Self::OwnerSuspended => true,
            Self::NoView
            | Self::LeaseExpired
            | Self::Draining
            | Self::ServerOutOfScope
            | Self::ServerDisabled
            | Self::CredentialRemoved
            | Self::ToolOutOfScope
            | Self::PromptOutOfScope
            | Self::ResourceOutOfScope
            | Self::ResourceUriNotNormal
            | Self::MethodNotKnown => false,
        }
    }

    /// Whether this node cannot decide now, so that the answer is 503 and another node may do better.
    pub fn is_the_node(self) -> bool {
        matches!(self, Self::NoView | Self::LeaseExpired | Self::Draining)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.write_str("nodes/self/lease"),
            Self::Grant(id) => write!(f, "grants/{id}"),
            Self::Scopes(id) => write!(f, "grants/{id}/scopes"),
            Self::Principal(id) => write!(f, "principals/{id}"),
            Self::Server(id) => write!(f, "servers/{id}"),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (rule {}): {}", self.reason.code(), self.rule, self.reason.advice())
    }
}
