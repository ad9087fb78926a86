//! Listening sockets: bound here, or taken over from the process before this one.

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType};
use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// How many connections may wait to be accepted, at most: the system has a limit of its own, which is lower.
const BACKLOG: i32 = 65_535;

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: cannot listen on {address}: {source}{}", instead(source))]
pub struct BindError {
    /// The setting that names it.
    setting: &'static str,
    address: SocketAddr,
    source: io::Error,
}

/// The way out of a failure.
fn instead(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => "; another process listens there: end it, or choose another port",
        io::ErrorKind::AddrNotAvailable => "; it is no address of this machine: choose one that is, or :PORT for all",
        io::ErrorKind::PermissionDenied => {
            "; ports below 1024 take CAP_NET_BIND_SERVICE: choose another port, or give the process that capability"
        }
        _ => "",
    }
}

/// Sockets that listen, each with its address. Clients wait in their queues until a service accepts.
pub struct Sockets(VecDeque<Socket>);

struct Socket {
    setting: &'static str,
    address: SocketAddr,
    listener: TcpListener,
}

impl Sockets {
    /// Takes the sockets of another process, where it has them, and binds the others at once: Pingora would try for half a minute and
    /// then leave a process without a listener. A port of 0 becomes one of the system's choice.
    ///
    /// # Errors
    /// A [`BindError`] for each address that cannot be bound, also when it is configured twice.
    pub fn bind<'a>(
        addresses: impl IntoIterator<Item = (&'static str, &'a mut SocketAddr)>,
        mut taken_over: Vec<TcpListener>,
    ) -> Result<Self, Vec<BindError>> {
        let addresses: Vec<_> = addresses.into_iter().collect();
        let of_ipv4 = addresses.iter().filter(|(_, address)| is_all_of_ipv4(address));
        let open_to_ipv4: Vec<_> = of_ipv4.map(|(_, address)| address.port()).collect();
        let (mut sockets, mut errors) = (VecDeque::new(), Vec::new());
        for (setting, address) in addresses {
            let asked = *address;
            let has_address = |socket: &TcpListener| socket.local_addr().is_ok_and(|address| address == asked);
            let listener = match taken_over.iter().position(has_address) {
                Some(index) => Ok(taken_over.swap_remove(index)),
                None => listener(asked, open_to_ipv4.contains(&asked.port())),
            };
            let bound = listener.and_then(|listener| {
                // The runtime that will accept takes no other.
                listener.set_nonblocking(true)?;
                // The standard library listens with a short queue; this makes it longer, also where connections wait in it.
                net::listen(&listener, BACKLOG)?;
                Ok((listener.local_addr()?, listener))
            });
            match bound {
                Ok((bound, listener)) => {
                    *address = bound;
                    sockets.push_back(Socket { setting, address: bound, listener });
                }
                Err(source) => errors.push(BindError { setting, address: asked, source }),
            }
        }
        if errors.is_empty() { Ok(Self(sockets)) } else { Err(errors) }
    }

    /// Duplicates the sockets for a process that may come after this one.
    ///
    /// # Errors
    /// [`BindError`] when the system has no more descriptors.
    pub fn duplicates(&self) -> Result<Vec<TcpListener>, BindError> {
        let duplicate = |Socket { setting, address, listener }: &Socket| {
            listener.try_clone().map_err(|source| BindError { setting, address: *address, source })
        };
        self.0.iter().map(duplicate).collect()
    }
}

impl Iterator for Sockets {
    type Item = TcpListener;

    /// Takes the next socket, in the order of the addresses.
    fn next(&mut self) -> Option<TcpListener> {
        self.0.pop_front().map(|socket| socket.listener)
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
