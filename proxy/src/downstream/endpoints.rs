//! Which listener accepted a connection, told by the address that the client reached.

use crate::config::Listener;
use crate::tls::{Certificates, LiveCertificate, TlsError};
use std::net::SocketAddr;
use std::sync::Arc;

/// What a listener speaks.
pub(super) struct Endpoint {
    /// The certificate of a listener with TLS, and whether it speaks HTTP/2 too.
    pub(super) tls: Option<(Arc<LiveCertificate>, bool)>,
    /// Whether the PROXY protocol comes first.
    pub(super) is_proxied: bool,
}

/// What each listener speaks.
pub(super) struct Endpoints(Vec<(SocketAddr, Endpoint)>);

impl Endpoints {
    pub(super) fn new(listen: &[Listener], certificates: &mut Certificates) -> Result<Self, TlsError> {
        let endpoint = |listener: &Listener| {
            let certificate = listener.tls.as_ref().map(|files| certificates.of(files)).transpose()?;
            let tls = certificate.map(|certificate| (certificate, listener.http2));
            Ok((listener.address, Endpoint { tls, is_proxied: listener.proxy_protocol }))
        };
        listen.iter().map(endpoint).collect::<Result<_, _>>().map(Self)
    }

    /// What the listener speaks that accepted a connection to this address; `None` where no listener can have.
    pub(super) fn accepted(&self, local: SocketAddr) -> Option<&Endpoint> {
        let listener = listener_of(self.0.iter().map(|(address, _)| *address), local)?;
        self.0.get(listener).map(|(_, endpoint)| endpoint)
    }
}

/// The listener that the system gives a connection to: the one with its very address, else the one with all addresses of its kind, else
/// with those of both.
fn listener_of(listeners: impl Iterator<Item = SocketAddr> + Clone, local: SocketAddr) -> Option<usize> {
    let ip = local.ip().to_canonical();
    let of_port = listeners.enumerate().filter(|(_, listener)| listener.port() == local.port());
    let is_exact = |listener: &SocketAddr| listener.ip().to_canonical() == ip;
    let is_open = |listener: &SocketAddr| listener.ip().is_unspecified() && listener.is_ipv4() == ip.is_ipv4();
    let is_open_to_both = |listener: &SocketAddr| listener.ip().is_unspecified() && listener.is_ipv6();
    let first = |fits: &dyn Fn(&SocketAddr) -> bool| of_port.clone().find(|(_, listener)| fits(listener));
    let found = first(&is_exact).or_else(|| first(&is_open)).or_else(|| first(&is_open_to_both));
    found.map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_belongs_to_the_listener_that_the_system_gave_it_to() {
        let listeners = ["0.0.0.0:80", "192.0.2.1:80", "[::]:80", "[::]:443", "127.0.0.1:9000", "[::1]:9000"];
        let listeners = listeners.map(|address| address.parse().unwrap());
        for (local, listener) in [
            ("192.0.2.1:80", Some(1)),
            ("192.0.2.2:80", Some(0)),
            ("[::ffff:192.0.2.1]:80", Some(1)),
            ("[2001:db8::1]:80", Some(2)),
            ("[2001:db8::1]:443", Some(3)),
            ("[::ffff:192.0.2.1]:443", Some(3)),
            ("127.0.0.1:9000", Some(4)),
            ("[::1]:9000", Some(5)),
            ("192.0.2.1:9000", None),
            ("192.0.2.1:81", None),
        ] {
            assert_eq!(listener_of(listeners.into_iter(), local.parse().unwrap()), listener, "{local}");
        }
    }
}
