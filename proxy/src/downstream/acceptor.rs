//! Accepts connections, and hands each to a worker.
//!
//! Decides: what a failure to accept means. A connection is counted here, before a worker has it: so no more are accepted than may be
//! open, however busy the workers are.

use super::accepted::Accepted;
use super::handshake::Secured;
use super::opened::Accepts;
use super::workers::Workers;
use pingora::server::ShutdownWatch;
use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::Interest;

/// The pause after a failure: without a free descriptor, the next attempt would fail at once.
const PAUSE: Duration = Duration::from_secs(1);

/// The time between two lines of the log about failures.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// A listening socket at the reactor of the thread that accepts.
///
/// `TcpListener` of tokio would register each connection at the reactor of this thread, which another is to have. `AsyncFd` is unsafe. So the
/// socket is registered as a stream, of which nothing is used but its readiness.
pub(super) struct AcceptQueue(tokio::net::TcpStream);

impl AcceptQueue {
    pub(super) fn new(listener: TcpListener) -> io::Result<Self> {
        tokio::net::TcpStream::from_std(OwnedFd::from(listener).into()).map(Self)
    }

    async fn accept(&self) -> io::Result<Accepted> {
        self.0.async_io(Interest::READABLE, || accept_one(&self.0)).await
    }
}

/// Accepts connections until the shutdown.
pub(super) async fn accept<A: Accepts>(
    queue: AcceptQueue,
    front: Arc<Secured<A>>,
    workers: Arc<Workers>,
    failures: AcceptFailures,
    shutdown: ShutdownWatch,
) {
    let mut watch = shutdown.clone();
    let mut ending = pin!(watch.wait_for(|is_ending| *is_ending));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = &mut ending => return,
            accepted = queue.accept() => accepted,
        };
        match accepted {
            Ok(accepted) => {
                // Dropped where there are too many: that closes it.
                if let Some(opened) = front.enter() {
                    workers.serve(Arc::clone(&front).serve(accepted, opened, shutdown.clone()));
                }
            }
            Err(error) => {
                failures.add(&error);
                if !is_of_one_connection(&error) {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Accepts one connection, without waiting for it.
fn accept_one(listener: impl AsFd) -> io::Result<Accepted> {
    let (socket, peer) = acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
    Ok(Accepted { socket: socket.into(), peer: peer.and_then(|peer| peer.try_into().ok()) })
}

/// Returns true if an error is about a connection that broke before it was accepted: the next one may be well (accept(2), "Error
/// handling").
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error().map(Errno::from_raw_os_error),
        Some(
            Errno::CONNABORTED
                | Errno::INTR
                | Errno::PERM
                | Errno::PROTO
                | Errno::NOPROTOOPT
                | Errno::OPNOTSUPP
                | Errno::NETDOWN
                | Errno::NETUNREACH
                | Errno::HOSTDOWN
                | Errno::HOSTUNREACH
        )
    )
}

/// Counts the attempts to accept a connection that failed, and logs one of them a minute.
#[derive(Clone, Debug, Default)]
pub struct AcceptFailures(Arc<FailureCount>);

#[derive(Debug, Default)]
struct FailureCount {
    count: AtomicU64,
    logged: Mutex<Option<Instant>>,
}

impl AcceptFailures {
    fn add(&self, error: &io::Error) {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        if self.is_logged(Instant::now()) {
            tracing::error!(%error, "Accept() failed");
        }
    }

    fn is_logged(&self, now: Instant) -> bool {
        let mut logged = self.0.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = logged.is_none_or(|logged| now.saturating_duration_since(logged) >= LOG_INTERVAL);
        if is_due {
            *logged = Some(now);
        }
        is_due
    }

    /// Returns how many failed.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.count.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[test]
    fn a_failure_is_counted_each_time_and_logged_once_a_minute() {
        let (failures, started) = (AcceptFailures::default(), Instant::now());
        let is_logged = |seconds| failures.is_logged(started + Duration::from_secs(seconds));
        assert_eq!([0, 1, 59, 60, 61, 120].map(is_logged), [true, false, false, true, false, true]);
        (0..100).for_each(|_| failures.add(&Errno::MFILE.into()));
        assert_eq!(failures.count(), 100);
    }

    #[test]
    fn only_what_holds_for_the_next_connection_too_makes_a_pause() {
        for (errno, is_of_one) in [(Errno::CONNABORTED, true), (Errno::MFILE, false), (Errno::NOBUFS, false)] {
            assert_eq!(is_of_one_connection(&errno.into()), is_of_one, "{errno}");
        }
    }

    #[test]
    fn an_accepted_socket_does_not_block_and_knows_its_peer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let blocked = accept_one(&listener).map(|accepted| accepted.peer);
        assert_eq!(blocked.unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let accepted = accept_one(&listener).unwrap();
        assert_eq!(accepted.peer, Some(client.local_addr().unwrap()));
        let read = io::Read::read(&mut &accepted.socket, &mut [0]);
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
