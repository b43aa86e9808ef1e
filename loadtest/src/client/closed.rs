//! The closed loop: each connection sends its next request when the last answer is whole.
//!
//! It finds the most a target can do. A target that stalls is asked less meanwhile, so these latencies say nothing about
//! what a user would have waited; the open loop does.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::{Outcome, connection::Connection, histogram, window::Window};
use crate::{
    clock::now_nanos,
    stage::Target,
    work::{Pace, Work},
};

/// Loads a target with `work` for `length`, after `warm_up`.
pub async fn run(target: &Target, work: Work, warm_up: Duration, length: Duration) -> Result<Outcome> {
    let window = Arc::new(Window::default());
    let request: Arc<[u8]> = work.request(target).into();
    let mut connections = JoinSet::new();
    for _ in 0..work.connections() {
        let (window, request, address) = (Arc::clone(&window), Arc::clone(&request), target.address);
        connections.spawn(async move {
            let mut latency = histogram();
            while window.is_open() {
                // A connection that failed is made anew, and the failure is counted.
                if let Err(error) = one_connection(address, work, &request, &window, &mut latency).await {
                    window.fail(&error);
                }
            }
            latency
        });
    }
    window.run(connections, target.pid, warm_up, length).await
}

/// Sends over one connection until the window is over, or only once if each request has its own.
async fn one_connection(
    address: std::net::SocketAddr,
    work: Work,
    request: &[u8],
    window: &Window,
    latency: &mut Histogram<u64>,
) -> Result<()> {
    let mut sent = now_nanos();
    let mut connection = Connection::open(address).await?;
    while window.is_open() {
        connection.succeed(request, work.least_body_bytes()).await?;
        let answered = now_nanos();
        window.count(latency, answered - sent);
        if work.pace() == Pace::Connecting {
            return Ok(());
        }
        sent = answered;
    }
    Ok(())
}
