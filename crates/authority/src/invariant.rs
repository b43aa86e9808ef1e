//! What must hold of every state, one function each. Unit tests, the simulation and debug builds share them.

mod revoked_is_absorbing;

pub use revoked_is_absorbing::revoked_is_absorbing;
