//! A restart that no client notices: the listening sockets pass from a running process to the one that takes its place.
//!
//! The running process offers its sockets on a Unix socket. A process that starts with the same setting takes them and confirms once
//! it accepts. Only then does the old one end, as on a signal; one that fails to start changes nothing. Between the two no port is
//! closed and no queue is lost, because both have the same sockets. With SO_REUSEPORT each would have a queue of its own, and what
//! waits in the old one would be reset.

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use std::fs::Permissions;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How many sockets the system passes at once (Linux, SCM_MAX_FD).
const MAX_SOCKETS: usize = 253;
/// How long the other process may take to hand its sockets over.
const TRANSFER_LIMIT: Duration = Duration::from_secs(5);
/// How long a process that has taken them may take until it accepts.
const ACCEPT_LIMIT: Duration = Duration::from_secs(60);
/// What comes with the sockets: the version of this protocol.
const VERSION: u8 = 1;
/// What the successor says when it accepts.
const ACCEPTING: u8 = b'a';

/// Why sockets cannot be handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// The Unix socket cannot be used.
    #[error("shutdown.handover: {}: {source}", path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The running process does not give its sockets.
    #[error("the process that listens on {} does not hand its sockets over ({source}); end it first", path.display())]
    Refused {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Checks a path for what can be known of it before the process starts.
///
/// # Errors
/// [`HandoverError`] when no Unix socket can be there.
pub fn check(path: &Path) -> Result<(), HandoverError> {
    let failed = |source| HandoverError::Socket { path: path.to_owned(), source };
    // A connection to any other file fails like one to a socket without a process, and the file would be replaced.
    if std::fs::symlink_metadata(path).is_ok_and(|found| !found.file_type().is_socket()) {
        return Err(failed(std::io::Error::other("it is there and not a socket")));
    }
    // The path of a Unix socket has a longest length, of about 100 bytes.
    SocketAddr::from_pathname(aside(path)).map(drop).map_err(failed)
}

/// Where the socket is made, to be moved to its path once this process serves.
fn aside(path: &Path) -> PathBuf {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".new");
    aside.into()
}

/// The process that runs already.
pub struct Predecessor(UnixStream);

impl Predecessor {
    /// Takes the listening sockets of the process that offers them at `path`; `None` when there is no such process.
    ///
    /// # Errors
    /// [`HandoverError`] when there is one and it does not give them.
    pub fn take(path: &Path) -> Result<Option<(Self, Vec<TcpListener>)>, HandoverError> {
        let refused = |source| HandoverError::Refused { path: path.to_owned(), source };
        let stream = match UnixStream::connect(path) {
            Ok(stream) => stream,
            // No file, or one that an earlier process left.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(source) => return Err(HandoverError::Socket { path: path.to_owned(), source }),
        };
        stream.set_read_timeout(Some(TRANSFER_LIMIT)).map_err(refused)?;
        let sockets = receive(&stream).map_err(refused)?;
        Ok(Some((Self(stream), sockets)))
    }

    /// Tells it that its sockets are served, so that it ends.
    ///
    /// # Errors
    /// When it has ended before.
    pub fn release(mut self) -> std::io::Result<()> {
        self.0.write_all(&[ACCEPTING])
    }
}

/// Sockets for the process that comes after this one.
pub struct Offer {
    path: PathBuf,
    /// Empty after they were withdrawn: while one is held, the system queues clients for it.
    sockets: Mutex<Vec<TcpListener>>,
    /// Whether what is at the path is ours: until then it is the socket of the process before this one, which goes on if this one
    /// ends.
    is_published: AtomicBool,
    taken: Notify,
}

impl Offer {
    /// No process can take them before they are [published](Prepared::publish).
    ///
    /// # Errors
    /// [`HandoverError`] when no Unix socket can be bound at `path`.
    pub fn prepare(path: &Path, sockets: Vec<TcpListener>) -> Result<Prepared, HandoverError> {
        check(path)?;
        let aside = aside(path);
        let failed = |source| HandoverError::Socket { path: path.to_owned(), source };
        match std::fs::remove_file(&aside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&aside).map_err(failed)?;
        // A process that can connect gets the ports.
        std::fs::set_permissions(&aside, Permissions::from_mode(0o600)).map_err(failed)?;
        let offer = Self {
            path: path.to_owned(),
            sockets: Mutex::new(sockets),
            is_published: AtomicBool::new(false),
            taken: Notify::new(),
        };
        Ok(Prepared { listener, aside, offer: Arc::new(offer) })
    }

