//! The end of the process: `/readyz` fails first, then the listener closes, then what is in flight ends, and then the process.

use super::exit::Ending;
use super::handover::Offer;
use super::readiness::Readiness;
use async_trait::async_trait;
use pingora::server::{ExecutionPhase, ShutdownSignal, ShutdownSignalWatch};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::Receiver;

/// How often a draining process checks whether the last connection has ended.
const DRAIN_POLL: Duration = Duration::from_millis(10);
/// How long connections without a request are given to close.
const IDLE_LINGER: Duration = Duration::from_secs(1);
/// How long draining takes at least: a request may be on its way when it begins.
const MIN_DRAIN: Duration = Duration::from_millis(500);

/// SIGTERM, SIGINT and SIGQUIT all drain, and so does a successor that serves our sockets; a signal after that ends the process
/// at once.
pub struct Drain {
    /// Fails from the first signal on.
    pub readiness: Arc<Readiness>,
    /// How long the listener stays open after that, for load balancers to notice.
    pub delay: Duration,
    /// The sockets that a successor can take.
    pub offer: Option<Arc<Offer>>,
    /// Notified once the signals are handled: before that one of them ends the process without a drain.
    pub handles: Sender<()>,
}

#[async_trait]
impl ShutdownSignalWatch for Drain {
    async fn recv(&self) -> ShutdownSignal {
        let Ok(mut signals) = Signals::new() else {
            // Without handlers the system's own action on these signals remains: the process ends.
            return std::future::pending().await;
        };
        // The receiver is gone where the start was given up.
        let _ = self.handles.send(());
        let told = tokio::select! {
            () = signals.next() => true,
            () = self.taken() => false,
        };
        self.readiness.set_draining();
        tokio::spawn(async move {
            signals.next().await;
            Ending::Interrupted.end();
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
        // It fails where systemd did not start us, which is no matter.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        tracing::info!(delay = ?self.delay, "draining");
        if let Some(offer) = &self.offer {
            offer.withdraw();
        }
        tokio::time::sleep(self.delay).await;
    }

    /// The service goes on in another process, which accepts already: no delay is needed.
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

/// Counts how many of something are left.
pub type Count = Box<dyn Fn() -> usize + Send>;

/// What a draining process waits for.
pub struct DrainGauges {
    /// Connections of clients.
    pub connections: Count,
    /// Requests that are being served.
    pub requests: Count,
}

impl DrainGauges {
    /// Waits until nothing is left. A connection without a request is closed when draining begins, but an HTTP/2 client that does
    /// not answer may keep its own open: without a request it is not waited for.
    fn wait(&self) {
        let began = Instant::now();
        let mut idle_since = began;
        loop {
            if (self.requests)() > 0 {
                idle_since = Instant::now();
            } else if began.elapsed() > MIN_DRAIN && ((self.connections)() == 0 || idle_since.elapsed() > IDLE_LINGER) {
                return;
            }
            std::thread::sleep(DRAIN_POLL);
        }
    }
}

/// Calls `exit` as soon as the last request has ended while draining: Pingora sleeps through the whole grace period, even when
/// nothing is left to wait for.
pub fn exit_when_drained(
    mut phases: Receiver<ExecutionPhase>,
    left: DrainGauges,
    exit: impl FnOnce() + Send + 'static,
) {
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
