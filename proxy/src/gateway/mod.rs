//! The proxy: one `ProxyHttp`, whose phases are one file each and know headers and the context, not the session.
//!
//! Decides: nothing about CORS, that is the engine's; only what is done with a verdict.

mod answer;
mod body;
mod connections;
mod context;
mod counted;
mod doctor;
mod failure;
mod framing;
mod head;
mod logging;
mod preflight;
mod protocols;
mod refusal;
mod request;
mod response;

pub use connections::Front;

use crate::config::{Config, Cors, Domain, Limits, UpstreamHost};
use crate::s3::identity::HostId;
use crate::telemetry::{Metrics, Rules, UpstreamErrorKind};
use crate::upstream::Upstreams;
use answer::Answer;
use async_trait::async_trait;
use bytes::Bytes;
use context::Context;
use doctor::Doctor;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::prelude::*;
use pingora::proxy::FailToProxy;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What every request needs.
pub struct Gateway {
    rules: Arc<Rules>,
    upstreams: Arc<Upstreams>,
    upstream_host: UpstreamHost,
    doctor: Doctor,
    metrics: Arc<Metrics>,
    domains: Vec<Domain>,
    cors: Cors,
    limits: Limits,
    access_log: bool,
    host_id: HostId,
}

impl Gateway {
    /// Puts the parts together.
    #[must_use]
    pub fn new(config: &Config, rules: Arc<Rules>, upstreams: Arc<Upstreams>, metrics: Arc<Metrics>) -> Self {
        Self {
            rules,
            upstreams,
            upstream_host: config.upstream_host.clone(),
            doctor: Doctor::default(),
            metrics,
            domains: config.domains.clone(),
            cors: config.cors,
            limits: config.limits,
            access_log: config.log.access,
            host_id: HostId::random(),
        }
    }