    /// Waits until another process serves the sockets.
    pub async fn taken(&self) {
        self.taken.notified().await;
    }

    /// Drops the sockets: no process takes them any more, and they close with the last listener here.
    pub fn close(&self) {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The same, and removes the Unix socket: no process has followed.
    pub fn withdraw(&self) {
        self.close();
        if self.is_published.load(Ordering::Acquire) {
            // It may be gone already.
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// Gives the sockets to each process that asks, one after the other, until one serves them.
    fn hand_over(&self, listener: &UnixListener) {
        for stream in listener.incoming() {
            match stream.and_then(|stream| self.give(stream)) {
                Ok(()) => return self.taken.notify_one(),
                Err(error) => {
                    tracing::warn!(%error, "a process asked for the listening sockets and does not serve");
                }
            }
        }
    }

    fn give(&self, mut stream: UnixStream) -> std::io::Result<()> {
        stream.set_write_timeout(Some(TRANSFER_LIMIT))?;
        stream.set_read_timeout(Some(ACCEPT_LIMIT))?;
        send(&stream, &self.sockets.lock().unwrap_or_else(PoisonError::into_inner))?;
        let mut word = [0];
        stream.read_exact(&mut word)?;
        if word == [ACCEPTING] { Ok(()) } else { Err(ErrorKind::InvalidData.into()) }
    }
}

/// An offer that no process can see yet.
pub struct Prepared {
    listener: UnixListener,
    aside: PathBuf,
    offer: Arc<Offer>,
}

impl Prepared {
    /// What will be offered.
    #[must_use]
    pub fn offer(&self) -> Arc<Offer> {
        Arc::clone(&self.offer)
    }

    /// Takes the place of whatever is at the path, in one step, and waits there for a successor.
    ///
    /// # Errors
    /// When the file system or the system refuses.
    pub fn publish(self) -> std::io::Result<()> {
        let Self { listener, aside, offer } = self;
        std::fs::rename(aside, &offer.path)?;
        offer.is_published.store(true, Ordering::Release);
        let wait = move || offer.hand_over(&listener);
        std::thread::Builder::new().name("handover".into()).spawn(wait).map(drop)
    }
}

fn send(stream: &UnixStream, sockets: &[TcpListener]) -> std::io::Result<()> {
    let descriptors: Vec<_> = sockets.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MAX_SOCKETS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if descriptors.is_empty() || !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(std::io::Error::other(format!("{} sockets cannot be handed over", sockets.len())));
    }
    sendmsg(stream, &[IoSlice::new(&[VERSION])], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

fn receive(stream: &UnixStream) -> std::io::Result<Vec<TcpListener>> {
    let mut version = [0];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MAX_SOCKETS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    // Closed on exec: a program that this one starts must not keep the ports.
    recvmsg(stream, &mut [IoSliceMut::new(&mut version)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let sockets: Vec<_> = ancillary
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .map(TcpListener::from)
        .collect();
    if sockets.is_empty() || version != [VERSION] {
        return Err(std::io::Error::other("it is about to end, or it is not an s3cors of this kind"));
    }
    Ok(sockets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ends_before_it_serves_leaves_the_place_to_the_one_that_runs() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("handover.sock");
        let prepare = || Offer::prepare(&path, vec![TcpListener::bind("127.0.0.1:0").unwrap()]).unwrap();
        prepare().publish().unwrap();
        prepare().offer().withdraw();
        let (_, sockets) = Predecessor::take(&path).unwrap().expect("it is still offered");
        assert_eq!(sockets.len(), 1);

        let prepared = prepare();
        let offer = prepared.offer();
        prepared.publish().unwrap();
        offer.withdraw();
        assert!(!path.exists());
        assert!(Predecessor::take(&path).unwrap().is_none());
    }
}
