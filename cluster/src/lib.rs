//! What runs and breaks real gateways: the recording upstream, processes that are killed, and the proofs.
//!
//! Everything here drives the built `portcullis` binary from outside, over its public ports and its command line, as a
//! stranger would who does not believe a word of the promises. It listens on loopback only, and ends what it starts.

pub mod canary;
pub mod command_line;
pub mod gateway;
pub mod mcp_client;
pub mod proofs;
pub mod recording_upstream;
pub mod rng;
pub mod verdict;
