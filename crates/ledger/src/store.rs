//! The files of the archive, by name, over an object store.
//!
//! ```text
//!   segments/<height>-<writer>-<random>.seg    leaves; made once, never changed
//!   checkpoints/<height>.note                  signed heads
//!   verifier.pub                               the public key of the checkpoints
//! ```
//!
//! A name holds a random part, so that a writer that lost a race never touches what the winner wrote. Files that no
//! committed head leads to are ignored, and reported by `verify`.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, local::LocalFileSystem, path::Path as Location};

use crate::segment::{self, Header, Malformed, Segment};

/// The folder of segments.
pub const SEGMENTS: &str = "segments";

/// The folder of checkpoints.
pub const CHECKPOINTS: &str = "checkpoints";

/// The file of the public key.
pub const VERIFIER: &str = "verifier.pub";

/// The archive's storage. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
}

/// The storage failed, or does not hold what it should.
#[derive(Debug, thiserror::Error)]
pub enum StoreFailed {
    /// The directory cannot be used.
    #[error("the archive {dir} cannot be opened; does it exist, and may this process read it?")]
    Open {
        /// The directory.
        dir: String,
        /// What the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An object cannot be read.
    #[error("cannot read {name} of the archive")]
    Read {
        /// The object.
        name: String,
        /// What the storage said.
        #[source]
        source: object_store::Error,
    },
    /// An object cannot be written.
    #[error("cannot write {name} to the archive")]
    Write {
        /// The object.
        name: String,
        /// What the storage said.
        #[source]
        source: object_store::Error,
    },
    /// A segment is damaged.
    #[error("{name} of the archive is damaged; run `portcullis audit verify`")]
    Damaged {
        /// The segment.
        name: String,
        /// How.
        #[source]
        source: Malformed,
    },
}

impl Store {
    /// The archive in a directory, made if it is not there. Every write is synced before it is acknowledged.
    pub fn create(dir: &Path) -> Result<Self, StoreFailed> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| StoreFailed::Open {
            dir: dir.display().to_string(),
            source,
        };
        std::fs::create_dir_all(dir).map_err(|source| failed(source.into()))?;
        Self::open(dir)
    }

    /// The archive in a directory that is there.
    pub fn open(dir: &Path) -> Result<Self, StoreFailed> {
        let local = LocalFileSystem::new_with_prefix(dir)
            .map_err(|source| StoreFailed::Open { dir: dir.display().to_string(), source: source.into() })?;
        Ok(Self { objects: Arc::new(local.with_fsync(true)) })
    }

    /// Reads an object.
    pub async fn read(&self, name: &str) -> Result<Bytes, StoreFailed> {
        let failed = |source| StoreFailed::Read { name: name.to_owned(), source };
        self.objects.get(&Location::from(name)).await.map_err(failed)?.bytes().await.map_err(failed)
    }

    /// Reads an object, if it is there.
    pub async fn find(&self, name: &str) -> Result<Option<Bytes>, StoreFailed> {
        match self.read(name).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreFailed::Read { source: object_store::Error::NotFound { .. }, .. }) => Ok(None),
            Err(failed) => Err(failed),
        }
    }

    /// Reads a segment.
    pub async fn segment(&self, name: &str) -> Result<Segment, StoreFailed> {
        let bytes = self.read(name).await?;
        Segment::decode(bytes).map_err(|source| StoreFailed::Damaged { name: name.to_owned(), source })
    }

    /// Reads what a segment continues.
    pub async fn header(&self, name: &str) -> Result<Header, StoreFailed> {
        let bytes = self.read(name).await?;
        let opened = segment::open(bytes);
        opened
            .map(|(header, _)| header)
            .map_err(|source| StoreFailed::Damaged { name: name.to_owned(), source })
    }

    /// Writes an object that must not be there yet.
    pub async fn create_object(&self, name: &str, bytes: Vec<u8>) -> Result<(), StoreFailed> {
        let written =
            self.objects.put_opts(&Location::from(name), bytes.into(), PutMode::Create.into()).await;
        written.map(drop).map_err(|source| StoreFailed::Write { name: name.to_owned(), source })
    }

    /// The names of the objects of a folder, sorted.
    pub async fn list(&self, folder: &str) -> Result<Vec<String>, StoreFailed> {
        let failed = |source| StoreFailed::Read { name: folder.to_owned(), source };
        let listed = self.objects.list_with_delimiter(Some(&Location::from(folder))).await.map_err(failed)?;
        let mut names: Vec<_> =
            listed.objects.into_iter().map(|object| object.location.to_string()).collect();
        names.sort_unstable();
        Ok(names)
    }
}

/// The name of a new segment.
pub fn segment_name(height: u64, writer: u64, random: [u8; 8]) -> String {
    format!("{SEGMENTS}/{height:020}-{writer}-{:016x}.seg", u64::from_be_bytes(random))
}

/// The name of a checkpoint.
pub fn checkpoint_name(height: u64) -> String {
    format!("{CHECKPOINTS}/{height:020}.note")
}
