//! The data plane: listener, authentication, enforcement, cutting, sessions, record of each call.
