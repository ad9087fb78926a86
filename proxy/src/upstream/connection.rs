//! A connection to an upstream: TCP, or TLS over it.
//!
//! The socket is tokio's own and not `Stream` of Pingora, which shows only a raw descriptor: its options cannot be set without `unsafe`.

use super::limit::Permit;
use super::thread::this_thread;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use std::io::{self, ErrorKind, IoSlice};
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A connection to an upstream.
pub struct Connection {
    transport: Transport,
    /// The thread whose reactor has the socket.
    thread: usize,
    /// The error once the upstream has acknowledged nothing for too long. The system says so once and then calls the connection closed.
    vanished: Option<ErrorKind>,
    _open: Place,
    /// Given back last: what is free is closed.
    permit: Option<Permit>,
}

/// A place among those that are counted. It is given back when it is dropped, with whatever has it.
pub(super) struct Place(Arc<AtomicUsize>);

impl Place {
    /// Takes a place if fewer than `most` are taken.
    pub(super) fn among(taken: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let one_more = |count| (count < most).then_some(count + 1);
        taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).ok()?;
        Some(Self(Arc::clone(taken)))
    }

    /// Takes a place in any case.
    pub(super) fn beside(taken: &Arc<AtomicUsize>) -> Self {
        taken.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(taken))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The bytes of a connection, as they are or encrypted.
pub(super) enum Transport {
    Plain(TcpStream),
    /// Boxed: the state of a session is a kilobyte, and connections move.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection {
    /// A connection that this thread opened.
    pub(super) fn new(transport: Transport, open: Place) -> Self {
        Self { transport, thread: this_thread(), vanished: None, _open: open, permit: None }
    }

    /// Moves a connection on which nothing is on its way to the reactor of this thread, where another one has it.
    ///
    /// # Errors
    /// When the upstream closed it or sent something, which that reactor need not have seen yet; and when the system has no descriptor
    /// free.
    pub(super) fn move_here(&mut self) -> io::Result<()> {
        if self.thread == this_thread() {
            return Ok(());
        }
        let tcp = self.transport.tcp_mut();
        if recv(&*tcp, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT).err() != Some(Errno::AGAIN) {
            return Err(ErrorKind::ConnectionReset.into());
        }
        // The old descriptor closes, and leaves the other reactor, when it is dropped: before that there is no way to take the socket
        // out of a session of TLS.
        let socket = tcp.as_fd().try_clone_to_owned()?;
        *tcp = TcpStream::from_std(socket.into())?;
        self.thread = this_thread();
        Ok(())
    }

    /// Belongs to a request from now on, which may have it.
    #[must_use]
    pub fn held_by(mut self, permit: Permit) -> Self {
        self.permit = Some(permit);
        self
    }

    /// Belongs to no request any more.
    pub(super) const fn release(&mut self) -> Option<Permit> {
        self.permit.take()
    }

    /// Acknowledges what was received at once. A sender with Nagle's algorithm that writes a response in two parts holds the second
    /// back until the first is acknowledged, which the system delays by 40 ms (RFC 9293 §3.7.4, RFC 1122 §4.2.3.2).
    pub fn acknowledge(&self) {
        // Without it the response is slower, and no other.
        let _ = self.transport.tcp().set_quickack(true);
    }

    /// Remembers that the upstream is gone.
    fn noted<T>(&mut self, moved: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &moved {
            self.vanished = self.vanished.or(has_vanished(error).then(|| error.kind()));
        }
        moved
    }
}

/// Returns true if a connection broke because the upstream acknowledged nothing for as long as it may take (TCP_USER_TIMEOUT). The
/// system names the last thing that it heard of the way instead, if it heard something (tcp(7), `EHOSTUNREACH` while no one answers ARP).
#[must_use]
pub fn has_vanished(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable)
}

impl Transport {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    fn tcp_mut(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_mut().0,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let connection = self.get_mut();
        if let Some(kind) = connection.vanished {
            return Poll::Ready(Err(kind.into()));
        }
        let read = match &mut connection.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Transport::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        };
        connection.noted(read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let connection = self.get_mut();
        let written = match &mut connection.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        };
        connection.noted(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let connection = self.get_mut();
        let written = match &mut connection.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Transport::Tls(stream) => Pin::new(stream).poll_write_vectored(context, slices),
        };
        connection.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let connection = self.get_mut();
        let flushed = match &mut connection.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(context),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(context),
        };
        connection.noted(flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().transport {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream as Socket};
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::runtime::Builder;

    /// A connection whose reactor no thread waits at any more, and the server's side of it.
    fn opened_elsewhere() -> (Connection, Socket) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let open = move || {
            let runtime = Builder::new_current_thread().enable_io().build().unwrap();
            let stream = runtime.block_on(TcpStream::connect(address)).unwrap();
            let connection = Connection::new(Transport::Plain(stream), Place::beside(&Arc::default()));
            // Its reactor stays, and is never asked again.
            std::mem::forget(runtime);
            connection
        };
        let connection = std::thread::spawn(open).join().unwrap();
        (connection, listener.accept().unwrap().0)
    }

    #[test]
    fn a_connection_that_moved_needs_no_other_thread() {
        let (mut connection, mut server) = opened_elsewhere();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            connection.move_here().unwrap();
            connection.write_all(b"question").await.unwrap();
            let mut asked = [0; 8];
            server.read_exact(&mut asked).unwrap();
            server.write_all(b"answer").unwrap();
            let mut answer = [0; 6];
            let read = tokio::time::timeout(Duration::from_secs(10), connection.read_exact(&mut answer));
            read.await.expect("its reactor is that of this thread").unwrap();
            assert_eq!((&asked, &answer), (b"question", b"answer"));
        });
    }

    #[test]
    fn a_connection_that_was_closed_or_has_bytes_does_not_move() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        for bytes in [&b""[..], b"unasked"] {
            let (mut connection, mut server) = opened_elsewhere();
            server.write_all(bytes).unwrap();
            drop(server);
            assert!(runtime.block_on(async { connection.move_here() }).is_err());
        }
    }
}
