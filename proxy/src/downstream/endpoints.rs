//! Which listener accepted a connection, told by the address that the client reached.

use crate::config::{Listener, listener_of};
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
