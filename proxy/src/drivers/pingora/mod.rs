//! The driver on Pingora's `HttpProxy`: a hook asks the exchange, or does what Pingora itself would do wrong.
//!
//! `drivers: pingora` gives it whole connections, and the tests compare our own drivers with it. Operations on a
//! bucket's CORS and a HEAD that is retried as GET are not among its features: the configuration rejects them with it.

mod body;
pub(super) mod failure;
mod head;
mod phases;

use crate::config::{Config, Limits};
use crate::exchange::{Context, Exchange, Peer};
use crate::upstream::{Attempts, Upstreams};
use async_trait::async_trait;
use bytes::Bytes;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::prelude::*;
use pingora::proxy::FailToProxy;
use std::sync::Arc;
use std::time::Duration;

/// Drives exchanges on Pingora.
pub struct PingoraDriver {
    exchange: Arc<Exchange>,
    upstreams: Arc<Upstreams>,
    limits: Limits,
}

/// One exchange, and what this driver knows about it.
pub struct Driven {
    exchange: Context,
    /// Known as soon as there is a request.
    peer: Option<Peer>,
    attempts: Attempts,
    /// The client's wish for its connection, in seconds; `None` is close.
    keepalive: Option<u64>,
}

impl Driven {
    fn new(exchange: Context) -> Self {
        Self { exchange, peer: None, attempts: Attempts::default(), keepalive: None }
    }
}

impl PingoraDriver {
    /// A driver for these upstreams.
    #[must_use]
    pub fn new(config: &Config, exchange: Arc<Exchange>, upstreams: Arc<Upstreams>) -> Self {
        Self { exchange, upstreams, limits: config.limits }
    }
}

#[async_trait]
impl ProxyHttp for PingoraDriver {
    /// Boxed: Pingora copies the future of a request, and the context with it, several times.
    type CTX = Box<Driven>;

    fn new_ctx(&self) -> Box<Driven> {
        Box::new(Driven::new(self.exchange.begin()))
    }

    /// Nothing may touch a body: not even the compression module that Pingora adds, switched off, by default.
    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    async fn early_request_filter(&self, session: &mut Session, driven: &mut Box<Driven>) -> Result<()> {
        self.set_limits(session, driven)
    }

    async fn request_filter(&self, session: &mut Session, driven: &mut Box<Driven>) -> Result<bool> {
        self.judge(session, driven).await
    }

    async fn upstream_peer(&self, _: &mut Session, driven: &mut Box<Driven>) -> Result<Box<HttpPeer>> {
        self.next_peer(driven)
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        driven: &mut Box<Driven>,
    ) -> Result<()> {
        self.edit_request(session, request, driven)
    }

    async fn request_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        _: &mut Box<Driven>,
    ) -> Result<()> {
        body::end_once(body, end_of_stream)
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        driven: &mut Box<Driven>,
    ) -> Result<()> {
        self.edit_response(session, head, driven)
    }

    fn response_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        _: bool,
        driven: &mut Box<Driven>,
    ) -> Result<Option<Duration>> {
        self.examine_body(session, body.as_deref(), driven)
    }

    fn fail_to_connect(
        &self,
        _: &mut Session,
        peer: &HttpPeer,
        driven: &mut Box<Driven>,
        error: Box<Error>,
    ) -> Box<Error> {
        self.retry_elsewhere(peer, driven, error)
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, driven: &mut Box<Driven>) -> FailToProxy {
        self.fail(session, error, driven).await
    }

    async fn logging(&self, session: &mut Session, _: Option<&Error>, driven: &mut Box<Driven>) {
        self.record(session, driven);
    }

    /// Pingora's own line about a failure may hold bytes of the request: the exchange writes one that holds no secret.
    fn suppress_error_log(&self, _: &Session, _: &Box<Driven>, _: &Error) -> bool {
        true
    }

    /// Without the query, where a presigned URL carries its signature.
    fn request_summary(&self, session: &Session, driven: &Box<Driven>) -> String {
        head::summary(session.req_header(), &driven.exchange)
    }
}
