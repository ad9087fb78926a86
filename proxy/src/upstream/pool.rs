//! Kept connections to upstreams: bounded by number and age, and by address, because each address keeps its own.
//!
//! Decides: which connection a request may have. A kept connection that the server closed, or on which bytes came that no request
//! asked for, is dropped when it is taken. Must not know: what is sent on one.

use super::connection::Connection;
use super::connector::{ConnectError, Connector};
use super::peers::{Idle, Peer, Place};
use super::targets::Upstreams;
use crate::config::Keepalive;
use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, ReadBuf};

/// How often connections that are too old are closed.
const SWEEP: Duration = Duration::from_secs(1);

/// Connects to upstreams, and keeps what can be used again.
pub struct Pool {
    connector: Connector,
    keepalive: Keepalive,
    /// How many are kept, of all addresses.
    kept: Arc<AtomicUsize>,
}

impl Pool {
    /// A pool of the connections that this opens.
    #[must_use]
    pub fn new(connector: Connector, keepalive: Keepalive) -> Self {
        Self { connector, keepalive, kept: Arc::default() }
    }

    /// A kept connection to an address that can be used again, if there is one.
    pub fn take(&self, peer: &Peer) -> Option<Connection> {
        loop {
            let mut idle = peer.kept().pop()?;
            if idle.since.elapsed() < self.keepalive.idle && is_silent(&mut idle.stream) {
                return Some(idle.stream);
            }
        }
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// [`ConnectError`] says which step failed.
    pub async fn connect(&self, peer: &Peer) -> Result<Connection, ConnectError> {
        self.connector.connect(peer).await
    }

    /// Keeps a connection on which a response has ended and nothing is left to read; one too many is closed.
    pub fn keep(&self, peer: &Peer, stream: Connection) {
        let place = Place(Arc::clone(&self.kept));
        if self.kept.fetch_add(1, Ordering::Relaxed) >= self.keepalive.connections {
            return;
        }
        let idle = Idle { stream, since: Instant::now(), _place: place };
        peer.kept().push(idle);
    }

    /// Closes the connections of an address that are too old.
    fn sweep(&self, peer: &Peer) {
        let mut kept = peer.kept();
        // The oldest come first.
        let old = kept.iter().take_while(|idle| idle.since.elapsed() >= self.keepalive.idle).count();
        let closed: Vec<_> = kept.drain(..old).collect();
        // Closed without the lock: a request may be waiting for it.
        drop(kept);
        drop(closed);
    }
}

/// Whether a connection is open and nothing came on it: a server sends nothing before it is asked.
fn is_silent(stream: &mut Connection) -> bool {
    let mut byte = [0];
    let mut context = Context::from_waker(Waker::noop());
    Pin::new(stream).poll_read(&mut context, &mut ReadBuf::new(&mut byte)).is_pending()
}

/// Closes what is too old, also where no request comes.
pub struct Sweeper {
    /// The pool.
    pub pool: Arc<Pool>,
    /// The addresses whose connections it keeps.
    pub upstreams: Arc<Upstreams>,
}

#[async_trait]
impl BackgroundService for Sweeper {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            tokio::select! {
                _ = shutdown.changed() => return,
                () = tokio::time::sleep(SWEEP) => {}
            }
            self.upstreams.for_each_peer(|peer| self.pool.sweep(peer));
        }
    }
}
