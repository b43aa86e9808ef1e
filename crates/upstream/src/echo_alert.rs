//! The alert that a server showed the gateway's own secret to a caller (FAULTS D08).
//!
//! It is raised when the body is over, in whatever way, so that one call raises one alert with the whole count. What
//! must stay true: it names the server and the credential, and carries nothing of what the server sent.

use std::sync::Arc;

use authority::{credential, server};

use crate::reply::Report;

/// Raised when dropped, if there is something to raise.
pub(crate) struct EchoAlert {
    pub(crate) server: server::Id,
    pub(crate) credential: credential::Id,
    pub(crate) report: Arc<Report>,
}

impl Drop for EchoAlert {
    fn drop(&mut self) {
        let redactions = self.report.redactions();
        if redactions > 0 {
            tracing::warn!(
                server = %self.server,
                credential = %self.credential,
                redactions,
                "an upstream server sent back the credential; it was taken out of the answer, and whoever runs the \
                 server can read it in their answers: enter a new one once that is mended"
            );
        }
    }
}
