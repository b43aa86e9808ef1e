//! The edge's write-ahead log: group commit, chain, recovery.
