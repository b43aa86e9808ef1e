//! `portcullis init`: makes a node's keys and certificate authority, founds its cluster, and prints the first operator
//! token, once.
//!
//! A directory that holds a founded node is refused and left as it was. One whose founding broke off is founded to its end,
//! with the keys that are there, so that no key is ever replaced by accident.

use std::{io::Write, path::Path};

use anyhow::{Context as _, Result, bail};
use authority::{
    command::{AddOperator, Body, Outcome},
    event::Actor,
    grant::TokenHash,
    name::Name,
    operator::{self, Operator, Role},
    request,
};
use keyring::{
    Keyring,
    token::{self, Token, TokenKind},
};
use replica::{Proposal, Replica};
use seams::{Entropy, SharedEntropy, SystemDisk, entropy};

use crate::{certificates, context::Context, data_dir::DataDir};

/// The id of the first operator.
const FIRST_OPERATOR: &str = "owner";

/// A cluster that was just founded, or found again.
pub struct Prepared {
    /// The keys.
    pub keyring: Keyring,
    /// The id of the cluster.
    pub cluster: Name,
}

/// Makes keys and certificate authority in `dir`, unless they are there.
pub fn prepare(dir: &DataDir, entropy: &dyn Entropy) -> Result<Prepared> {
    std::fs::create_dir_all(dir.root()).with_context(|| format!("cannot create {}", dir.root().display()))?;
    let keyring = Keyring::open_or_create(&dir.keys(), &SystemDisk, entropy)?;
    let cluster = cluster_of(&keyring);
    certificates::create_authority(dir, cluster.as_str())?;
    Ok(Prepared { keyring, cluster })
}

/// The id of the cluster that was founded with this keyring.
pub fn cluster_of(keyring: &Keyring) -> Name {
    Name::parse(&keyring.id().to_string()).expect("a keyring id is lower-case hexadecimal")
}

/// Adds the first operator, unless there is one. Its token is handed to `keep` before it opens anything: a token that
/// was added first and lost on the way out could never be replaced.
pub async fn add_first_operator(
    replica: &Replica,
    keyring: &Keyring,
    entropy: &SharedEntropy,
    keep: impl FnOnce(&Token) -> Result<()>,
) -> Result<bool> {
    if replica.view().await?.operators().next().is_some() {
        return Ok(false);
    }
    let token = token::mint(TokenKind::Operator, &**entropy);
    keep(&token)?;
    let operator = Operator {
        id: operator::Id::parse(FIRST_OPERATOR)?,
        role: Role::Owner,
        token: TokenHash(keyring.pepper().hash(&token)),
    };
    propose(replica, &**entropy, Actor::Founder, Body::AddOperator(AddOperator { operator })).await?;
    Ok(true)
}

/// Proposes a command that the node itself makes, and turns a rejection into an error.
pub async fn propose(replica: &Replica, entropy: &dyn Entropy, actor: Actor, body: Body) -> Result<()> {
    let request = request::Id(entropy::array(entropy));
    match replica.propose(Proposal { request, actor, body }).await?.outcome {
        Outcome::Done { .. } => Ok(()),
        Outcome::Rejected(rejected) => Err(rejected.into()),
    }
}

/// The command.
pub async fn run(
    root: &Path,
    admin_url: &str,
    data_url: Option<&str>,
    host: &crate::node::Host,
) -> Result<()> {
    let dir = DataDir::new(root);
    let _lock = dir.lock()?;
    let prepared = prepare(&dir, &*host.entropy)?;
    let replica = crate::node::open_replica(&dir, &prepared.cluster, host).await?;
    Context::write(&dir, admin_url, data_url)?;
    let show = |token: &Token| {
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{}", token.reveal()).and_then(|()| stdout.flush()).context("cannot print the token")
    };
    let added = add_first_operator(&replica, &prepared.keyring, &host.entropy, show).await;
    replica.shutdown().await;
    if !added.context("the printed token opens nothing; run the command again")? {
        bail!(
            "{} holds a node already: start it with `portcullis run --config FILE`, or choose another directory",
            root.display()
        );
    }
    eprintln!(
        "\nFounded cluster {} in {}.\n\
         The line above is the token of operator `{FIRST_OPERATOR}`, shown this once: keep it in a secret store, and put it into\n\
         {} on the machines you administer from.\n\
         Back up {} before you store the first credential: without it nothing sealed can be opened.\n\n\
         Next: write a configuration with [node] data_dir = {:?}, check it with `portcullis config check --config FILE`,\n\
         and start the node with `portcullis run --config FILE`.",
        prepared.cluster,
        root.display(),
        dir.operator_token().display(),
        dir.keys().display(),
        root.display().to_string(),
    );
    Ok(())
}
