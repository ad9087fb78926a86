//! A client's connection, with what it has for all its requests.

use super::timer::Timer;
use pingora::protocols::Stream;
use pingora::protocols::l4::socket::SocketAddr;

/// A client's connection.
pub struct Client {
    /// The connection itself.
    pub stream: Stream,
    /// For all waits on it.
    pub timer: Timer,
    /// Where it comes from, where that is known.
    pub(super) address: Option<std::net::SocketAddr>,
}

impl From<Stream> for Client {
    fn from(stream: Stream) -> Self {
        let digest = stream.get_socket_digest();
        let address = digest.and_then(|digest| digest.peer_addr().and_then(SocketAddr::as_inet).copied());
        Self { stream, timer: Timer::default(), address }
    }
}
