//! The end of the process: `/readyz` fails first, then the listener closes, then what is in flight ends, and then the process.

use async_trait::async_trait;
use pingora::server::{ExecutionPhase, ShutdownSignal, ShutdownSignalWatch};
use prometheus::IntGauge;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::Receiver;

/// How often a draining process looks whether the last connection has ended.
const DRAIN_POLL: Duration = Duration::from_millis(10);
/// How long connections without a request are given to close.
const LINGER: Duration = Duration::from_secs(1);
/// Exit status of a process that was told twice (128 + SIGINT).
const INTERRUPTED: i32 = 130;

/// Whether the process takes requests.
#[derive(Debug, Default)]
pub struct Readiness {
    listening: AtomicBool,
    draining: AtomicBool,
}

impl Readiness {
    /// The listeners answer.
    pub fn set_listening(&self) {
        self.listening.store(true, Ordering::Release);
    }

    fn set_draining(&self) {
        self.draining.store(true, Ordering::Release);
        // Nobody may have asked to be told (systemd).
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    }

    /// Whether the process is about to end.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Why no requests should be sent here; `None` when they should.
    #[must_use]
    pub fn why_not(&self) -> Option<&'static str> {
        if self.is_draining() {
            Some("draining")
        } else if self.listening.load(Ordering::Acquire) {
            None
        } else {
            Some("not listening yet")
        }
    }
}

/// SIGTERM, SIGINT and SIGQUIT all drain; a second signal ends the process at once.
pub struct DrainOnSignal {
    /// Fails from the first signal on.
    pub readiness: Arc<Readiness>,
    /// How long the listener stays open after that, for load balancers to notice.
    pub delay: Duration,
}

#[async_trait]
impl ShutdownSignalWatch for DrainOnSignal {
    async fn recv(&self) -> ShutdownSignal {
        let Ok(mut signals) = Signals::new() else {
            // Without handlers the system's own action on these signals remains: the process ends.
            return std::future::pending().await;
        };
        signals.next().await;
        self.readiness.set_draining();
        tracing::info!(delay = ?self.delay, "draining");
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(INTERRUPTED);
        });
        tokio::time::sleep(self.delay).await;
        ShutdownSignal::GracefulTerminate
    }
}

struct Signals([Signal; 3]);

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::quit())?]))
    }

    async fn next(&mut self) {
        let [terminate, interrupt, quit] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = quit.recv() => {}
        }
    }
}

/// What a draining process waits for.
pub struct InFlight {
    /// Connections of clients.
    pub connections: IntGauge,
    /// Requests that are being served.
    pub requests: IntGauge,
}

impl InFlight {
    /// Waits until nothing is left. A connection without a request is closed when draining begins, but an HTTP/2 client that does
    /// not answer may keep its own open: without any request that is nothing to wait for.
    fn wait(&self) {
        let mut idle_since = Instant::now();
        loop {
            if self.requests.get() > 0 {
                idle_since = Instant::now();
            } else if self.connections.get() == 0 || idle_since.elapsed() > LINGER {
                return;
            }
            std::thread::sleep(DRAIN_POLL);
        }
    }
}

/// Calls `exit` as soon as the last request has ended while draining: Pingora would sleep through the whole grace period, also
/// when nothing is left to wait for.
pub fn exit_when_drained(mut phases: Receiver<ExecutionPhase>, left: InFlight, exit: impl FnOnce() + Send + 'static) {
    let watch = move || {
        while let Ok(phase) = phases.blocking_recv() {
            if matches!(phase, ExecutionPhase::ShutdownGracePeriod) {
                left.wait();
                return exit();
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("drain".into()).spawn(watch) {
        tracing::warn!(%error, "draining will take its whole time");
    }
}
