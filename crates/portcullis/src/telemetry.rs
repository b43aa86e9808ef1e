//! Logging: structured lines on standard error, so that standard output carries only data.
//!
//! Logs are diagnostics, not the record: they may be lost, and no secret has a type that could be printed into them.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// What is logged where `RUST_LOG` says nothing.
const DEFAULT_FILTER: &str = "info,openraft=warn,sled=warn,h2=warn,hyper=warn,rustls=warn,tower=warn";

/// Starts logging: JSON lines, or plain ones for a person at a terminal.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.compact().init();
    } else {
        builder.json().init();
    }
}
