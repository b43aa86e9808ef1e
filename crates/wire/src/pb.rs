//! The code generated from `proto/`, one module a package. The comments in the `.proto` files are its documentation.
//!
//! Nothing here is checked beyond protobuf: what comes from outside or from a disk becomes a value of the authority
//! through the other modules of this crate, or is refused by them.

/// `portcullis.events`: values, commands and events.
pub mod events {
    /// Version 1.
    #[allow(missing_docs, clippy::all, clippy::pedantic)]
    pub mod v1 {
        tonic::include_proto!("portcullis.events.v1");
    }
}

/// `portcullis.replica`: the Raft log and snapshots.
pub mod replica {
    /// Version 1.
    #[allow(missing_docs, clippy::all, clippy::pedantic)]
    pub mod v1 {
        tonic::include_proto!("portcullis.replica.v1");
    }
}

/// `portcullis.audit`: the record and its service.
pub mod audit {
    /// Version 1.
    #[allow(missing_docs, clippy::all, clippy::pedantic)]
    pub mod v1 {
        tonic::include_proto!("portcullis.audit.v1");
    }
}

/// `portcullis.admin`: the services of the admin API.
pub mod admin {
    /// Version 1.
    #[allow(missing_docs, clippy::all, clippy::pedantic)]
    pub mod v1 {
        tonic::include_proto!("portcullis.admin.v1");
    }
}
