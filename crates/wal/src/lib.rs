//! An edge's write-ahead log: no call goes to an upstream before its intent is here, at the configured durability.
//!
//! ```text
//!  intent, denied ──► queue ──┐                     ┌─► segment file ─► sync ─► answers
//!  outcome ─────────► pending ├─► writer: one group ┤
//!  refused ─────────► ring ───┘   (seq, chain)      └─► durable position ─► read_after (archiver, readers)
//! ```
//!
//! Records are numbered and chained within one epoch (one start of the process), and the first record of an epoch names
//! the last one recovered of the epoch before. On disk they stand in segments, `wal-<epoch>-<first seq>.log`: a preface
//! (what the segment continues) and records, each in a checksummed frame.
//!
//! It is not the archive and not a transport: whoever ships records reads them here, and tells [`Wal::trim`] what the
//! cluster has agreed it holds. What must stay true:
//!
//! - [`Wal::intent`] answers a [`authority::RecordedPermit`] only for a record that survives what the configured
//!   [`Durability`] promises, and an edge that cannot record does not forward.
//! - After a failed write or sync nothing is ever answered `Ok` again; only a restart, which reads what the disk really
//!   holds, goes on.
//! - Only bytes that were never acknowledged are cut at recovery. Anything else that is wrong is refused, by file,
//!   offset and sequence number.
//! - Only synced records are read out, so that no copy elsewhere can be ahead of the disk.

pub mod chain;
pub mod frame;
pub mod fuzzing;

mod config;
mod error;
mod group;
mod log;
mod newest;
mod open;
mod preface;
mod queue;
mod read;
mod recovery;
mod refusals;
mod scan;
mod segment;
mod shared;
mod space;
mod syncer;
mod writer;

pub use config::{Config, Durability};
pub use error::{NotRecorded, OpenFailed, ReadFailed};
pub use log::Wal;
pub use read::Stored;
pub use recovery::Recovery;
