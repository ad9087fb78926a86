//! What handshakes with one certificate need: its key, the versions of TLS, and the key of its sessions' tickets.
//!
//! A session belongs to the certificate that it began with. When that is replaced, no client can resume it, so that every client sees the
//! new one.

use super::TlsError;
use super::cryptography::current;
use rustls::ServerConfig;
use rustls::crypto::ring::Ticketer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use std::sync::Arc;

/// The protocols by their names in ALPN (RFC 7301 §6), the preferred one first.
const HTTP2: [&[u8]; 3] = [b"h2", b"http/1.1", b"http/1.0"];
/// A client of HTTP/1.0 may name only that, and a handshake without a common protocol fails (RFC 7301 §3.2).
const HTTP1: [&[u8]; 2] = [b"http/1.1", b"http/1.0"];

/// The settings of handshakes, for listeners with HTTP/2 and without. They share their sessions.
pub(super) struct Server {
    http2: Arc<ServerConfig>,
    http1: Arc<ServerConfig>,
}

impl Server {
    pub(super) fn new(certified: Arc<CertifiedKey>) -> Result<Self, TlsError> {
        let refused = |error: rustls::Error| TlsError::Settings { reason: error.to_string() };
        let builder = ServerConfig::builder_with_provider(current());
        let builder = builder.with_protocol_versions(rustls::ALL_VERSIONS).map_err(refused)?;
        let resolver = SingleCertAndKey::from(certified);
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(resolver));
        // The client keeps its session, sealed with a key that is replaced every six hours. Without tickets only the last 256 sessions
        // would be kept here, two for each connection with TLS 1.3. Clients of TLS 1.2 that know no tickets still get such a one.
        config.ticketer = Ticketer::new().map_err(refused)?;
        let speaking = |protocols: &[&[u8]]| {
            let mut config = config.clone();
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            Arc::new(config)
        };
        Ok(Self { http2: speaking(&HTTP2), http1: speaking(&HTTP1) })
    }

    pub(super) fn config(&self, speaks_http2: bool) -> Arc<ServerConfig> {
        Arc::clone(if speaks_http2 { &self.http2 } else { &self.http1 })
    }
}
