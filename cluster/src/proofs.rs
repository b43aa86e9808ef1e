//! The proofs: each tries to break one promise on real processes.

pub mod a1;
pub mod r3;
pub mod s1;
pub mod s2;

mod stage;
