//! A client's connection: how many there may be, and the requests on it, one after the other.
//!
//! Over HTTP/1.1 each request's head is read here, within its limits, and handed to Pingora; this is also where a faster path for
//! plain preflights would branch off. HTTP/2 goes to Pingora as it is.

use super::Gateway;
use super::counted::Counted;
use super::head::{HeadLimits, read};
use super::protocols::{PREFACE, Protocols, unread};
use super::refusal::Refusal;
use async_trait::async_trait;
use pingora::apps::{HttpPersistentSettings, HttpServerApp, ServerApp};
use pingora::protocols::http::ServerSession;
use pingora::protocols::{ALPN, Stream};
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use pingora::server::configuration::ServerConf;
use std::sync::Arc;
use tokio::time::Instant;

/// Serves connections.
pub struct Front {
    proxy: Arc<Protocols>,
    refusal: Arc<Refusal>,
    limits: HeadLimits,
    connections: i64,
}

impl Front {
    /// Puts the gateway on Pingora.
    #[must_use]
    pub fn new(conf: &Arc<ServerConf>, gateway: Gateway) -> Self {
        let refusal = Arc::new(Refusal::new(&gateway));
        let limits = gateway.limits;
        let mut proxy = HttpProxy::new(gateway, Arc::clone(conf));
        proxy.handle_init_modules();
        Self {
            proxy: Arc::new(Protocols::new(Arc::new(proxy), limits.idle)),
            refusal,
            limits: HeadLimits { time: limits.header_read, idle: limits.idle, size: limits.header_size.0 },
            connections: i64::try_from(limits.connections).unwrap_or(i64::MAX),
        }
    }

    /// The same proxy for listeners that speak HTTP/2 without TLS, too.
    #[must_use]
    pub fn with_h2c(&self) -> Self {
        let (proxy, refusal) = (Arc::new(self.proxy.with_h2c()), Arc::clone(&self.refusal));
        Self { proxy, refusal, ..*self }
    }

    /// Serves requests one after the other; `None` when the connection is done, or the connection with what was read of it when
    /// the client has begun with HTTP/2, where that is allowed without TLS.
    async fn serve_http1(&self, mut stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let opened = Instant::now();
        let is_h2c = self.proxy.is_h2c() && stream.get_ssl_digest().is_none();
        let mut ending = shutdown.clone();
        let mut settings: Option<HttpPersistentSettings> = None;
        loop {
            let fresh = settings.is_none().then_some(opened);
            let head = match read(&mut stream, &self.limits, fresh, &mut ending).await {
                Ok(head) => head,
                Err(reason) => {
                    self.refusal.say(&mut stream, reason).await;
                    return None;
                }
            };
            if fresh.is_some() && is_h2c && head.starts_with(PREFACE) {
                return unread(stream, &head);
            }
            let mut session = ServerSession::new_http1(stream);
            if let Some(settings) = settings.take() {
                settings.apply_to_session(&mut session);
            }
            let keepalive = (!*shutdown.borrow()).then(|| self.limits.idle.as_secs().max(1));
            session.set_keepalive(keepalive);
            session.set_pipelined_prefix(head);
            (stream, settings) = self.proxy.process_new_http(session, shutdown).await?.consume();
        }
    }
}

#[async_trait]
impl ServerApp for Front {
    async fn process_new(self: &Arc<Self>, mut stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let open = Counted::new(&self.refusal.metrics.http.connections);
        if open.count() > self.connections {
            self.refusal.say_full(&mut stream).await;
            return None;
        }
        let http2 = if matches!(stream.selected_alpn_proto(), Some(ALPN::H2)) {
            stream
        } else {
            self.serve_http1(stream, shutdown).await?
        };
        self.proxy.process_new(http2, shutdown).await
    }

    async fn cleanup(&self) {
        self.proxy.cleanup().await;
    }
}
