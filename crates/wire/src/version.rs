//! The versions of the stored messages. Each change of a message that old readers would refuse gets a number, a line
//! here and a folder of golden bytes (`golden/<message>_v<version>/`); the folders before it stay, and are read for ever.
//!
//! Adding a field counts: readers refuse what they do not know, so a field may be written only when every voter and
//! the archive's readers run a version that knows it.

/// Version of [`crate::entry`], the commands of one log entry.
///
/// - 1: the first.
pub const ENTRY: u32 = 1;

/// Version of [`crate::event`].
///
/// - 1: the first.
pub const EVENT: u32 = 1;

/// Version of [`crate::record`].
///
/// - 1: the first.
pub const RECORD: u32 = 1;

/// Version of [`crate::head`].
///
/// - 1: the first.
pub const HEAD: u32 = 1;

/// Version of [`crate::snapshot`]. Stands in the snapshot's header.
///
/// - 1: the first.
pub const SNAPSHOT: u32 = 1;
