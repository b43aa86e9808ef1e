//! The archive: append-only storage, its verification and its readers.
