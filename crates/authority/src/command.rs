//! Commands: what asks the state to change. One file per command behind one small dispatcher.
//!
//! A command is decided against the state and yields events, or is rejected; both are normal results that every voter
//! computes alike. Everything random or read from a clock is in the command already. Whether a command is fenced
//! follows from its [`Class`]: one whose file states none is narrowing.

mod add_operator;
mod add_principal;
mod add_server;
mod apply;
mod commit_archive_head;
mod disable_server;
mod enable_server;
mod found_cluster;
mod issue_grant;
mod outcome;
mod register_incarnation;
mod rejection;
mod remove_credential;
mod remove_server;
mod resume_principal;
mod revoke_grant;
mod rotate_grant_token;
mod rotate_operator_token;
mod set_credential;
mod suspend_principal;

pub use add_operator::AddOperator;
pub use add_principal::AddPrincipal;
pub use add_server::AddServer;
pub use apply::{Applied, apply};
pub use commit_archive_head::{COMMIT_ARCHIVE_HEAD, CommitArchiveHead};
pub use disable_server::DisableServer;
pub use enable_server::EnableServer;
pub use found_cluster::FoundCluster;
pub use issue_grant::IssueGrant;
pub use outcome::Outcome;
pub use register_incarnation::RegisterIncarnation;
pub use rejection::{Rejected, Rejection};
pub use remove_credential::RemoveCredential;
pub use remove_server::RemoveServer;
pub use resume_principal::ResumePrincipal;
pub use revoke_grant::RevokeGrant;
pub use rotate_grant_token::RotateGrantToken;
pub use rotate_operator_token::RotateOperatorToken;
pub use set_credential::SetCredential;
pub use suspend_principal::SuspendPrincipal;

use crate::{
    authority::Authority,
    event::{Actor, Event},
    request,
    time::Wall,
};

/// A request to change the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The id by which a retry is known.
    pub request: request::Id,
    /// Who asks.
    pub actor: Actor,
    /// When, on the clock of the leader that proposed it.
    pub time: Wall,
    /// What is asked.
    pub body: Body,
}

/// What a command asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// See [`FoundCluster`].
    FoundCluster(FoundCluster),
    /// See [`AddPrincipal`].
    AddPrincipal(AddPrincipal),
    /// See [`SuspendPrincipal`].
    SuspendPrincipal(SuspendPrincipal),
    /// See [`ResumePrincipal`].
    ResumePrincipal(ResumePrincipal),
    /// See [`AddServer`].
    AddServer(AddServer),
    /// See [`DisableServer`].
    DisableServer(DisableServer),
    /// See [`EnableServer`].
    EnableServer(EnableServer),
    /// See [`RemoveServer`].
    RemoveServer(RemoveServer),
    /// See [`SetCredential`].
    SetCredential(SetCredential),
    /// See [`RemoveCredential`].
    RemoveCredential(RemoveCredential),
    /// See [`IssueGrant`].
    IssueGrant(IssueGrant),
    /// See [`RotateGrantToken`].
    RotateGrantToken(RotateGrantToken),
    /// See [`RevokeGrant`].
    RevokeGrant(RevokeGrant),
    /// See [`AddOperator`].
    AddOperator(AddOperator),
    /// See [`RotateOperatorToken`].
    RotateOperatorToken(RotateOperatorToken),
    /// See [`RegisterIncarnation`].
    RegisterIncarnation(RegisterIncarnation),
    /// See [`CommitArchiveHead`].
    CommitArchiveHead(CommitArchiveHead),
}

/// What a command can do to rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It may take rights away: its answer waits until every edge enforces it.
    Narrowing,
    /// It can only add rights.
    Widening,
    /// It touches no right.
    Neutral,
}

/// What each command's file provides.
pub(crate) trait Handle {
    /// What the command can do to rights. A file that does not say is narrowing.
    fn class(&self) -> Class {
        Class::Narrowing
    }

    /// The stable name, as events and answers carry it.
    fn name(&self) -> &'static str;

    /// The resource the command is about, such as `grants/gr_…`. With the name it tells a retry from a reused id.
    fn subject(&self) -> String;

    /// The events the command causes in `state`, at the cluster time `now`; none if what it asks is so already.
    fn decide(&self, state: &Authority, now: Wall) -> Result<Vec<Event>, Rejected>;
}

/// What a command causes, before any of it happens.
pub fn decide_command(state: &Authority, command: &Command) -> Result<Vec<Event>, Rejected> {
    let handler = command.body.handler();
    // Events that no archive holds yet are part of the state, which is bounded: at the bound nothing may widen.
    if handler.class() == Class::Widening && state.is_full_of_unarchived_events() {
        return Err(Rejection::ArchiveBehind.about("the archive"));
    }
    handler.decide(state, state.time.max(command.time))
}

impl Body {
    /// The stable names of all commands there ever were. Events name them, so none is taken off the list.
    pub const NAMES: [&'static str; 17] = [
        "add_operator",
        "add_principal",
        "add_server",
        COMMIT_ARCHIVE_HEAD,
        "disable_server",
        "enable_server",
        "found_cluster",
        "issue_grant",
        "register_incarnation",
        "remove_credential",
        "remove_server",
        "resume_principal",
        "revoke_grant",
        "rotate_grant_token",
        "rotate_operator_token",
        "set_credential",
        "suspend_principal",
    ];

    /// What the command can do to rights.
    pub fn class(&self) -> Class {
        self.handler().class()
    }

    /// The resource the command is about, such as `grants/gr_…`.
    pub fn subject(&self) -> String {
        self.handler().subject()
    }

    /// The stable name of the command.
    pub fn name(&self) -> &'static str {
        self.handler().name()
    }

    fn handler(&self) -> &dyn Handle {
        match self {
            Self::FoundCluster(command) => command,
            Self::AddPrincipal(command) => command,
            Self::SuspendPrincipal(command) => command,
            Self::ResumePrincipal(command) => command,
            Self::AddServer(command) => command,
            Self::DisableServer(command) => command,
            Self::EnableServer(command) => command,
            Self::RemoveServer(command) => command,
            Self::SetCredential(command) => command,
            Self::RemoveCredential(command) => command,
            Self::IssueGrant(command) => command,
            Self::RotateGrantToken(command) => command,
            Self::RevokeGrant(command) => command,
            Self::AddOperator(command) => command,
            Self::RotateOperatorToken(command) => command,
            Self::RegisterIncarnation(command) => command,
            Self::CommitArchiveHead(command) => command,
        }
    }
}
