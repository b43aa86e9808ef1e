//! The control plane: one gRPC service a file, operator authentication and roles.
