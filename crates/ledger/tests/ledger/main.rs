//! What the archive promises, tested on real files and a simulated disk for the log: that everything recorded gets in
//! once and in order, that any change of it is found, and that readers see all of it. `world` is the node they run in.

mod archiving;
mod forger;
mod reading;
mod tampering;
mod world;
