//! Founding a data directory, and recognising it at every later start.
//!
//! The identity goes into the log store first and into its file second, and nothing is written of Raft before both are
//! durable. So what a crash in between leaves is told apart from what a wiped or patched directory looks like: only an
//! identity in an otherwise empty log can be finished, everything else that does not match is refused.

use std::{io, path::Path};

use authority::{name::Name, node};
use seams::{Disk, Entropy, entropy};

use crate::{
    config::Config,
    data_dir::DataDir,
    identity::{Identity, NotAnIdentity},
    log_store::{Contents, LogStore},
};

/// Why a data directory is not this node's.
#[derive(Debug, thiserror::Error)]
pub enum NotRecognised {
    /// There is nothing in it, and no cluster to found was named.
    #[error(
        "the data directory is empty; found a cluster in it with `portcullis init`, or name the directory that has one"
    )]
    Empty,
    /// It belongs to another node.
    #[error(
        "the data directory belongs to node {found}, and this is node {configured}; use the directory of this node"
    )]
    OtherNode {
        /// Whose it is.
        found: node::Id,
        /// Who is starting.
        configured: node::Id,
    },
    /// It belongs to another cluster.
    #[error(
        "the data directory belongs to cluster {found}, and this node is of cluster {configured}; use the directory of this cluster"
    )]
    OtherCluster {
        /// Whose it is.
        found: Name,
        /// Which cluster was expected.
        configured: Name,
    },
    /// Its parts belong to different directories, or one of them is gone.
    #[error(
        "the identity file and the raft log of the data directory do not belong together; a node whose log was lost \
         must not come back under its old id: restore a backup into an empty directory, or let it join as a new node"
    )]
    PutTogether,
    /// The identity file cannot be read.
    #[error("the identity file of the data directory is damaged; restore that file from a copy")]
    Damaged(#[source] NotAnIdentity),
    /// A file operation failed.
    #[error("cannot read or write the identity of the data directory; check the disk and the permissions")]
    Io(#[from] io::Error),
}

/// Recognises the directory, or founds it if nothing is in it.
pub(crate) async fn recognise(
    dir: &DataDir,
    disk: &dyn Disk,
    log: &LogStore,
    contents: &Contents,
    config: &Config,
    entropy: &dyn Entropy,
) -> Result<Identity, NotRecognised> {
    let in_file = read(&dir.identity(), disk)?;
    let untouched = contents.vote.is_none() && contents.last.is_none();
    let identity = match (in_file, &contents.identity) {
        (Some(in_file), Some(in_log)) if in_file == *in_log => in_file,
        (None, Some(in_log)) if untouched => in_log.clone(),
        (None, None) if untouched => {
            let cluster = config.cluster.clone().ok_or(NotRecognised::Empty)?;
            let founded = Identity { node: config.node, cluster, directory: entropy::array(entropy) };
            log.save_identity(founded.clone()).await.map_err(io::Error::other)?;
            founded
        }
        _ => return Err(NotRecognised::PutTogether),
    };
    belongs(&identity, config)?;
    if !dir.identity().try_exists()? {
        write(&identity, dir, disk)?;
    }
    Ok(identity)
}

fn belongs(identity: &Identity, config: &Config) -> Result<(), NotRecognised> {
    if identity.node != config.node {
        return Err(NotRecognised::OtherNode { found: identity.node, configured: config.node });
    }
    match &config.cluster {
        Some(configured) if *configured != identity.cluster => Err(NotRecognised::OtherCluster {
            found: identity.cluster.clone(),
            configured: configured.clone(),
        }),
        _ => Ok(()),
    }
}

fn read(path: &Path, disk: &dyn Disk) -> Result<Option<Identity>, NotRecognised> {
    match disk.read(path) {
        Ok(text) => Identity::parse(&text).map(Some).map_err(NotRecognised::Damaged),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn write(identity: &Identity, dir: &DataDir, disk: &dyn Disk) -> io::Result<()> {
    let path = dir.identity();
    let unfinished = path.with_extension("tmp");
    if unfinished.try_exists()? {
        disk.remove(&unfinished)?;
    }
    let mut file = disk.create_new(&unfinished)?;
    file.append(identity.to_text().as_bytes())?;
    file.sync()?;
    disk.rename(&unfinished, &path)?;
    disk.sync_dir(dir.root())
}
