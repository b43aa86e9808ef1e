//! The data plane's own runtime, so that snapshots, syncs and consensus never hold up a call.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use edge::Edge;
use rustls::ServerConfig;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

/// The running data plane.
pub struct DataPlane {
    runtime: Option<Runtime>,
    serving: JoinHandle<Result<()>>,
}

impl DataPlane {
    /// Serves `listener` on a runtime of its own until `stop`.
    pub fn start(
        edge: Arc<Edge>,
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        stop: CancellationToken,
    ) -> Result<Self> {
        let runtime = Builder::new_multi_thread().thread_name("data-plane").enable_all().build()?;
        // A listener belongs to the runtime that made it; as a plain socket it can move.
        let listener = listener.into_std()?;
        let serving = runtime.spawn(async move {
            let listener = TcpListener::from_std(listener)?;
            edge.serve(listener, tls, stop.cancelled_owned()).await.context("the data listener failed")
        });
        Ok(Self { runtime: Some(runtime), serving })
    }

    /// Waits until its calls have finished, or were cut.
    pub async fn finish(mut self) -> Result<()> {
        let ended = (&mut self.serving).await.context("the data plane failed")?;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
        ended
    }
}

impl Drop for DataPlane {
    /// A runtime may not be dropped inside another one; this leaves its threads to end by themselves.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
