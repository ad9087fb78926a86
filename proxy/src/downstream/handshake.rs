//! The handshake of TLS, before a connection has a request.
//!
//! Decides: with which listener's certificate, and how long it may take. Pingora's listener would do it, but builds its settings
//! itself: without tickets, and with one certificate for as long as it lives.

use super::endpoints::Endpoints;
use async_trait::async_trait;
use pingora::apps::ServerApp;
use pingora::listeners::tls::Acceptor;
use pingora::protocols::{GetSocketDigest, Stream, l4};
use pingora::server::ShutdownWatch;
use std::sync::Arc;
use std::time::Duration;

/// Serves what clients of TLS send, and those of listeners without it.
pub struct Secured<A> {
    app: Arc<A>,
    endpoints: Arc<Endpoints>,
    /// For the whole handshake.
    limit: Duration,
}

impl<A> Secured<A> {
    /// The same app, on connections that a handshake made safe where their listener asks for one.
    pub(super) fn new(app: A, endpoints: &Arc<Endpoints>, limit: Duration) -> Self {
        Self { app: Arc::new(app), endpoints: Arc::clone(endpoints), limit }
    }

    /// The connection as its listener speaks; `None` when it is done.
    async fn secure(&self, stream: Stream) -> Option<Stream> {
        // Every listener hands on this type.
        let plain = stream.into_any().downcast::<l4::stream::Stream>().ok()?;
        let digest = plain.get_socket_digest();
        let local = digest.as_ref().and_then(|digest| digest.local_addr()?.as_inet());
        let Some(tls) = local.and_then(|local| self.endpoints.accepted(*local)) else {
            tracing::error!(?local, "no listener has the address of a connection; closing it");
            return None;
        };
        let Some((certificate, speaks_http2)) = tls else { return Some(plain) };
        let acceptor = Acceptor::from_server_config(certificate.server_config(*speaks_http2));
        let handshake = tokio::time::timeout(self.limit, Box::pin(acceptor.tls_handshake(*plain)));
        match handshake.await {
            Ok(Ok(secured)) => return Some(Box::new(secured)),
            // A load balancer that probes the port, or a client that knows other versions: nothing that an operator can act on.
            Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
            Err(_) => tracing::debug!("TLS handshake not finished in time"),
        }
        None
    }
}

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> ServerApp for Secured<A> {
    async fn process_new(self: &Arc<Self>, stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let stream = self.secure(stream).await?;
        self.app.process_new(stream, shutdown).await
    }

    async fn cleanup(&self) {
        self.app.cleanup().await;
    }
}
