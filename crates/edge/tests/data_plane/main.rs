//! The data plane over real sockets: raw clients on one side, a recording upstream on the other, and between them a real
//! gate, a real log on disk and the real way to upstream servers. Nothing is mocked; what is held is the bytes that
//! arrive at either end and the records that stand in the log.
//!
//! A reader starts at `calls`, which shows one call in each revision from end to end.

mod answers;
mod bridging;
mod calls;
mod client;
mod connections;
mod disk;
mod endings;
mod identity;
mod parsing;
mod recording;
mod revocation;
mod scope;
mod streams;
mod transports;
mod world;
