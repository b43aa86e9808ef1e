//! The floors: what passing bytes on costs at least, with nothing decided and nothing recorded.
//!
//! Neither is a product. They stand in every run beside the gateway, because the figures of two runs cannot be compared.

pub mod forwarder;
pub mod splice;
