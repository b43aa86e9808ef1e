//! The open loop: requests are due at a constant rate, and each latency counts from when its request was due.
//!
//! A target that stalls for a second delays every request that fell due in that second, and all of them show it: nothing
//! is omitted because the load politely waited ("coordinated omission"). A thread that blocks on a timer of the kernel
//! says when requests are due, because the runtime's own timer has a resolution of a millisecond. Due requests wait in
//! one queue for the next free connection.

use std::{
    collections::VecDeque,
    os::fd::OwnedFd,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use hdrhistogram::Histogram;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{Outcome, connection::Connection, histogram, window::Window};
use crate::{
    clock::{SECOND, now_nanos},
    stage::Target,
    work::Work,
};

/// Due requests that may wait for a connection. A target this far behind cannot hold the rate, and the rest is counted
/// as failed.
const MAX_WAITING: usize = 100_000;

/// The requests that are due, each by the moment it was.
struct Due {
    waiting: Mutex<VecDeque<u64>>,
    permits: Semaphore,
}

/// Loads a target with `rate` requests a second for `length`, after `warm_up`.
pub async fn run(
    target: &Target,
    work: Work,
    rate: u64,
    warm_up: Duration,
    length: Duration,
) -> Result<Outcome> {
    let window = Arc::new(Window::default());
    let due = Arc::new(Due { waiting: Mutex::default(), permits: Semaphore::new(0) });
    let request: Arc<[u8]> = work.request(target).into();
    let mut connections = JoinSet::new();
    for _ in 0..work.connections() {
        let (window, due, request) = (Arc::clone(&window), Arc::clone(&due), Arc::clone(&request));
        let address = target.address;
        connections.spawn(async move {
            let mut latency = histogram();
            while window.is_open() && !due.permits.is_closed() {
                if let Err(error) = one_connection(address, work, &request, &window, &due, &mut latency).await
                {
                    window.fail(&error);
                }
            }
            latency
        });
    }
    let pacer = {
        let window = Arc::clone(&window);
        tokio::task::spawn_blocking(move || {
            let paced = pace(&due, &window, rate);
            // Whether it ended well or not: nothing falls due any more, and nobody may wait for it.
            due.permits.close();
            paced
        })
    };
    let outcome = window.run(connections, target.pid, warm_up, length).await;
    pacer.await.context("the pacer failed")??;
    outcome
}

/// Sends what is due over one connection until the window is over.
async fn one_connection(
    address: std::net::SocketAddr,
    work: Work,
    request: &[u8],
    window: &Window,
    due: &Due,
    latency: &mut Histogram<u64>,
) -> Result<()> {
    let mut connection = Connection::open(address).await?;
    // The semaphore is closed when the window is over.
    while let Ok(permit) = due.permits.acquire().await {
        permit.forget();
        let waiting = due.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let due_nanos = waiting.context("a permit stands for a waiting request")?;
        connection.succeed(request, work.least_body_bytes()).await?;
        window.count(latency, now_nanos() - due_nanos);
    }
    Ok(())
}

/// Lets requests fall due until the window is over.
fn pace(due: &Due, window: &Window, rate: u64) -> Result<()> {
    let interval = SECOND / rate.clamp(1, SECOND);
    let timer = timer(interval)?;
    let mut next = now_nanos() + interval;
    while window.is_open() {
        // How often it went off does not matter: what is due is read from the clock.
        rustix::io::read(&timer, &mut [0; 8]).context("the timer broke")?;
        let now = now_nanos();
        let mut fell_due = 0;
        let mut waiting = due.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while next <= now {
            if waiting.len() < MAX_WAITING {
                waiting.push_back(next);
                fell_due += 1;
            } else {
                window.fail(&anyhow!("more than {MAX_WAITING} requests wait: it cannot hold the rate"));
            }
            next += interval;
        }
        drop(waiting);
        due.permits.add_permits(fell_due);
    }
    Ok(())
}

/// A timer that goes off every `interval` nanoseconds.
fn timer(interval: u64) -> Result<OwnedFd> {
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    let every = Timespec {
        tv_sec: (interval / SECOND).cast_signed(),
        tv_nsec: i64::try_from(interval % SECOND).expect("below a second"),
    };
    let times = Itimerspec { it_interval: every, it_value: every };
    timerfd_settime(&timer, TimerfdTimerFlags::empty(), &times)?;
    Ok(timer)
}
