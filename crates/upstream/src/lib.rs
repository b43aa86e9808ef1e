//! Upstream servers: credentials attached, hardened dialer, transports. Nothing is sent without a permit.