    async fn send(&self, session: &mut Session, answer: Answer) -> Result<()> {
        let Answer { head, body } = answer;
        let is_head = session.req_header().method == http::Method::HEAD;
        // Past the session's modules, of which there are none.
        let client = session.as_downstream_mut();
        client.write_response_header(Box::new(head)).await?;
        if !body.is_empty() && !is_head {
            Box::pin(client.write_response_body(body, true)).await?;
        } else if client.is_http2() {
            // A head does not end its stream there, and after a failure Pingora does not either: it resets the stream, and the
            // client drops an answer that was complete.
            Box::pin(client.finish_body()).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl ProxyHttp for Gateway {
    /// Boxed: Pingora copies the future of a request, and the context with it, several times.
    type CTX = Box<Context>;

    fn new_ctx(&self) -> Box<Context> {
        Box::new(Context::new(&self.metrics.http.in_flight))
    }

    /// Nothing may touch a body: not even the compression module that Pingora adds, switched off, by default.
    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    async fn early_request_filter(&self, session: &mut Session, ctx: &mut Box<Context>) -> Result<()> {
        session.set_read_timeout(Some(self.limits.body_read));
        session.set_write_timeout(Some(self.limits.body_write));
        ctx.keepalive = session.get_keepalive();
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, ctx: &mut Box<Context>) -> Result<bool> {
        self.classify(session.req_header(), ctx);
        let request = session.req_header();
        if framing::is_ambiguous(&request.headers) || request::has_invalid_host(request) {
            return Error::err_down(ErrorType::InvalidHTTPHeader);
        }
        let Some(answer) = self.own_answer(session.req_header(), ctx) else { return Ok(false) };
        // Boxed, so that the future of a request that is forwarded does not carry (and copy) the state of an answer.
        Box::pin(self.send(session, answer)).await?;
        Ok(true)
    }

    async fn upstream_peer(&self, _: &mut Session, ctx: &mut Box<Context>) -> Result<Box<HttpPeer>> {
        let turn = *ctx.turn.get_or_insert_with(|| self.upstreams.turn());
        // A second try counts against no address.
        ctx.upstream = None;
        let Some(peer) = self.upstreams.peer(turn) else {
            return Error::e_explain(failure::UNRESOLVED, "no upstream's name has resolved");
        };
        ctx.upstream_started = Some(Instant::now());
        let http = Box::new(peer.http().clone());
        ctx.upstream = Some(peer);
        Ok(http)
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        request: &mut RequestHeader,
        _: &mut Box<Context>,
    ) -> Result<()> {
        request::set_host(request, &self.upstream_host)
    }

    async fn request_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        end_of_stream: bool,
        _: &mut Box<Context>,
    ) -> Result<()> {
        body::end_once(body, end_of_stream);
        Ok(())
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        ctx: &mut Box<Context>,
    ) -> Result<()> {
        // 100 and 103 come through here too: they are not the answer.
        if head.status.is_informational() {
            return Ok(());
        }
        ctx.upstream_answered();
        if let Some(peer) = &ctx.upstream {
            self.upstreams.reached(peer);
        }
        ctx.may_be_mismatch = doctor::may_be_mismatch(head.status);
        self.rewrite(head, ctx);
        // A forwarded 100 Continue makes Pingora give up keep-alive, because the body is not finished then; once it is, the
        // client's own wish holds again. A refusal in mid-upload still closes.
        if session.is_body_done() && !session.is_process_shutting_down() {
            session.set_keepalive(ctx.keepalive);
        }
        Ok(())
    }

    fn response_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        _: bool,
        ctx: &mut Box<Context>,
    ) -> Result<Option<Duration>> {
        if ctx.may_be_mismatch
            && let Some(bytes) = body.as_deref().filter(|bytes| !bytes.is_empty())
        {
            ctx.may_be_mismatch = false;
            self.examine(bytes, session.req_header(), ctx);
        }
        Ok(None)
    }

    fn fail_to_connect(
        &self,
        _: &mut Session,
        peer: &HttpPeer,
        ctx: &mut Box<Context>,
        error: Box<Error>,
    ) -> Box<Error> {
        if let Some(peer) = &ctx.upstream {
            self.upstreams.unreachable(peer);
        }
        let mut error = error.more_context(format!("peer {peer}"));
        // Nothing was sent, so the next address may be tried, whatever the method. Only this moves on to it: a kept connection
        // that turned out closed says nothing against its address.
        ctx.turn = ctx.turn.map(|turn| turn.wrapping_add(1));
        ctx.unreachable += 1;
        error.set_retry(ctx.unreachable < self.upstreams.len());
        error
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &Error, ctx: &mut Box<Context>) -> FailToProxy {
        let failure = failure::Failure::of(error, session.is_body_done());
        if let Some(kind) = failure.upstream {
            self.metrics.http.upstream_error(kind);
        }
        self.log_failure(session.req_header(), error, failure.upstream.map(UpstreamErrorKind::as_str), ctx);
        let is_unanswered = session.response_written().is_none_or(|head| head.status.is_informational());
        if failure.status.is_some() && is_unanswered {
            session.set_keepalive(None);
            if let Err(error) = self.send(session, self.failure_page(&failure, ctx)).await {
                tracing::debug!(%error, "the client had gone before it could be told");
            }
        }
        FailToProxy { error_code: failure.status.map_or(0, |status| status.as_u16()), can_reuse_downstream: false }
    }

    async fn logging(&self, session: &mut Session, _: Option<&Error>, ctx: &mut Box<Context>) {
        self.count_and_log(session, ctx);
    }

    /// The library's own line about a failure is not wanted: `log_failure` writes one that is known to hold no secret.
    fn suppress_error_log(&self, _: &Session, _: &Box<Context>, _: &Error) -> bool {
        true
    }

    /// Without the query, where a presigned URL carries its signature.
    fn request_summary(&self, session: &Session, ctx: &Box<Context>) -> String {
        summary(session.req_header(), ctx)
    }
}

fn summary(request: &RequestHeader, ctx: &Context) -> String {
    format!(
        "{} {} {}",
        ctx.id.as_str(),
        request.method,
        crate::telemetry::log::printable(request.uri.path().as_bytes())
    )
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
