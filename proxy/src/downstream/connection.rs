//! A client's connection: how many there may be, and the requests on it, one after the other.
//!
//! A connection has one driver, from its first byte to its last: one of our own, or Pingora where the configuration says so. Over HTTP/1.1
//! each request's head is read here, within its limits, and the grammar judges it before the driver has it. HTTP/2 goes to its driver
//! unread.

use super::declines::Declines;
use super::head::{HeadLimits, NoHead, ended, read};
use super::http2::{H2Settings, PREFACE, unread};
use super::opened::{Accepts, Opened};
use super::places::Places;
use super::refusal::{refuse, refuse_head, reject};
use super::split::split_next;
use crate::config::{Config, Drivers, Limits};
use crate::drivers::budget::Budget;
use crate::drivers::http1::{After, Client, Http1Driver};
use crate::drivers::http2::Http2Driver;
use crate::drivers::pingora::PingoraDriver;
use crate::drivers::upstream::Forwarder;
use crate::exchange::{Count, Policy, Refusal};
use crate::upstream::Upstream;
use bytes::BytesMut;
use pingora::apps::{HttpPersistentSettings, HttpServerApp, ServerApp as _};
use pingora::protocols::http::ServerSession;
use pingora::protocols::{ALPN, Stream};
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use pingora::server::configuration::ServerConf;
use s3cors_http1::request_head::{Classified, Rejection, classify};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// How long the orderly end of a connection may take.
const END_LIMIT: Duration = Duration::from_secs(1);

/// Serves connections.
#[derive(Clone)]
pub struct ConnectionServer {
    proxy: Arc<H2Settings>,
    /// `None` where Pingora serves every connection.
    own: Option<OwnDrivers>,
    policy: Arc<Policy>,
    heads: Arc<Budget>,
    limits: Limits,
    open: Count,
    places: Places,
    declines: Declines,
}

/// Our own drivers.
#[derive(Clone)]
struct OwnDrivers {
    http1: Arc<Http1Driver>,
    http2: Arc<Http2Driver>,
}

impl OwnDrivers {
    fn new(policy: &Arc<Policy>, forwarder: &Forwarder) -> Self {
        let http1 = Arc::new(Http1Driver::new(Arc::clone(policy), forwarder.clone()));
        Self { http1, http2: Arc::new(Http2Driver::new(Arc::clone(policy), forwarder.clone())) }
    }
}

impl ConnectionServer {
    /// A server whose requests go where our own drivers forward them, or to this upstream on Pingora.
    #[must_use]
    pub fn new(
        conf: &Arc<ServerConf>,
        config: &Config,
        policy: Arc<Policy>,
        upstream: Arc<Upstream>,
        forwarder: &Forwarder,
    ) -> Self {
        let own = (config.drivers == Drivers::Own).then(|| OwnDrivers::new(&policy, forwarder));
        let driver = PingoraDriver::new(config, Arc::clone(&policy), upstream);
        let mut proxy = HttpProxy::new(driver, Arc::clone(conf));
        proxy.handle_init_modules();
        let proxy = Arc::new(H2Settings::new(Arc::new(proxy), &config.limits));
        let heads = Arc::new(Budget::new(config.limits.heads.0));
        let (open, places, declines) = (Count::default(), Places::default(), Declines::default());
        Self { proxy, own, policy, heads, limits: config.limits, open, places, declines }
    }

    /// The same server for listeners that speak HTTP/2 without TLS, too.
    #[must_use]
    pub fn with_h2c(&self) -> Self {
        Self { proxy: Arc::new(self.proxy.with_h2c()), ..self.clone() }
    }

    /// How many connections are open.
    #[must_use]
    pub const fn open(&self) -> &Count {
        &self.open
    }

    /// The heads that the grammar rejected.
    #[must_use]
    pub const fn declines(&self) -> &Declines {
        &self.declines
    }

