//! Which protocols a listener speaks, and how far an HTTP/2 client may go.

use crate::config::Limits;
use crate::drivers::http2::WINDOW;
use crate::drivers::pingora::PingoraDriver;
use async_trait::async_trait;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::{H2Options, default_h2_options};
use pingora::protocols::{Stream, l4};
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use std::sync::Arc;

/// The shortest limit that is announced for a head, in bytes as RFC 9113 §6.5.2 counts them. A shorter one is only ours: the `h2` crate
/// needs room for what is left of a head that is too large.
const MIN_HEADER_LIST: u32 = 16 * 1024;
/// Concurrent requests on one connection; more wait in the client. RFC 9113 §6.5.2 advises no less than 100.
const MAX_STREAMS: u32 = 256;
/// How many bytes of a response may wait on a stream for the client's window or the connection.
const SEND_BUFFER: usize = 64 * 1024;

/// The proxy with the HTTP/2 settings of one kind of listener. All kinds share the proxy, and with it the connections to upstreams.
pub(super) struct H2Settings {
    proxy: Arc<HttpProxy<PingoraDriver>>,
    options: HttpServerOptions,
    header_list: u32,
}

impl H2Settings {
    /// For listeners without HTTP/2, and for those with TLS, where ALPN decides. Pingora has no limits of its own.
    pub(super) fn new(proxy: Arc<HttpProxy<PingoraDriver>>, limits: &Limits) -> Self {
        let mut options = HttpServerOptions::default();
        options.h2_idle_timeout = Some(limits.idle);
        let header_list = u32::try_from(limits.header_size.0).unwrap_or(u32::MAX).max(MIN_HEADER_LIST);
        Self { proxy, options, header_list }
    }

    /// The same proxy for listeners that speak HTTP/2 without TLS to clients that begin with it (RFC 9113 §3.3).
    pub(super) fn with_h2c(&self) -> Self {
        let mut options = self.options.clone();
        options.h2c = true;
        Self { proxy: Arc::clone(&self.proxy), options, header_list: self.header_list }
    }
}

impl H2Settings {
    pub(super) const fn is_h2c(&self) -> bool {
        self.options.h2c
    }

    /// What a client may use, with either driver.
    ///
    /// Begins with Pingora's options, not with the `h2` crate's, which have no limit for heads and streams. The crate's own
    /// limits for resets stay: 20 streams that were reset before they were accepted end the connection (CVE-2023-44487).
    pub(super) fn options(&self) -> H2Options {
        let mut options = default_h2_options();
        options.max_header_list_size(self.header_list);
        options.max_concurrent_streams(MAX_STREAMS);
        options.initial_window_size(WINDOW);
        options.initial_connection_window_size(WINDOW);
        options.max_send_buffer_size(SEND_BUFFER);
        options
    }
}

/// How every HTTP/2 client begins (RFC 9113 §3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Puts bytes back that were read from a connection without TLS, to be read again. Every such connection is of the one type below,
/// so `None` does not happen.
pub(super) fn unread(stream: Stream, bytes: &[u8]) -> Option<Stream> {
    let mut plain = stream.into_any().downcast::<l4::stream::Stream>().ok()?;
    plain.rewind(bytes);
    Some(plain)
}

#[async_trait]
impl HttpServerApp for H2Settings {
    async fn process_new_http(
        self: &Arc<Self>,
        session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        self.proxy.process_new_http(session, shutdown).await
    }

    fn h2_options(&self) -> Option<H2Options> {
        Some(self.options())
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        Some(&self.options)
    }

    async fn http_cleanup(&self) {
        self.proxy.http_cleanup().await;
    }
}
