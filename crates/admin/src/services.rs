//! All services behind one guard, as one HTTP service: what `serve` puts on a socket, and tests call without one.

use std::sync::Arc;

use tokio::sync::watch;
use tonic::service::Routes;
use tower::Layer;
use wire::pb::{
    admin::v1::{
        cluster_service_server::ClusterServiceServer, credential_service_server::CredentialServiceServer,
        grant_service_server::GrantServiceServer, operator_service_server::OperatorServiceServer,
        principal_service_server::PrincipalServiceServer, server_service_server::ServerServiceServer,
    },
    audit::v1::audit_service_server::AuditServiceServer,
};

use crate::{
    audit::Audit,
    authenticate::Authenticator,
    cluster::Cluster,
    control::Control,
    credentials::Credentials,
    grants::Grants,
    guard::{Guard, GuardLayer},
    operators::Operators,
    parts::Parts,
    principals::Principals,
    refusals::Refusals,
    servers::Servers,
};

/// The longest message either way, in bytes. A page of 1,000 grants with wide scopes stays below; a request that needs
/// more is a mistake.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

const DESCRIBED: &str = "the descriptors are built together with the code they describe";

/// Puts the services together. Streams end when `stopping` says so.
pub(crate) fn services(parts: Parts, stopping: watch::Receiver<bool>) -> Guard<Routes> {
    let authenticator = Arc::new(Authenticator::new(&parts));
    let refusals = Arc::new(Refusals::new(Arc::clone(&parts.clock)));
    let audit = Audit::new(&parts, Arc::clone(&authenticator), stopping);
    let control = Arc::new(Control::new(parts));
    macro_rules! bounded {
        ($server:ident, $service:expr) => {
            $server::new($service)
                .max_decoding_message_size(MAX_MESSAGE_BYTES)
                .max_encoding_message_size(MAX_MESSAGE_BYTES)
        };
    }
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(wire::FILE_DESCRIPTOR_SET)
    };
    let routes = Routes::new(bounded!(ClusterServiceServer, Cluster::new(Arc::clone(&control))))
        .add_service(bounded!(PrincipalServiceServer, Principals::new(Arc::clone(&control))))
        .add_service(bounded!(ServerServiceServer, Servers::new(Arc::clone(&control))))
        .add_service(bounded!(CredentialServiceServer, Credentials::new(Arc::clone(&control))))
        .add_service(bounded!(GrantServiceServer, Grants::new(Arc::clone(&control))))
        .add_service(bounded!(OperatorServiceServer, Operators::new(control)))
        .add_service(bounded!(AuditServiceServer, audit))
        .add_service(reflection().build_v1().expect(DESCRIBED))
        .add_service(reflection().build_v1alpha().expect(DESCRIBED));
    GuardLayer::new(authenticator, refusals).layer(routes.prepare())
}

#[cfg(test)]
mod tests;
