//! Listening sockets: bound here, or taken over from the process before this one.

use pingora::server::{Fds, ListenFds};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::fd::IntoRawFd;
use std::sync::Arc;

/// How many connections may wait to be accepted, at most: the system has a limit of its own, which is lower.
const BACKLOG: i32 = 65_535;

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
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
        let addresses: Vec<_> = addresses.into_iter().collect();
        let open_to_ipv4: Vec<_> =
            addresses.iter().filter(|address| is_all_of_ipv4(address)).map(|a| a.port()).collect();
        let mut sockets = Vec::new();
        for address in addresses {
            let asked = *address;
            let failed = |source| BindError { address: asked, source };
            let has_address = |socket: &TcpListener| socket.local_addr().is_ok_and(|address| address == asked);
            let socket = match taken_over.iter().position(has_address) {
                Some(index) => taken_over.swap_remove(index),
                None => listener(asked, open_to_ipv4.contains(&asked.port())).map_err(failed)?,
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

fn is_all_of_ipv4(address: &SocketAddr) -> bool {
    address.is_ipv4() && address.ip().is_unspecified()
}

/// A socket that listens. One on all addresses of IPv6 takes connections of IPv4 too, unless another one does: then the system would
/// refuse the second of them.
fn listener(address: SocketAddr, has_other_for_ipv4: bool) -> io::Result<TcpListener> {
    let is_all_of_ipv6 = address.is_ipv6() && address.ip().is_unspecified();
    if is_all_of_ipv6 && has_other_for_ipv4 && address.port() != 0 {
        return only_ipv6(address);
    }
    match TcpListener::bind(address) {
        // This machine has no IPv6.
        Err(error) if is_all_of_ipv6 && error.raw_os_error() == Some(Errno::AFNOSUPPORT.raw_os_error()) => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port()))
        }
        bound => bound,
    }
}

fn only_ipv6(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = net::socket_with(AddressFamily::INET6, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    net::sockopt::set_socket_reuseaddr(&socket, true)?;
    net::sockopt::set_ipv6_v6only(&socket, true)?;
    net::bind(&socket, &address)?;
    net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}
