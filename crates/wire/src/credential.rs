//! Credentials, with their sealed text.

use authority::{
    credential::{Attachment, Credential, HeaderName, Id, Sealed},
    server,
};

use crate::{
    field,
    malformed::{Flaw, Malformed},
    pb::events::v1::{self as pb, credential::Attachment as PbAttachment},
    server::origin,
};

pub(crate) fn to_pb(credential: &Credential) -> pb::Credential {
    let attachment = match &credential.attachment {
        Attachment::Bearer => PbAttachment::Bearer(pb::Bearer {}),
        Attachment::Header { name } => {
            PbAttachment::Header(pb::NamedHeader { name: name.as_str().to_owned() })
        }
    };
    pb::Credential {
        id: credential.id.as_str().to_owned(),
        server: credential.server.as_str().to_owned(),
        origin: credential.origin.as_str().to_owned(),
        attachment: Some(attachment),
        version: credential.version,
        sealed: credential.sealed.0.to_vec(),
    }
}

pub(crate) fn from_pb(credential: Option<pb::Credential>) -> Result<Credential, Malformed> {
    let credential = field::required("credential", credential)?;
    let attachment = match field::required("credential.attachment", credential.attachment)? {
        PbAttachment::Bearer(pb::Bearer {}) => Attachment::Bearer,
        PbAttachment::Header(pb::NamedHeader { name }) => Attachment::Header { name: header(&name)? },
    };
    Ok(Credential {
        id: field::name("credential.id", &credential.id, Id::parse)?,
        server: field::name("credential.server", &credential.server, server::Id::parse)?,
        origin: origin("credential.origin", &credential.origin)?,
        attachment,
        version: credential.version,
        sealed: Sealed(credential.sealed.into()),
    })
}

fn header(text: &str) -> Result<HeaderName, Malformed> {
    let name = HeaderName::parse(text).map_err(|error| Flaw::Header(error).of("named_header.name"))?;
    if name.as_str() == text { Ok(name) } else { Err(Flaw::NotNormal.of("named_header.name")) }
}
