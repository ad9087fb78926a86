//! Services that accept: when they have begun to, and that the process does not outlive them.

use super::acceptor::{AcceptFailures, AcceptQueue, accept};
use super::handshake::Secured;
use super::opened::Accepts;
use super::workers::Workers;
use crate::process::exit::Ending;
use async_trait::async_trait;
use pingora::server::{ListenFds, ShutdownWatch};
use pingora::services::{ServiceReadyNotifier, ServiceWithDependents};
use std::future::pending;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Listeners, and the threads that serve their connections. If one of the listeners ever ends by itself, even by a panic, the process ends
/// with it instead of living on without it.
pub struct Service<A> {
    name: &'static str,
    threads: usize,
    listeners: Vec<(TcpListener, Arc<Secured<A>>)>,
    failures: AcceptFailures,
}

impl<A: Accepts> Service<A> {
    pub(super) fn new(
        name: &'static str,
        threads: usize,
        listeners: Vec<(TcpListener, Arc<Secured<A>>)>,
        failures: &AcceptFailures,
    ) -> Self {
        Self { name, threads, listeners, failures: failures.clone() }
    }

    /// Begins to accept, on each listener in a task of its own.
    fn start(&mut self, shutdown: &ShutdownWatch) -> io::Result<Listening<A>> {
        let workers = Arc::new(Workers::start(self.name, self.threads)?);
        let (mut accepting, mut fronts) = (JoinSet::new(), Vec::new());
        for (listener, front) in self.listeners.drain(..) {
            let queue = AcceptQueue::new(listener)?;
            let duty = Duty { name: self.name, shutdown: shutdown.clone() };
            let (workers, failures) = (Arc::clone(&workers), self.failures.clone());
            let accept = accept(queue, Arc::clone(&front), workers, failures, shutdown.clone());
            fronts.push(front);
            accepting.spawn(async move {
                accept.await;
                drop(duty);
            });
        }
        Ok(Listening { workers, accepting, fronts })
    }
}

/// The parts of a service that accepts.
struct Listening<A> {
    workers: Arc<Workers>,
    accepting: JoinSet<()>,
    fronts: Vec<Arc<Secured<A>>>,
}

/// A service that is run, and says when it accepts.
pub struct Accepting<A> {
    service: Service<A>,
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
    /// Adds a service.
    pub fn service<A>(&mut self, service: Service<A>) -> Accepting<A> {
        Accepting { service, started: self.also() }
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
impl<A: Accepts> ServiceWithDependents for Accepting<A> {
    async fn start_service(
        &mut self,
        _: Option<ListenFds>,
        shutdown: ShutdownWatch,
        _: usize,
        ready: ServiceReadyNotifier,
    ) {
        let duty = Duty { name: self.service.name, shutdown: shutdown.clone() };
        let Listening { workers, mut accepting, fronts } = match self.service.start(&shutdown) {
            Ok(running) => running,
            Err(error) => {
                tracing::error!(service = self.service.name, %error, "the listeners cannot start");
                return drop(duty);
            }
        };
        ready.notify_ready();
        // The receiver is gone where the start was given up.
        let _ = self.started.send(());
        while accepting.join_next().await.is_some() {}
        for front in fronts {
            front.cleanup().await;
        }
        // What is open goes on: the threads end with this task, which the runtime drops when it ends itself.
        pending::<()>().await;
        drop((workers, duty));
    }

    fn name(&self) -> &str {
        self.service.name
    }

    /// The thread that accepts, and serves too where it is the only one.
    fn threads(&self) -> Option<usize> {
        Some(1)
    }
}

/// Lives as long as a listener accepts, and ends the process if that ends before a shutdown began.
struct Duty {
    name: &'static str,
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

#[cfg(test)]
mod tests {
    use super::super::opened::Opened;
    use super::super::protocols::ListenerProtocols;
    use super::*;
    use pingora::protocols::Stream;
    use std::net::TcpStream;
    use std::process::Command;
    use tokio::runtime::Builder;
    use tokio::sync::watch;

    const LIMIT: Duration = Duration::from_secs(30);

    /// An app that breaks the task that accepts.
    struct Broken;

    impl Accepts for Broken {
        fn enter(&self) -> Option<Opened> {
            panic!("broken on purpose")
        }

        async fn serve(self: Arc<Self>, _: Stream, _: Opened, _: ShutdownWatch) {}

        async fn cleanup(&self) {}
    }

    fn serve_with_a_broken_listener() {
        let front = || {
            let (tls, is_proxied) = (None, false);
            Arc::new(Secured::for_operators(Broken, ListenerProtocols { tls, is_proxied }, LIMIT))
        };
        let sockets: Vec<_> = (0..2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let address = sockets[0].local_addr().unwrap();
        let listeners = sockets.into_iter().map(|socket| {
            socket.set_nonblocking(true).unwrap();
            (socket, front())
        });
        let mut service = Service::new("test", 1, listeners.collect(), &AcceptFailures::default());
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (_end, shutdown) = watch::channel(false);
        runtime.block_on(async {
            let running = service.start(&shutdown).unwrap();
            let _client = TcpStream::connect(address).unwrap();
            tokio::time::sleep(LIMIT).await;
            drop(running);
        });
    }

    #[test]
    fn the_process_ends_when_one_of_its_listeners_does() {
        const IS_CHILD: &str = "TEST_SERVES_WITH_A_BROKEN_LISTENER";
        if std::env::var_os(IS_CHILD).is_some() {
            return serve_with_a_broken_listener();
        }
        let name = "downstream::service::tests::the_process_ends_when_one_of_its_listeners_does";
        let mut child = Command::new(std::env::current_exe().unwrap());
        let ended = child.args(["--exact", name]).env(IS_CHILD, "yes").output().unwrap();
        assert_eq!(ended.status.code(), Some(Ending::NotListening.status()), "{ended:?}");
    }
}
