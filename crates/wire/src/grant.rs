//! Grants.

use authority::{
    grant::{Grant, Tokens},
    principal,
    time::Wall,
};

use crate::{field, malformed::Malformed, pb::events::v1 as pb, scope};

pub(crate) fn to_pb(grant: &Grant) -> pb::Grant {
    let previous = grant.tokens.previous.as_ref();
    pb::Grant {
        id: grant.id.0.to_vec(),
        principal: grant.principal.as_str().to_owned(),
        label: grant.label.as_ref().to_owned(),
        parent: grant.parent.map(|parent| parent.0.to_vec()),
        scopes: grant.scopes.iter().map(scope::to_pb).collect(),
        issued_at_ms: grant.issued_at.0,
        not_before_ms: grant.not_before.0,
        expires_at_ms: grant.expires_at.map(|time| time.0),
        token: grant.tokens.current.0.to_vec(),
        previous_token: previous
            .map(|(hash, until)| pb::PreviousToken { hash: hash.0.to_vec(), until_ms: until.0 }),
        revoked_at_ms: grant.revoked_at.map(|time| time.0),
    }
}

pub(crate) fn from_pb(grant: Option<pb::Grant>) -> Result<Grant, Malformed> {
    let grant = field::required("grant", grant)?;
    let previous = |token: pb::PreviousToken| {
        Ok::<_, Malformed>((field::token("previous_token.hash", &token.hash)?, Wall(token.until_ms)))
    };
    Ok(Grant {
        id: field::grant("grant.id", &grant.id)?,
        principal: field::name("grant.principal", &grant.principal, principal::Id::parse)?,
        label: grant.label.into(),
        parent: grant.parent.map(|parent| field::grant("grant.parent", &parent)).transpose()?,
        scopes: grant.scopes.into_iter().map(scope::from_pb).collect::<Result<_, _>>()?,
        issued_at: Wall(grant.issued_at_ms),
        not_before: Wall(grant.not_before_ms),
        expires_at: grant.expires_at_ms.map(Wall),
        tokens: Tokens {
            current: field::token("grant.token", &grant.token)?,
            previous: grant.previous_token.map(previous).transpose()?,
        },
        revoked_at: grant.revoked_at_ms.map(Wall),
    })
}
