//! Which role may call what: the one place that says so, for every method by its full name. A method that is not in
//! the table is closed to everybody; a test walks the descriptors of the API and finds each method here.

use authority::operator::Role::{
    self, Approver, Auditor, Granter, Operator, Owner, SecurityAdmin, ServerAdmin,
};

/// How much of an unknown method's name an answer repeats, in characters.
const SHOWN_METHOD_CHARS: usize = 120;

const EVERYONE: &[Role] = &[Owner, SecurityAdmin, ServerAdmin, Granter, Approver, Auditor, Operator];
/// Whoever works with resources sees them; `operator` has the health of the cluster only.
const READERS: &[Role] = &[Owner, SecurityAdmin, ServerAdmin, Granter, Approver, Auditor];
const PRINCIPALS: &[Role] = &[Owner, SecurityAdmin];
const SERVERS: &[Role] = &[Owner, SecurityAdmin, ServerAdmin];
const GRANTS: &[Role] = &[Owner, SecurityAdmin, Granter];
const OPERATORS: &[Role] = &[Owner];
const OPERATOR_READERS: &[Role] = &[Owner, SecurityAdmin, Auditor];
const AUDIT: &[Role] = &[Owner, SecurityAdmin, Auditor];

/// Every method and the roles that may call it.
const TABLE: &[(&str, &[Role])] = &[
    ("/portcullis.admin.v1.ClusterService/GetStatus", EVERYONE),
    ("/portcullis.admin.v1.PrincipalService/CreatePrincipal", PRINCIPALS),
    ("/portcullis.admin.v1.PrincipalService/GetPrincipal", READERS),
    ("/portcullis.admin.v1.PrincipalService/ListPrincipals", READERS),
    ("/portcullis.admin.v1.PrincipalService/SuspendPrincipal", PRINCIPALS),
    ("/portcullis.admin.v1.PrincipalService/ResumePrincipal", PRINCIPALS),
    ("/portcullis.admin.v1.ServerService/CreateServer", SERVERS),
    ("/portcullis.admin.v1.ServerService/GetServer", READERS),
    ("/portcullis.admin.v1.ServerService/ListServers", READERS),
    ("/portcullis.admin.v1.ServerService/DeleteServer", SERVERS),
    ("/portcullis.admin.v1.ServerService/DisableServer", SERVERS),
    ("/portcullis.admin.v1.ServerService/EnableServer", SERVERS),
    ("/portcullis.admin.v1.CredentialService/SetCredential", SERVERS),
    ("/portcullis.admin.v1.CredentialService/DeleteCredential", SERVERS),
    ("/portcullis.admin.v1.CredentialService/ListCredentials", READERS),
    ("/portcullis.admin.v1.GrantService/IssueGrant", GRANTS),
    ("/portcullis.admin.v1.GrantService/GetGrant", READERS),
    ("/portcullis.admin.v1.GrantService/ListGrants", READERS),
    ("/portcullis.admin.v1.GrantService/RotateGrant", GRANTS),
    ("/portcullis.admin.v1.GrantService/RevokeGrant", GRANTS),
    ("/portcullis.admin.v1.OperatorService/CreateOperator", OPERATORS),
    // Its own token anybody may rotate; the service refuses the tokens of others to all but owners.
    ("/portcullis.admin.v1.OperatorService/RotateOperatorToken", EVERYONE),
    ("/portcullis.admin.v1.OperatorService/ListOperators", OPERATOR_READERS),
    ("/portcullis.audit.v1.AuditService/List", AUDIT),
    ("/portcullis.audit.v1.AuditService/Subscribe", AUDIT),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", EVERYONE),
    ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", EVERYONE),
];

/// Why a caller may not call a method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAllowed {
    /// The table does not have the method.
    #[error("this release has no method {method}")]
    MethodNotKnown {
        /// The method, cut.
        method: String,
    },
    /// The method is for other roles.
    #[error("the role {} may not do this; it takes {}", name(*.role), names(.needed))]
    Role {
        /// The caller's role.
        role: Role,
        /// The roles that may.
        needed: &'static [Role],
    },
}

/// Refuses unless `role` may call `method`, which is the full name as it stands in the path of the request.
pub(crate) fn check(role: Role, method: &str) -> Result<(), NotAllowed> {
    let Some((_, needed)) = TABLE.iter().find(|(listed, _)| *listed == method) else {
        return Err(NotAllowed::MethodNotKnown { method: method.chars().take(SHOWN_METHOD_CHARS).collect() });
    };
    if needed.contains(&role) { Ok(()) } else { Err(NotAllowed::Role { role, needed }) }
}

/// The role as people write it.
pub(crate) fn name(role: Role) -> &'static str {
    match role {
        Owner => "owner",
        SecurityAdmin => "security-admin",
        ServerAdmin => "server-admin",
        Granter => "granter",
        Approver => "approver",
        Auditor => "auditor",
        Operator => "operator",
    }
}

fn names(roles: &[Role]) -> String {
    roles.iter().map(|role| name(*role)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::*;

    /// Every method of the admin and audit packages, from the descriptors themselves.
    fn described() -> BTreeSet<String> {
        let set = FileDescriptorSet::decode(wire::FILE_DESCRIPTOR_SET).expect("wire built it");
        let mut methods = BTreeSet::new();
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    methods.insert(format!("/{}.{}/{}", file.package(), service.name(), method.name()));
                }
            }
        }
        methods
    }

    #[test]
    fn e23_every_described_method_has_a_row_and_every_row_a_method() {
        let listed: BTreeSet<String> = TABLE.iter().map(|(method, _)| (*method).to_owned()).collect();
        assert_eq!(listed.len(), TABLE.len(), "a method has two rows");
        let ours = |method: &&String| method.starts_with("/portcullis.");
        assert_eq!(listed.iter().filter(ours).cloned().collect::<BTreeSet<_>>(), described());
    }

    /// E24: an auditor changes nothing, whatever the method is called.
    #[test]
    fn e24_an_auditor_may_only_read() {
        for (method, _) in TABLE.iter().filter(|(method, _)| method.starts_with("/portcullis.")) {
            let verb = method.rsplit_once('/').map_or("", |(_, verb)| verb);
            let reads = ["Get", "List", "Subscribe"].iter().any(|prefix| verb.starts_with(prefix));
            let own_token = verb == "RotateOperatorToken";
            assert_eq!(check(Auditor, method).is_ok(), reads || own_token, "{method}");
        }
    }

    #[test]
    fn an_unlisted_method_is_closed_to_the_owner_too() {
        let method = format!("/portcullis.admin.v1.GrantService/{}", "X".repeat(1000));
        let Err(NotAllowed::MethodNotKnown { method }) = check(Owner, &method) else {
            panic!("it is closed")
        };
        assert_eq!(method.len(), SHOWN_METHOD_CHARS);
    }

    #[test]
    fn the_refusal_names_the_roles_that_may() {
        let refused =
            check(Granter, "/portcullis.admin.v1.OperatorService/CreateOperator").expect_err("not allowed");
        assert_eq!(refused.to_string(), "the role granter may not do this; it takes owner");
    }
}
