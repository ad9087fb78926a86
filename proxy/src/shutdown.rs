//! The end of the process: `/readyz` fails first, then the listener closes, then what is in flight ends, and then the process.

use crate::handover::Offer;
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
/// How long a process ends at least, whatever it sees: a connection whose TLS is still being agreed on is not counted yet.
const LEAST: Duration = Duration::from_millis(500);
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
    }

    /// Why no requests should be sent here; `None` when they should.
    #[must_use]
    pub fn why_not(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Acquire) {
            Some("draining")
        } else if self.listening.load(Ordering::Acquire) {
            None
        } else {
            Some("not listening yet")
        }
    }
}

/// SIGTERM, SIGINT and SIGQUIT all drain, and so does a successor that serves our sockets; a signal after that ends the process
/// at once.
pub struct Drain {
    /// Fails from the first signal on.
    pub readiness: Arc<Readiness>,
    /// How long the listener stays open after that, for load balancers to notice.
    pub delay: Duration,
    /// What a successor can take.
    pub offer: Option<Arc<Offer>>,
}

#[async_trait]
impl ShutdownSignalWatch for Drain {
    async fn recv(&self) -> ShutdownSignal {
        let Ok(mut signals) = Signals::new() else {
            // Without handlers the system's own action on these signals remains: the process ends.
            return std::future::pending().await;
        };
        let told = tokio::select! {
            () = signals.next() => true,
            () = self.taken() => false,
        };
        self.readiness.set_draining();
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(INTERRUPTED);
        });
        if told {
            self.leave().await;
        } else {
            self.make_way();
        }
        ShutdownSignal::GracefulTerminate
    }
}

impl Drain {
    async fn taken(&self) {
        match &self.offer {
            Some(offer) => offer.taken().await,
            None => std::future::pending().await,
        }
    }

    /// The service ends.
    async fn leave(&self) {
        // Nobody may have asked to be told (systemd).
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        tracing::info!(delay = ?self.delay, "draining");
        if let Some(offer) = &self.offer {
            offer.withdraw();
        }
        tokio::time::sleep(self.delay).await;
    }

    /// The service goes on, in another process, which accepts already: nothing is to be waited for.
    fn make_way(&self) {
        tracing::info!("another process serves; draining");
        if let Some(offer) = &self.offer {
            offer.close();
        }
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
        let began = Instant::now();
        let mut idle_since = began;
        loop {
            if self.requests.get() > 0 {
                idle_since = Instant::now();
            } else if began.elapsed() > LEAST && (self.connections.get() == 0 || idle_since.elapsed() > LINGER) {
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
