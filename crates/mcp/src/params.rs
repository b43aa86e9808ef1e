//! The members of `params` that a decision, a record or a header needs, found in one pass; the rest stays bytes.
//!
//! The members keep their names and types in every method that has them, so they are read without regard to the
//! method: a `name` that is no string is refused wherever it stands. What this is not: a check that a method has the
//! members it needs; [`Call::target`](crate::method::Call::target) asks for those.

use std::borrow::Cow;

use crate::limits::{MAX_LABEL_BYTES, MAX_NAME_BYTES, MAX_SUBSCRIPTIONS, MAX_URI_BYTES};
use crate::strict::{Kind, Reason, Refusal, Scanner, Zone};

/// `_meta` key of the revision a modern request speaks (specification 2026-07-28, basic).
pub const META_PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// `_meta` key of the client's name and version.
pub const META_CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
/// `_meta` key of the client's capabilities, required in every modern request.
pub const META_CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// `_meta` key of the W3C trace parent.
pub const META_TRACEPARENT: &str = "traceparent";

/// What was found in `params`. Everything is as the client sent it, compared exactly and never normalised (C05).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params<'a> {
    /// The bytes of the whole object.
    pub raw: &'a [u8],
    /// The tool or prompt.
    pub name: Option<Cow<'a, str>>,
    /// The resource.
    pub uri: Option<Cow<'a, str>>,
    /// Where a list goes on; opaque, and an empty one is not the same as none.
    pub cursor: Option<Cow<'a, str>>,
    /// The arguments of a tool or prompt.
    pub arguments: Option<Arguments<'a>>,
    /// What `completion/complete` completes for.
    pub reference: Option<Reference<'a>>,
    /// The argument that `completion/complete` completes.
    pub argument: Option<CompletionArgument<'a>>,
    /// `_meta`.
    pub meta: Meta<'a>,
    /// The revision that `initialize` offers.
    pub protocol_version: Option<Cow<'a, str>>,
    /// Who `initialize` says the client is.
    pub client_info: Option<ClientInfo<'a>>,
    /// The resources that `subscriptions/listen` wants to follow.
    pub subscriptions: Vec<Cow<'a, str>>,
}

/// The arguments of a call: bytes for the upstream, key names for the record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments<'a> {
    /// The bytes of the object.
    pub raw: &'a [u8],
    /// Its top-level keys in their order.
    pub keys: Vec<Cow<'a, str>>,
}

/// `ref` of `completion/complete`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference<'a> {
    /// `ref/prompt` or `ref/resource`.
    pub kind: Option<Cow<'a, str>>,
    /// The prompt.
    pub name: Option<Cow<'a, str>>,
    /// The resource or resource template.
    pub uri: Option<Cow<'a, str>>,
}

/// `argument` of `completion/complete`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompletionArgument<'a> {
    /// Which argument.
    pub name: Option<Cow<'a, str>>,
}

/// The members of `_meta` that the gateway reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta<'a> {
    /// [`META_PROTOCOL_VERSION`].
    pub protocol_version: Option<Cow<'a, str>>,
    /// [`META_CLIENT_INFO`].
    pub client_info: Option<ClientInfo<'a>>,
    /// Whether [`META_CLIENT_CAPABILITIES`] holds an object.
    pub has_client_capabilities: bool,
    /// [`META_TRACEPARENT`].
    pub traceparent: Option<Cow<'a, str>>,
}

/// What a client says it is. Never trusted, only recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientInfo<'a> {
    /// Its name.
    pub name: Option<Cow<'a, str>>,
    /// Its version.
    pub version: Option<Cow<'a, str>>,
}

impl<'a> Params<'a> {
    /// Reads the `params` at which the scanner stands. `null` is the same as none; positional params are refused,
    /// since MCP has none.
    pub(crate) fn read(scanner: &mut Scanner<'a>) -> Result<Option<Self>, Refusal> {
        if !object_or_null(scanner, "params")? {
            return Ok(None);
        }
        let mut params = Params::default();
        let start = scanner.position();
        scanner.object(Zone::Protocol, |scanner, key| params.member(scanner, &key))?;
        params.raw = scanner.since(start);
        Ok(Some(params))
    }

    fn member(&mut self, scanner: &mut Scanner<'a>, key: &str) -> Result<(), Refusal> {
        match key {
            "name" => self.name = Some(text(scanner, "name", MAX_NAME_BYTES)?),
            "uri" => self.uri = Some(text(scanner, "uri", MAX_URI_BYTES)?),
            "cursor" if scanner.peek()? != Kind::Null => {
                self.cursor = Some(text(scanner, "cursor", usize::MAX)?);
            }
            "arguments" => self.arguments = Arguments::read(scanner)?,
            "ref" => self.reference = Some(Reference::read(scanner)?),
            "argument" => self.argument = Some(CompletionArgument::read(scanner)?),
            "_meta" => self.meta = Meta::read(scanner)?,
            "protocolVersion" => {
                self.protocol_version = Some(text(scanner, "protocolVersion", MAX_LABEL_BYTES)?);
            }
            "clientInfo" => self.client_info = Some(ClientInfo::read(scanner)?),
            "notifications" => self.subscriptions = subscriptions(scanner)?,
            _ => drop(scanner.skip()?),
        }
        Ok(())
    }
}

