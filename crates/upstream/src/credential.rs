//! Attaching a secret: opened at the moment of sending, for one origin, as one header.
//!
//! An opened secret is kept until the node's lease is lost ([`Credentials::wipe`]), because opening it anew for each
//! call would cost more than the call. What must stay true: a secret whose origin is not that of the server is not even
//! opened; a value that no single header carries is refused here as well, however it came into the store (FAULTS D10);
//! and every copy made here is wiped when it is dropped. hyper's buffers hold the header while it is sent, and are
//! freed with their connection.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use authority::{
    Permit,
    credential::{self, Attachment, Credential},
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};
use keyring::{
    Keyring, Secret,
    seal::{Aad, OpenRefused, Sealed, SealedMalformed},
    secret_value::{HeaderValueRefused, check_header_value},
};
use parking_lot::Mutex;
use seams::plant::{Plant, is_planted};
use zeroize::Zeroizing;

use crate::secret_forms::SecretForms;

/// The most opened secrets that are kept; with more servers than that the rarely used ones are opened again.
const MAX_OPENED: usize = 1024;

/// The kind of record a credential is sealed as.
const KIND: &str = "credential";

/// Which opening of a secret: no two values, and no two openings, have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SecretNumber(u64);

/// A secret as it is attached.
pub(crate) struct Attached {
    pub(crate) number: SecretNumber,
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
    /// What to look for in the answer.
    pub(crate) forms: Arc<SecretForms>,
}

/// Opens and keeps secrets.
pub(crate) struct Credentials {
    keyring: Arc<Keyring>,
    opened: Mutex<HashMap<credential::Id, Opened>>,
    next: AtomicU64,
}

struct Opened {
    /// What it was opened from, whole: a secret is handed on only for exactly the credential it came from.
    from: Credential,
    attached: Arc<Attached>,
}

/// Why a credential is not attached, and so nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachRefused {
    /// The server wants one, and there is none.
    #[error("the server has no credential: enter it with `portcullis credential set`")]
    Missing,
    /// It is bound to another origin.
    #[error("the credential belongs to another origin than the server: enter it again for this one")]
    OtherOrigin,
    /// What is stored is not a sealed secret.
    #[error("the stored credential is damaged: enter it again")]
    Malformed(#[source] SealedMalformed),
    /// It does not open here.
    #[error("the credential does not open")]
    NotOpened(#[source] OpenRefused),
    /// Its value cannot be a header.
    #[error("the credential's value cannot be sent")]
    Value(#[source] HeaderValueRefused),
}

impl Credentials {
    pub(crate) fn new(keyring: Arc<Keyring>) -> Self {
        Self { keyring, opened: Mutex::default(), next: AtomicU64::new(0) }
    }

    /// What to attach to the call of `permit`; nothing if its server wants nothing.
    pub(crate) fn attach(&self, permit: &Permit) -> Result<Option<Arc<Attached>>, AttachRefused> {
        let server = permit.server();
        let Some(credential) = permit.credential() else {
            return if server.credential.is_none() { Ok(None) } else { Err(AttachRefused::Missing) };
        };
        if credential.origin != server.endpoint.origin || credential.server != server.id {
            return Err(AttachRefused::OtherOrigin);
        }
        if let Some(opened) = self.opened.lock().get(&credential.id)
            && opened.from == *credential
        {
            return Ok(Some(Arc::clone(&opened.attached)));
        }
        let number = SecretNumber(self.next.fetch_add(1, Ordering::Relaxed));
        let attached = Arc::new(attached(number, credential, &self.open(credential)?)?);
        let mut opened = self.opened.lock();
        if opened.len() >= MAX_OPENED {
            opened.clear();
        }
        let kept = Opened { from: credential.clone(), attached: Arc::clone(&attached) };
        opened.insert(credential.id.clone(), kept);
        Ok(Some(attached))
    }

    /// Forgets every opened secret. Calls that are being sent keep theirs until they end, which a lost lease sees to.
    pub(crate) fn wipe(&self) {
        self.opened.lock().clear();
    }

    fn open(&self, credential: &Credential) -> Result<Secret, AttachRefused> {
        let aad = Aad {
            kind: KIND,
            id: credential.id.as_str(),
            origin: credential.origin.as_str(),
            version: u64::from(credential.version),
        };
        let sealed = Sealed::from_bytes(&credential.sealed.0).map_err(AttachRefused::Malformed)?;
        self.keyring.open_sealed(&aad, &sealed).map_err(AttachRefused::NotOpened)
    }
}

fn attached(
    number: SecretNumber,
    credential: &Credential,
    secret: &Secret,
) -> Result<Attached, AttachRefused> {
    check_header_value(secret.expose()).map_err(AttachRefused::Value)?;
    if is_planted(Plant::SecretLogged) {
        tracing::info!(secret = %String::from_utf8_lossy(secret.expose()), "a planted bug logs a secret");
    }
    let (name, scheme) = match &credential.attachment {
        Attachment::Bearer => (AUTHORIZATION, &b"Bearer "[..]),
        Attachment::Header { name } => {
            let name = HeaderName::from_bytes(name.as_str().as_bytes());
            (name.expect("a credential's header name is a token"), &b""[..])
        }
    };
    let value = Bytes::from_owner(Zeroizing::new([scheme, secret.expose()].concat()));
    let mut value = HeaderValue::from_maybe_shared(value).expect("the value was checked");
    value.set_sensitive(true);
    Ok(Attached { number, name, value, forms: Arc::new(SecretForms::new(secret.expose())) })
}
