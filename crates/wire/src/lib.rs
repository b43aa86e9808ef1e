//! The only protobuf: generated code, conversions of the authority's values, golden bytes.

pub mod pb;

mod unprintable;

/// The descriptors of every file under `proto/`, for reflection: an encoded `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
