//! Services that accept: when they have begun to, and that the process does not outlive them.

use crate::process::exit::Ending;
use async_trait::async_trait;
use pingora::apps::ServerApp;
use pingora::server::{ListenFds, ShutdownWatch};
use pingora::services::listening::Service;
use pingora::services::{Service as Run, ServiceReadyNotifier, ServiceWithDependents};
use std::future::poll_fn;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Poll;
use std::time::{Duration, Instant};

/// A listening service on sockets of ours. Pingora runs it; if it ever ends by itself, even by a panic, the process ends with it
/// instead of living on without listeners.
pub struct Accepting<A> {
    service: Service<A>,
    sockets: ListenFds,
    started: Sender<()>,
}

/// Services that are starting, for the code that waits until all accept.
pub struct Starting {
    awaited: usize,
    started: Sender<()>,
    starts: Receiver<()>,
}

/// A service does not accept.
#[derive(Debug, thiserror::Error)]
#[error("not every listener accepts connections")]
pub struct NotAccepting;

impl Default for Starting {
    fn default() -> Self {
        let (started, starts) = channel();
        Self { awaited: 0, started, starts }
    }
}

impl Starting {
    /// Adds a service, which accepts on those of the sockets whose addresses it names.
    pub fn service<A>(&mut self, service: Service<A>, sockets: &ListenFds) -> Accepting<A> {
        self.awaited += 1;
        Accepting { service, sockets: ListenFds::clone(sockets), started: self.started.clone() }
    }

    /// Waits for one thing more, until it sends something.
    pub fn also(&mut self) -> Sender<()> {
        self.awaited += 1;
        self.started.clone()
    }

    /// Waits until all services accept.
    ///
    /// # Errors
    /// [`NotAccepting`] when one does not in time.
    pub fn wait(self, limit: Duration) -> Result<(), NotAccepting> {
        let deadline = Instant::now() + limit;
        for _ in 0..self.awaited {
            let left = deadline.saturating_duration_since(Instant::now());
            self.starts.recv_timeout(left).map_err(|_| NotAccepting)?;
        }
        Ok(())
    }
}

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> ServiceWithDependents for Accepting<A> {
    async fn start_service(
        &mut self,
        _: Option<ListenFds>,
        shutdown: ShutdownWatch,
        listeners_per_fd: usize,
        ready: ServiceReadyNotifier,
    ) {
        let _duty = Duty { name: self.name().to_owned(), shutdown: shutdown.clone() };
        let sockets = Some(ListenFds::clone(&self.sockets));
        let mut serving = Run::start_service(&mut self.service, sockets, shutdown, listeners_per_fd);
        // On sockets that are bound already, the first poll gets as far as the tasks that accept; then it waits for their end.
        if poll_fn(|context| Poll::Ready(serving.as_mut().poll(context))).await.is_pending() {
            ready.notify_ready();
            // The receiver is gone where the start was given up.
            let _ = self.started.send(());
            serving.await;
        }
    }

    fn name(&self) -> &str {
        Run::name(&self.service)
    }

    fn threads(&self) -> Option<usize> {
        self.service.threads
    }
}

/// Lives as long as a service accepts, and ends the process if that ends before a shutdown began.
struct Duty {
    name: String,
    shutdown: ShutdownWatch,
}

impl Drop for Duty {
    fn drop(&mut self) {
        if !*self.shutdown.borrow() {
            tracing::error!(service = self.name, "the listeners are gone; ending");
            Ending::NotListening.end();
        }
    }
}
