//! The upstream servers. Whether a URL may be reached at all is asked when it is entered, so that a wrong one is found
//! by the person who enters it and not by a call.

use std::sync::Arc;

use authority::{
    View,
    command::{AddServer, Body, DisableServer, EnableServer, RemoveServer},
    server::{self, Server, Status as ServerStatus},
};
use tonic::{Request, Response, Status};
use wire::pb::admin::v1::{self as pb, server_service_server::ServerService};

use crate::{
    authenticate::Caller,
    control::{Control, Done},
    enforcement::enforcement,
    paging::Wanted,
    parse::{self, Why},
    status::Absent,
};

/// The service.
pub(crate) struct Servers {
    control: Arc<Control>,
}

impl Servers {
    pub(crate) fn new(control: Arc<Control>) -> Self {
        Self { control }
    }

    async fn change(&self, caller: &Caller, request_id: &str, body: Body) -> Result<Done, Status> {
        let request = self.control.request_id(request_id)?;
        self.control.propose(&caller.id, request, body).await
    }
}

#[tonic::async_trait]
impl ServerService for Servers {
    async fn create_server(
        &self,
        request: Request<pb::CreateServerRequest>,
    ) -> Result<Response<pb::CreateServerResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let id = parse::name("server_id", &message.server_id, server::Id::parse)?;
        let said = message.server.as_ref().ok_or_else(|| Why::Missing.of("server"))?;
        let endpoint = parse::endpoint("server.url", &said.url)?;
        self.control.check_endpoint(&endpoint)?;
        let body = Body::AddServer(AddServer { server: id.clone(), endpoint });
        let done = self.change(&caller, &message.request_id, body).await?;
        let server = Some(found(&done.view, &id)?);
        Ok(Response::new(pb::CreateServerResponse { server, revision: done.revision.0 }))
    }

    async fn get_server(
        &self,
        request: Request<pb::GetServerRequest>,
    ) -> Result<Response<pb::GetServerResponse>, Status> {
        let id = parse::server("name", &request.get_ref().name)?;
        let view = self.control.view().await?;
        let server = Some(found(&view, &id)?);
        Ok(Response::new(pb::GetServerResponse { server, revision: view.revision().0 }))
    }

    async fn list_servers(
        &self,
        request: Request<pb::ListServersRequest>,
    ) -> Result<Response<pb::ListServersResponse>, Status> {
        let message = request.get_ref();
        let wanted = Wanted::parse("servers", message.page_size, &message.page_token)?;
        let view = self.control.view().await?;
        let there = view.servers().filter(|server| server.status != ServerStatus::Removed);
        let page = wanted.of(there.map(|server| (server.id.as_str(), &**server)), form);
        Ok(Response::new(pb::ListServersResponse {
            servers: page.items,
            next_page_token: page.next,
            revision: view.revision().0,
        }))
    }

    async fn delete_server(
        &self,
        request: Request<pb::DeleteServerRequest>,
    ) -> Result<Response<pb::DeleteServerResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let id = parse::server("name", &message.name)?;
        let body = Body::RemoveServer(RemoveServer { server: id });
        let done = self.change(&caller, &message.request_id, body).await?;
        Ok(Response::new(pb::DeleteServerResponse {
            revision: done.revision.0,
            enforcement: Some(enforcement(done.enforced.as_ref())),
        }))
    }

    async fn disable_server(
        &self,
        request: Request<pb::DisableServerRequest>,
    ) -> Result<Response<pb::DisableServerResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let id = parse::server("name", &message.name)?;
        let body = Body::DisableServer(DisableServer { server: id.clone() });
        let done = self.change(&caller, &message.request_id, body).await?;
        Ok(Response::new(pb::DisableServerResponse {
            server: Some(found(&done.view, &id)?),
            revision: done.revision.0,
            enforcement: Some(enforcement(done.enforced.as_ref())),
        }))
    }

    async fn enable_server(
        &self,
        request: Request<pb::EnableServerRequest>,
    ) -> Result<Response<pb::EnableServerResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let id = parse::server("name", &message.name)?;
        let body = Body::EnableServer(EnableServer { server: id.clone() });
        let done = self.change(&caller, &message.request_id, body).await?;
        let server = Some(found(&done.view, &id)?);
        Ok(Response::new(pb::EnableServerResponse { server, revision: done.revision.0 }))
    }
}

fn found(view: &View, id: &server::Id) -> Result<pb::Server, Absent> {
    view.server(id).map(|server| form(server)).ok_or_else(|| Absent::of(format_args!("servers/{id}")))
}

fn form(server: &Server) -> pb::Server {
    let state = match server.status {
        ServerStatus::Enabled => pb::ServerState::Enabled,
        ServerStatus::Disabled => pb::ServerState::Disabled,
        ServerStatus::Removed => pb::ServerState::Removed,
    };
    pb::Server {
        name: format!("servers/{}", server.id),
        url: server.endpoint.url(),
        state: state.into(),
        credential: server.credential.as_ref().map(|id| format!("credentials/{id}")).unwrap_or_default(),
    }
}
