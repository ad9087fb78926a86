//! The protocols of a listener.

use crate::config::Listener;
use crate::tls::{Certificates, LiveCertificate, TlsError};
use std::sync::Arc;

/// The protocols of a listener.
pub(super) struct ListenerProtocols {
    /// The certificate of a listener with TLS, and whether it speaks HTTP/2 too.
    pub(super) tls: Option<(Arc<LiveCertificate>, bool)>,
    /// Set if the PROXY protocol comes first.
    pub(super) is_proxied: bool,
}

impl ListenerProtocols {
    pub(super) fn new(listener: &Listener, certificates: &mut Certificates) -> Result<Self, TlsError> {
        let certificate = listener.tls.as_ref().map(|files| certificates.of(files)).transpose()?;
        let tls = certificate.map(|certificate| (certificate, listener.http2));
        Ok(Self { tls, is_proxied: listener.proxy_protocol })
    }
}
