//! The whole admin API over a real replica, log and reader in a directory, called without a socket: every method's
//! way through, and every refusal's reason.

mod access;
mod catalogue;
mod fixture;
mod grants;
mod record;
mod secrets;
mod socket;
