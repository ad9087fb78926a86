//! A client's connection: how many there may be, and the requests on it, one after the other.
//!
//! Over HTTP/1.1 each request's head is read here, within its limits, and handed to the driver. HTTP/2 goes to Pingora as it is.

use super::head::{HeadLimits, NoHead, read};
use super::http2::{H2Settings, PREFACE, unread};
use super::refusal::refuse;
use crate::config::{Config, Limits};
use crate::drivers::pingora::PingoraDriver;
use crate::exchange::{Count, Exchange, Refusal};
use crate::upstream::Upstreams;
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
pub struct ConnectionServer {
    proxy: Arc<H2Settings>,
    exchange: Arc<Exchange>,
    limits: Limits,
    open: Count,
}

impl ConnectionServer {
    /// A server whose requests go to these upstreams.
    #[must_use]
    pub fn new(conf: &Arc<ServerConf>, config: &Config, exchange: Arc<Exchange>, upstreams: Arc<Upstreams>) -> Self {
        let driver = PingoraDriver::new(config, Arc::clone(&exchange), upstreams);
        let mut proxy = HttpProxy::new(driver, Arc::clone(conf));
        proxy.handle_init_modules();
        let proxy = Arc::new(H2Settings::new(Arc::new(proxy), config.limits.idle));
        Self { proxy, exchange, limits: config.limits, open: Count::default() }
    }

    /// The same server for listeners that speak HTTP/2 without TLS, too.
    #[must_use]
    pub fn with_h2c(&self) -> Self {
        Self {
            proxy: Arc::new(self.proxy.with_h2c()),
            exchange: Arc::clone(&self.exchange),
            limits: self.limits,
            open: self.open.clone(),
        }
    }

    /// How many connections are open.
    #[must_use]
    pub const fn open(&self) -> &Count {
        &self.open
    }

    /// Serves requests one after the other. `None` when the connection is done; the connection with what was read of it when the
    /// client has begun with HTTP/2, where that is allowed without TLS.
    async fn serve_http1(&self, mut stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let opened = Instant::now();
        let limits = HeadLimits::from(&self.limits);
        let is_h2c = self.proxy.is_h2c() && stream.get_ssl_digest().is_none();
        let mut ending = shutdown.clone();
        let mut settings: Option<HttpPersistentSettings> = None;
        loop {
            let fresh = settings.is_none().then_some(opened);
            let head = match read(&mut stream, &limits, fresh, &mut ending).await {
                Ok(head) => head,
                Err(NoHead::Closed) => return None,
                Err(NoHead::Refused(refusal)) => {
                    refuse(&mut stream, &self.exchange, refusal).await;
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
impl ServerApp for ConnectionServer {
    async fn process_new(self: &Arc<Self>, mut stream: Stream, shutdown: &ShutdownWatch) -> Option<Stream> {
        let open = self.open.enter();
        if open.count() > self.limits.connections {
            refuse(&mut stream, &self.exchange, Refusal::TooManyConnections).await;
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
