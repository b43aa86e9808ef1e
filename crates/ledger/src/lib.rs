//! The archive: append-only storage, its verification and its readers.
//!
//! ```text
//!   write-ahead log ──► records ─┐
//!                                ├─► archiver ─► segment ─► head (Raft) ─► checkpoint ─► trim
//!   state ──► unarchived events ─┘                 │                          │
//!                                                  └──► reader                └──► verify (files and public key only)
//! ```
//!
//! It is not the source of truth about grants (that is `authority`), and it decides nothing. What must stay true:
//!
//! - A file of the archive is made once and never changed; what it continues is part of it.
//! - Only a head that the authority committed makes leaves archived, and only then may a writer forget them.
//! - Every chain that enters was checked: records gap-free per epoch, events by number.
//! - `verify` needs nothing of a running gateway.

pub mod archiver;
pub mod checkpoint;
pub mod cursor;
pub mod entry;
pub mod json;
pub mod merkle;
pub mod reader;
pub mod segment;
pub mod store;
pub mod verify;

pub use archiver::Archiver;
pub use reader::Reader;
pub use verify::verify;
