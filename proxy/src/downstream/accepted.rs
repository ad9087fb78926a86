//! A connection between the thread that accepted it and the one that serves it.

use pingora::protocols::l4::stream::Stream;
use pingora::protocols::{GetSocketDigest, SocketDigest};
use pingora::{ErrorType, OrErr, Result};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;

/// A connection that was accepted. No reactor has it yet: it belongs to the worker that will serve it.
pub(super) struct Accepted {
    pub(super) socket: TcpStream,
    /// `None` where the system does not say.
    pub(super) peer: Option<SocketAddr>,
}

impl Accepted {
    /// The connection at the reactor of this thread. It has no buffers: each idle one would hold them, and what is written would wait in
    /// them for more. A driver that has several pieces writes them at once.
    pub(super) fn into_stream(self) -> Result<Stream> {
        let socket = tokio::net::TcpStream::from_std(self.socket).or_err(ErrorType::SocketError, "at the reactor")?;
        let mut stream = Stream::from(socket);
        stream.set_nodelay()?;
        let digest = SocketDigest::from_raw_fd(stream.as_raw_fd());
        if let Some(peer) = self.peer {
            // It is empty: nothing has asked for the address yet.
            let _ = digest.peer_addr.set(Some(peer.into()));
        }
        stream.set_socket_digest(digest);
        Ok(stream)
    }
}
