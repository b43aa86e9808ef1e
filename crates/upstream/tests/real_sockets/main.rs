//! The path of a call over real sockets on 127.0.0.1, against a recording upstream that answers as a script says.
//!
//! Every test makes its permits the only way there is: a real gate admits a real call under a state that real commands
//! built.

mod alerts;
mod recording_upstream;
mod world;

mod answers;
mod attaching;
mod connections;
mod cutting;
mod dialling;
mod echoes;
mod hostile_heads;
mod tls;
