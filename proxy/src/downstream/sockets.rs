//! Listening sockets: bound here, or taken over from the process before this one.

use pingora::server::{Fds, ListenFds};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::IntoRawFd;
use std::sync::Arc;

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    address: SocketAddr,
    source: std::io::Error,
}

/// Sockets that listen, each with its address. Clients wait in their queues until a service accepts.
pub struct Sockets(Vec<(SocketAddr, TcpListener)>);

impl Sockets {
    /// Takes the sockets of another process, where it has them, and binds the others at once: Pingora would try for half a minute and
    /// then leave a process without a listener. A port of 0 becomes one of the system's choice.
    ///
    /// # Errors
    /// [`BindError`] names the address that cannot be bound, also when it is configured twice.
    pub fn bind<'a>(
        addresses: impl IntoIterator<Item = &'a mut SocketAddr>,
        mut taken_over: Vec<TcpListener>,
    ) -> Result<Self, BindError> {
        let mut sockets = Vec::new();
        for address in addresses {
            let asked = *address;
            let failed = |source| BindError { address: asked, source };
            let has_address = |socket: &TcpListener| socket.local_addr().is_ok_and(|address| address == asked);
            let socket = match taken_over.iter().position(has_address) {
                Some(index) => taken_over.swap_remove(index),
                None => TcpListener::bind(asked).map_err(failed)?,
            };
            // The runtime that will accept takes no other.
            socket.set_nonblocking(true).map_err(failed)?;
            *address = socket.local_addr().map_err(failed)?;
            sockets.push((*address, socket));
        }
        Ok(Self(sockets))
    }

    /// Duplicates the sockets for a process that may come after this one.
    ///
    /// # Errors
    /// [`BindError`] when the system has no more descriptors.
    pub fn duplicates(&self) -> Result<Vec<TcpListener>, BindError> {
        let duplicate = |(address, socket): &(SocketAddr, TcpListener)| {
            socket.try_clone().map_err(|source| BindError { address: *address, source })
        };
        self.0.iter().map(duplicate).collect()
    }

    /// The table that Pingora takes: by the address that a service names. It closes what it takes.
    #[must_use]
    pub fn into_table(self) -> ListenFds {
        let mut table = Fds::new();
        for (address, socket) in self.0 {
            table.add(address.to_string(), socket.into_raw_fd());
        }
        Arc::new(table.into())
    }
}
