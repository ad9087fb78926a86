//! Connections to upstreams, and those that are kept: bounded by number and age, and by address, because each address keeps its own. The bounds hold for all
//! threads together.
//!
//! Decides: which connection a request may have. A kept connection that the server closed, or on which bytes came that no request
//! asked for, is dropped when it is taken. Must not know: what is sent on one.

use super::connection::{Connection, Place};
use super::connector::{ConnectError, Connector};
use super::kept::Idle;
use super::limit::{Limit, NoteWait, Permit, Share};
use super::peers::Peer;
use super::targets::Upstreams;
use crate::config::{Config, Keepalive};
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

/// The connections to all upstreams together, which share one bound.
pub struct AllConnections {
    upstreams: Upstreams,
    /// Decides which request may have a connection.
    limit: Arc<Limit>,
    /// The most connections that there may be.
    most: usize,
    /// Counts those that there are.
    open: Arc<AtomicUsize>,
}

impl AllConnections {
    /// The connections to these upstreams.
    #[must_use]
    pub fn new(config: &Config, upstreams: Upstreams, note_wait: NoteWait) -> Self {
        let most = config.limits.upstream_connections;
        // A request waits no longer than for a connection that is opened.
        let patience = config.all_upstreams().map(|settings| settings.timeouts.connect).max().unwrap_or_default();
        Self { upstreams, limit: Arc::new(Limit::new(most, patience, note_wait)), most, open: Arc::default() }
    }

    /// Returns how many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// A place for one connection more. A kept one gives way to it: the permits count only those of requests.
    fn place(&self) -> Place {
        loop {
            if let Some(place) = Place::among(&self.open, self.most) {
                return place;
            }
            if !self.close_one() {
                // The kept ones of addresses that are gone: they close with the last request there.
                return Place::beside(&self.open);
            }
        }
    }

    /// Closes a kept connection, if there is one.
    fn close_one(&self) -> bool {
        let mut peers = self.upstreams.iter().flat_map(|upstream| upstream.all_peers());
        peers.any(|peer| peer.kept().take_oldest().is_some())
    }
}

/// Connects to an upstream, and keeps what can be used again.
pub struct Pool {
    connector: Connector,
    keepalive: Keepalive,
    all: Arc<AllConnections>,
    /// Counts the connections that are kept, of all addresses.
    kept: Arc<AtomicUsize>,
}

impl Pool {
    /// A pool of the connections that this opens, among those to all upstreams.
    #[must_use]
    pub fn new(connector: Connector, keepalive: Keepalive, all: Arc<AllConnections>) -> Self {
        Self { connector, keepalive, all, kept: Arc::default() }
    }

    /// Waits until a request may have a connection; `None` when too many others have one for too long.
    pub async fn admit(&self, share: Option<&Share>) -> Option<Permit> {
        self.all.limit.admit(share).await
    }

    /// A kept connection to an address that can be used again, if there is one.
    pub fn take(&self, peer: &Peer) -> Option<Connection> {
        loop {
            let mut idle = peer.kept().take()?;
            if Instant::now() < idle.until && is_silent(&mut idle.connection) && idle.connection.move_here().is_ok() {
                return Some(idle.connection);
            }
        }
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// [`ConnectError`] says which step failed.
    pub async fn connect(&self, peer: &Peer) -> Result<Connection, ConnectError> {
        let open = self.all.place();
        Ok(Connection::new(self.connector.connect(peer).await?, open))
    }

    /// Keeps a connection on which a response has ended and nothing is left to read; one too many is closed. `patience` is how long the
    /// upstream keeps it, where it says so.
    pub fn keep(&self, peer: &Peer, mut connection: Connection, patience: Option<Duration>) {
        let lifetime = patience.map_or(self.keepalive.idle, |patience| patience.min(self.keepalive.idle));
        let Some(place) = Place::among(&self.kept, self.keepalive.connections).filter(|_| !lifetime.is_zero()) else {
            return;
        };
        let permit = connection.release();
        peer.kept().keep(Idle { connection, until: Instant::now() + lifetime, _place: place });
        // Not before: the request that waits for it takes the connection.
        drop(permit);
    }

    /// Closes all kept connections to an address.
    pub fn forget(&self, peer: &Peer) {
        drop(peer.kept().take_all());
    }
}

/// Whether a connection is open and nothing came on it: a server sends nothing before it is asked.
fn is_silent(connection: &mut Connection) -> bool {
    let mut byte = [0];
    let mut context = Context::from_waker(Waker::noop());
    Pin::new(connection).poll_read(&mut context, &mut ReadBuf::new(&mut byte)).is_pending()
}

/// Closes what is too old, also where no request comes.
pub struct Sweeper {
    /// The upstreams whose connections are kept.
    pub upstreams: Upstreams,
}

#[async_trait]
impl BackgroundService for Sweeper {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            tokio::select! {
                _ = shutdown.changed() => return,
                () = tokio::time::sleep(SWEEP) => {}
            }
            // Closed without the lock: a request may be waiting for it.
            let sweep = |peer: &Peer| drop(peer.kept().take_expired(Instant::now()));
            self.upstreams.iter().for_each(|upstream| upstream.for_each_peer(sweep));
        }
    }
}
