//! This node's copy of the authority: openraft on sled, the proposer, leases.
