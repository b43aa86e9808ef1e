//! The only protobuf: generated code, conversions of the authority's values, golden bytes.
//!
//! The authority's types cannot be serialised on purpose. Here stands one file for each family of messages, which
//! writes a value of the authority as bytes and reads it back; the services of the admin API are generated here too,
//! and converted in `admin`.
//!
//! What must stay true of everything that is stored ([`entry`], [`event`], [`record`], [`head`], [`snapshot`]): what was
//! written reads back as the same value; bytes that read at all are exactly the bytes that the value is written as, so
//! a value has one encoding and a field that this version does not know is refused, never dropped; and arbitrary
//! bytes are refused without a panic. `golden/` holds bytes of every version there was.

pub mod entry;
pub mod event;
pub mod fuzzing;
pub mod head;
pub mod malformed;
pub mod outcome;
pub mod pb;
pub mod record;
pub mod snapshot;
pub mod version;

mod actor;
mod canonical;
mod command;
mod credential;
mod field;
mod grant;
mod operator;
mod principal;
mod scope;
mod server;
mod unprintable;

pub use malformed::{Flaw, Malformed};

/// The descriptors of every file under `proto/`, for reflection: an encoded `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
