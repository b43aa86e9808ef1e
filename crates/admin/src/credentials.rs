//! The credentials. A secret comes in here, is checked, sealed to the origin its server has now, and never goes out
//! again: no message that this file answers has a field for it (FAULTS E24).

use std::sync::Arc;

use authority::{
    View,
    command::{Body, RemoveCredential, SetCredential},
    credential::{self, Attachment, Credential, Sealed},
    server::Origin,
};
use keyring::{
    Secret,
    seal::Aad,
    secret_value::{HeaderValueRefused, check_new_secret},
};
use tonic::{Request, Response, Status};
use wire::pb::admin::v1::{self as pb, attachment::Form, credential_service_server::CredentialService};

use crate::{
    authenticate::Caller,
    control::Control,
    enforcement::enforcement,
    paging::Wanted,
    parse::{self, Invalid, Why},
    status::Absent,
};

/// The kind that a sealed credential is bound to, together with its id, origin and version.
const SEALED_KIND: &str = "credential";

/// The service.
pub(crate) struct Credentials {
    control: Arc<Control>,
}

impl Credentials {
    pub(crate) fn new(control: Arc<Control>) -> Self {
        Self { control }
    }

    /// Seals `secret` for the place it will have: a later value of the same credential has the next version.
    fn sealed(
        &self,
        id: &credential::Id,
        origin: &Origin,
        version: u32,
        secret: &Secret,
    ) -> Result<Sealed, Invalid> {
        let aad =
            Aad { kind: SEALED_KIND, id: id.as_str(), origin: origin.as_str(), version: u64::from(version) };
        let sealed = self.control.keyring().seal(&aad, secret.expose(), &*self.control.parts().entropy);
        // The check before holds it far below the bound of the sealing; a bound that moved must still be told.
        let too_long = |refused: keyring::seal::SealRefused| HeaderValueRefused::TooLong { len: refused.len };
        let sealed = sealed.map_err(|refused| Why::HeaderValue(too_long(refused)).of("secret"))?;
        Ok(Sealed(sealed.to_bytes().into()))
    }
}

#[tonic::async_trait]
impl CredentialService for Credentials {
    async fn set_credential(
        &self,
        request: Request<pb::SetCredentialRequest>,
    ) -> Result<Response<pb::SetCredentialResponse>, Status> {
        let (caller, mut message) = Caller::of(request)?;
        let secret = Secret::new(std::mem::take(&mut message.secret));
        let server = parse::server("server", &message.server)?;
        let id = match message.credential_id.as_str() {
            "" => credential::Id::parse(server.as_str()).expect("the name of a server is a name"),
            text => parse::name("credential_id", text, credential::Id::parse)?,
        };
        let attachment = read_attachment(message.attachment.as_ref())?;
        check_new_secret(secret.expose()).map_err(|refused| Why::HeaderValue(refused).of("secret"))?;
        let request = self.control.request_id(&message.request_id)?;

        let view = self.control.view().await?;
        let held = view.server(&server).ok_or_else(|| Absent::of(format_args!("servers/{server}")))?;
        let origin = held.endpoint.origin.clone();
        let version = view.authority().next_credential_version(&id);
        let sealed = self.sealed(&id, &origin, version, &secret)?;
        let credential = Credential { id: id.clone(), server, origin, attachment, version, sealed };
        let body = Body::SetCredential(SetCredential { credential });
        let done = self.control.propose(&caller.id, request, body).await?;
        Ok(Response::new(pb::SetCredentialResponse {
            credential: Some(found(&done.view, &id)?),
            revision: done.revision.0,
        }))
    }

    async fn delete_credential(
        &self,
        request: Request<pb::DeleteCredentialRequest>,
    ) -> Result<Response<pb::DeleteCredentialResponse>, Status> {
        let (caller, message) = Caller::of(request)?;
        let credential = parse::credential("name", &message.name)?;
        let request = self.control.request_id(&message.request_id)?;
        let body = Body::RemoveCredential(RemoveCredential { credential });
        let done = self.control.propose(&caller.id, request, body).await?;
        Ok(Response::new(pb::DeleteCredentialResponse {
            revision: done.revision.0,
            enforcement: Some(enforcement(done.enforced.as_ref())),
        }))
    }

    async fn list_credentials(
        &self,
        request: Request<pb::ListCredentialsRequest>,
    ) -> Result<Response<pb::ListCredentialsResponse>, Status> {
        let message = request.get_ref();
        let wanted = Wanted::parse("credentials", message.page_size, &message.page_token)?;
        let view = self.control.view().await?;
        let there = view.credentials().map(|credential| (credential.id.as_str(), &**credential));
        let page = wanted.of(there, form);
        Ok(Response::new(pb::ListCredentialsResponse {
            credentials: page.items,
            next_page_token: page.next,
            revision: view.revision().0,
        }))
    }
}

fn read_attachment(said: Option<&pb::Attachment>) -> Result<Attachment, Invalid> {
    let Some(said) = said else { return Ok(Attachment::Bearer) };
    match said.form.as_ref().ok_or_else(|| Why::Missing.of("attachment.form"))? {
        Form::Bearer(pb::BearerAttachment {}) => Ok(Attachment::Bearer),
        Form::Header(pb::HeaderAttachment { name }) => {
            Ok(Attachment::Header { name: parse::header_name("attachment.header.name", name)? })
        }
    }
}

fn found(view: &View, id: &credential::Id) -> Result<pb::Credential, Absent> {
    let found = view.credential(id).map(|credential| form(credential));
    found.ok_or_else(|| Absent::of(format_args!("credentials/{id}")))
}

fn form(credential: &Credential) -> pb::Credential {
    let attachment = match &credential.attachment {
        Attachment::Bearer => Form::Bearer(pb::BearerAttachment {}),
        Attachment::Header { name } => Form::Header(pb::HeaderAttachment { name: name.as_str().to_owned() }),
    };
    pb::Credential {
        name: format!("credentials/{}", credential.id),
        server: format!("servers/{}", credential.server),
        origin: credential.origin.to_string(),
        attachment: Some(pb::Attachment { form: Some(attachment) }),
        version: credential.version,
    }
}