impl<'a> Arguments<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Result<Option<Self>, Refusal> {
        if !object_or_null(scanner, "arguments")? {
            return Ok(None);
        }
        let start = scanner.position();
        let mut keys = Vec::new();
        scanner.object(Zone::Free, |scanner, key| {
            keys.push(key);
            scanner.skip().map(drop)
        })?;
        Ok(Some(Arguments { raw: scanner.since(start), keys }))
    }
}

impl<'a> Reference<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Result<Self, Refusal> {
        object(scanner, "ref")?;
        let mut reference = Reference::default();
        scanner.object(Zone::Protocol, |scanner, key| {
            match &*key {
                "type" => reference.kind = Some(text(scanner, "type", MAX_LABEL_BYTES)?),
                "name" => reference.name = Some(text(scanner, "name", MAX_NAME_BYTES)?),
                "uri" => reference.uri = Some(text(scanner, "uri", MAX_URI_BYTES)?),
                _ => drop(scanner.skip()?),
            }
            Ok(())
        })?;
        Ok(reference)
    }
}

impl<'a> CompletionArgument<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Result<Self, Refusal> {
        object(scanner, "argument")?;
        let mut argument = CompletionArgument::default();
        scanner.object(Zone::Protocol, |scanner, key| {
            match &*key {
                "name" => argument.name = Some(text(scanner, "name", MAX_NAME_BYTES)?),
                _ => drop(scanner.skip()?),
            }
            Ok(())
        })?;
        Ok(argument)
    }
}

impl<'a> Meta<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Result<Self, Refusal> {
        let mut meta = Meta::default();
        if !object_or_null(scanner, "_meta")? {
            return Ok(meta);
        }
        scanner.object(Zone::Protocol, |scanner, key| {
            match &*key {
                META_PROTOCOL_VERSION => {
                    meta.protocol_version = Some(text(scanner, META_PROTOCOL_VERSION, MAX_LABEL_BYTES)?);
                }
                META_CLIENT_INFO => meta.client_info = Some(ClientInfo::read(scanner)?),
                META_CLIENT_CAPABILITIES => {
                    meta.has_client_capabilities = scanner.peek()? == Kind::Object;
                    scanner.skip()?;
                }
                META_TRACEPARENT => {
                    meta.traceparent = Some(text(scanner, META_TRACEPARENT, MAX_LABEL_BYTES)?);
                }
                _ => drop(scanner.skip()?),
            }
            Ok(())
        })?;
        Ok(meta)
    }
}

impl<'a> ClientInfo<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Result<Self, Refusal> {
        object(scanner, "clientInfo")?;
        let mut info = ClientInfo::default();
        scanner.object(Zone::Protocol, |scanner, key| {
            match &*key {
                "name" => info.name = Some(text(scanner, "name", MAX_LABEL_BYTES)?),
                "version" => info.version = Some(text(scanner, "version", MAX_LABEL_BYTES)?),
                _ => drop(scanner.skip()?),
            }
            Ok(())
        })?;
        Ok(info)
    }
}

/// `notifications.resourceSubscriptions`, the part of a listen filter that names resources.
fn subscriptions<'a>(scanner: &mut Scanner<'a>) -> Result<Vec<Cow<'a, str>>, Refusal> {
    const MEMBER: &str = "resourceSubscriptions";
    let mut uris = Vec::new();
    if !object_or_null(scanner, "notifications")? {
        return Ok(uris);
    }
    scanner.object(Zone::Protocol, |scanner, key| {
        if key != MEMBER || scanner.peek()? == Kind::Null {
            return scanner.skip().map(drop);
        }
        if scanner.peek()? != Kind::Array {
            return Err(Reason::WrongType { member: MEMBER }.at(scanner.position()));
        }
        scanner.array(|scanner| {
            if uris.len() == MAX_SUBSCRIPTIONS {
                return Err(Reason::TooManySubscriptions.at(scanner.position()));
            }
            uris.push(text(scanner, MEMBER, MAX_URI_BYTES)?);
            Ok(())
        })
    })?;
    Ok(uris)
}

/// The text of a member that must be a string of at most `most` bytes.
pub(crate) fn text<'a>(
    scanner: &mut Scanner<'a>,
    member: &'static str,
    most: usize,
) -> Result<Cow<'a, str>, Refusal> {
    if scanner.peek()? != Kind::String {
        return Err(Reason::WrongType { member }.at(scanner.position()));
    }
    let span = scanner.string()?;
    let text = scanner.decode(span).ok_or(Reason::LoneSurrogate.at(span.start))?;
    if text.len() > most { Err(Reason::TooLong { member }.at(span.start)) } else { Ok(text) }
}

/// Demands an object. Afterwards the scanner stands on its brace.
fn object(scanner: &mut Scanner<'_>, member: &'static str) -> Result<(), Refusal> {
    match scanner.peek()? {
        Kind::Object => Ok(()),
        _ => Err(Reason::WrongType { member }.at(scanner.position())),
    }
}

/// Demands an object or `null`, which some clients send for an absent one. `null` is passed and gives `false`.
fn object_or_null(scanner: &mut Scanner<'_>, member: &'static str) -> Result<bool, Refusal> {
    if scanner.peek()? == Kind::Null {
        scanner.skip()?;
        return Ok(false);
    }
    object(scanner, member)?;
    Ok(true)
}
