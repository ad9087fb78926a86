//! Opens connections to upstreams.
//!
//! Decides: which options a socket has, how long TCP and TLS may take, and which step failed.

use super::connection::Transport;
use super::peers::{Peer, Security};
use crate::config::UpstreamConfig;
use rustix::io::Errno;
use rustix::net::sockopt;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

/// The time that TCP and TLS together may take beyond that of TCP alone.
pub(super) const TLS_EXTRA: Duration = Duration::from_secs(2);

/// The reason why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The upstream was not connected to in time.
    #[error("not connected in time")]
    TimedOut,
    /// The upstream cannot be connected to.
    #[error("{0}")]
    Unreachable(#[source] io::Error),
    /// The system gives this process no more descriptors.
    #[error("no descriptor is free")]
    NoDescriptor,
    /// TLS failed; `None` where the upstream closed the connection in the handshake.
    #[error("TLS failed")]
    Tls(#[source] Option<rustls::Error>),
}

/// Connects to upstreams.
pub struct Connector {
    /// `None` where no upstream is https.
    tls: Option<TlsConnector>,
    timeout: Duration,
    /// In milliseconds, as the system takes it.
    user_timeout: u32,
}

impl Connector {
    /// Connects as configured, and trusts as these settings of TLS say.
    #[must_use]
    pub fn new(config: &UpstreamConfig, tls: Option<Arc<ClientConfig>>) -> Self {
        let user_timeout = milliseconds(config.user_timeout());
        Self { tls: tls.map(TlsConnector::from), timeout: config.timeouts.connect, user_timeout }
    }

    /// Opens a connection.
    pub(super) async fn connect(&self, peer: &Peer) -> Result<Transport, ConnectError> {
        let deadline = Instant::now() + self.timeout + TLS_EXTRA;
        let connected = timeout(self.timeout, self.open(peer.address)).await;
        let stream = connected.map_err(|_| ConnectError::TimedOut)?.map_err(unreachable)?;
        let name = match &peer.security {
            Security::Plain => return Ok(Transport::Plain(stream)),
            Security::Tls(name) => name.clone(),
            Security::Unnamed => return Err(ConnectError::Tls(Some(rustls::Error::UnsupportedNameType))),
        };
        timeout_at(deadline, self.secure(stream, name)).await.map_err(|_| ConnectError::TimedOut)?
    }

    async fn open(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // What is written is whole: there is nothing to wait for.
        socket.set_nodelay(true)?;
        // Before it connects: the time also holds for what is sent first.
        sockopt::set_tcp_user_timeout(&socket, self.user_timeout)?;
        socket.connect(address).await
    }

    async fn secure(&self, stream: TcpStream, name: ServerName<'static>) -> Result<Transport, ConnectError> {
        let tls = self.tls.as_ref().ok_or(ConnectError::Tls(None))?;
        match tls.connect(name, stream).await {
            Ok(stream) => Ok(Transport::Tls(Box::new(stream))),
            Err(error) => {
                let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
                Err(ConnectError::Tls(cause.cloned()))
            }
        }
    }
}

/// A duration as the system takes it for TCP_USER_TIMEOUT, where 0 is its own default.
pub(super) fn milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX).max(1)
}

fn unreachable(error: io::Error) -> ConnectError {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::MFILE | Errno::NFILE) => ConnectError::NoDescriptor,
        // The system has a time of its own after which it gives up.
        Some(Errno::TIMEDOUT) => ConnectError::TimedOut,
        _ => ConnectError::Unreachable(error),
    }
}
