//! The driver on Pingora's `HttpProxy`: a hook asks the exchange, or does what Pingora itself would do wrong.

mod body;
mod failure;
mod head;
mod phases;

use crate::config::{Config, Limits};
use crate::exchange::{Forward, Policy, Replying};
use crate::upstream::{Attempts, Upstream};
use async_trait::async_trait;
use bytes::Bytes;
use head::OwnedHead;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::prelude::*;
use pingora::proxy::FailToProxy;
use std::sync::Arc;
use std::time::Duration;

/// Drives exchanges on Pingora.
pub struct PingoraDriver {
    policy: Arc<Policy>,
    upstream: Arc<Upstream>,
    limits: Limits,
}

/// One exchange from hook to hook, with what this driver knows about it.
#[derive(Default)]
pub struct PingoraContext {
    stage: Stage,
    attempts: Attempts,
    /// The client's wish for its connection, in seconds; `None` is close.
    keepalive: Option<u64>,
}

/// The stage of the exchange.
#[derive(Default)]
enum Stage {
    /// Before the request was judged, or after the exchange was recorded.
    #[default]
    None,
    Forward(Forward<OwnedHead>),
    Reply(Replying<OwnedHead>),
}

impl PingoraDriver {
    /// A driver for this upstream.
    #[must_use]
    pub fn new(config: &Config, policy: Arc<Policy>, upstream: Arc<Upstream>) -> Self {
        Self { policy, upstream, limits: config.limits }
    }
}

#[async_trait]
impl ProxyHttp for PingoraDriver {
    /// Boxed: Pingora copies the future of a request, and the context with it, several times.
    type CTX = Box<PingoraContext>;

    fn new_ctx(&self) -> Box<PingoraContext> {
        Box::default()
    }

    /// Nothing may touch a body: not even the compression module that Pingora adds, switched off, by default.
    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    async fn early_request_filter(&self, session: &mut Session, ctx: &mut Box<PingoraContext>) -> Result<()> {
        self.set_limits(session, ctx)
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut Box<PingoraContext>) -> Result<bool> {
        self.judge(session, ctx).await
    }

    async fn upstream_peer(&self, _: &mut Session, ctx: &mut Box<PingoraContext>) -> Result<Box<HttpPeer>> {
        self.next_peer(ctx)
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        request: &mut RequestHeader,
        ctx: &mut Box<PingoraContext>,
    ) -> Result<()> {
        Self::edit_request(request, ctx)
    }

    async fn request_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        _: &mut Box<PingoraContext>,
    ) -> Result<()> {
        body::end_once(body, end_of_stream)
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        ctx: &mut Box<PingoraContext>,
    ) -> Result<()> {
        self.edit_response(session, head, ctx)
    }

    fn response_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        _: bool,
        ctx: &mut Box<PingoraContext>,
    ) -> Result<Option<Duration>> {
        Self::examine_body(body.as_deref(), ctx)
    }

    fn fail_to_connect(
        &self,
        _: &mut Session,
        peer: &HttpPeer,
        ctx: &mut Box<PingoraContext>,
        error: Box<Error>,
    ) -> Box<Error> {
        self.retry_elsewhere(peer, ctx, error)
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, ctx: &mut Box<PingoraContext>) -> FailToProxy {
        self.fail(session, error, ctx).await
    }

    async fn logging(&self, session: &mut Session, _: Option<&Error>, ctx: &mut Box<PingoraContext>) {
        Self::record(session, ctx);
    }

    /// Pingora's own line about a failure may hold bytes of the request: the exchange writes one that holds no secret.
    fn suppress_error_log(&self, _: &Session, _: &Box<PingoraContext>, _: &Error) -> bool {
        true
    }

    /// Without the query, where a presigned URL carries its signature.
    fn request_summary(&self, session: &Session, _: &Box<PingoraContext>) -> String {
        head::summary(session.req_header())
    }
}