    /// Serves requests one after the other. `None` when the connection is done; the connection with what was read of it when the
    /// client has begun with HTTP/2, where that is allowed without TLS.
    async fn serve_http1(&self, stream: Stream, opened: &mut Opened, shutdown: &ShutdownWatch) -> Option<Stream> {
        let limits = HeadLimits::from(&self.limits);
        let is_h2c = self.proxy.is_h2c() && stream.get_ssl_digest().is_none();
        let mut client = Client::new(stream, &self.policy);
        let mut ending = pin!(ended(shutdown.clone()));
        let mut settings: Option<HttpPersistentSettings> = None;
        let (mut fresh, mut ahead) = (Some(opened.at), BytesMut::new());
        loop {
            let waiting = std::mem::take(&mut ahead);
            let place = &mut opened.place;
            let head = read(&mut client, waiting, &limits, &self.heads, fresh, ending.as_mut(), place).await;
            if fresh.is_some() && is_h2c && head.as_ref().is_ok_and(|head| head.starts_with(PREFACE)) {
                return unread(client.stream, &head.ok()?);
            }
            place.set_busy();
            let mut head = match head {
                Ok(head) => head,
                Err(NoHead::Closed) => return None,
                Err(NoHead::Refused(refusal, head)) => {
                    Box::pin(refuse_head(&mut client, &self.policy, refusal, &head)).await;
                    return None;
                }
                Err(NoHead::Rejected(rejection, head)) => {
                    return Box::pin(self.reject(&mut client, rejection, &head)).await;
                }
            };
            fresh = None;
            if let Some(own) = &self.own {
                ahead = Box::pin(self.serve_own(&own.http1, &mut client, head, shutdown)).await?;
                continue;
            }
            ahead = match split_next(&mut head) {
                Ok(next) => next,
                Err(rejection) => return Box::pin(self.reject(&mut client, rejection, &head)).await,
            };
            let served = self.serve_on_pingora(client.stream, head, settings.take(), shutdown);
            (client.stream, settings) = Box::pin(served).await?;
        }
    }

    /// Rejects a request, and with it the connection.
    async fn reject<T>(&self, client: &mut Client, rejection: Rejection, head: &[u8]) -> Option<T> {
        self.declines.count(rejection);
        reject(client, &self.policy, rejection, head).await;
        None
    }

    /// Serves a request with our own driver. Returns what came of the next request; `None` when the connection is done.
    async fn serve_own(
        &self,
        driver: &Http1Driver,
        client: &mut Client,
        mut head: BytesMut,
        shutdown: &ShutdownWatch,
    ) -> Option<BytesMut> {
        let request = match classify(&head) {
            Classified::Head(request) => request,
            Classified::Rejected(rejection) => return Box::pin(self.reject(client, rejection, &head)).await,
            // An empty line ends every head: the grammar would have found it.
            Classified::Incomplete => return Box::pin(self.reject(client, Rejection::RequestLine, &head)).await,
        };
        let length = request.bytes().len();
        let rest = head.get(length..).unwrap_or_default();
        match driver.serve(client, &request, rest, shutdown).await {
            After::Closed { is_whole } => {
                if is_whole {
                    end(&mut client.stream).await;
                }
                None
            }
            After::Open { consumed, ahead } => {
                let mut next = head.split_off((length + consumed).min(head.len()));
                if next.is_empty() {
                    next = ahead;
                } else {
                    next.extend_from_slice(&ahead);
                }
                Some(next)
            }
        }
    }

    /// Serves a request on Pingora, and returns the connection where it can be used again.
    async fn serve_on_pingora(
        &self,
        stream: Stream,
        head: BytesMut,
        settings: Option<HttpPersistentSettings>,
        shutdown: &ShutdownWatch,
    ) -> Option<(Stream, Option<HttpPersistentSettings>)> {
        let mut session = ServerSession::new_http1(stream);
        if let Some(settings) = settings {
            settings.apply_to_session(&mut session);
        }
        let keepalive = (!*shutdown.borrow()).then(|| self.limits.idle.as_secs().max(1));
        session.set_keepalive(keepalive);
        session.set_pipelined_prefix(head);
        Some(self.proxy.process_new_http(session, shutdown).await?.consume())
    }
}

/// Ends a connection in order: over TLS the client is told that nothing is missing (RFC 8446 §6.1).
async fn end(stream: &mut Stream) {
    use tokio::io::AsyncWriteExt;
    // A client that is gone needs no farewell.
    let _ = tokio::time::timeout(END_LIMIT, stream.shutdown()).await;
}

impl Accepts for ConnectionServer {
    fn enter(&self) -> Option<Opened> {
        Opened::enter(&self.open, &self.places, self.limits.connections)
    }

    async fn serve(self: Arc<Self>, mut stream: Stream, mut opened: Opened, shutdown: ShutdownWatch) {
        if opened.is_refused {
            return Box::pin(refuse(&mut stream, &self.policy, Refusal::TooManyConnections)).await;
        }
        let next = if matches!(stream.selected_alpn_proto(), Some(ALPN::H2)) {
            Some(stream)
        } else {
            self.serve_http1(stream, &mut opened, &shutdown).await
        };
        match (next, &self.own) {
            (Some(stream), Some(own)) => {
                let options = self.proxy.options();
                Box::pin(own.http2.serve(stream, &options, shutdown, &mut opened.place)).await;
            }
            (Some(stream), None) => {
                // Pingora does not say when such a connection waits.
                opened.place.set_busy();
                drop(Box::pin(self.proxy.process_new(stream, &shutdown)).await);
            }
            (None, _) => {}
        }
    }

    async fn cleanup(&self) {
        self.proxy.cleanup().await;
    }
}
