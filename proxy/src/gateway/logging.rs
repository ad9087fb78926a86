//! The end of a request: what is counted and what is logged, once, from the context.

use super::context::Context;
use super::{Gateway, seconds};
use crate::telemetry::log::{Access, printable};
use crate::telemetry::{Decision, Kind, Served};
use http::header::ORIGIN;
use pingora::proxy::Session;
use s3_cors::{RequestKind, Verdict};

/// The status of a request whose client had gone before there was one, as nginx has it.
const CLIENT_GONE: u16 = 499;

impl Gateway {
    pub(super) fn count_and_log(&self, session: &Session, ctx: &Context) {
        let request = session.req_header();
        let status = session.response_written().map_or(CLIENT_GONE, |head| head.status.as_u16());
        let served = Served {
            method: request.method.as_str(),
            code: status,
            duration: ctx.started.elapsed(),
            request_bytes: session.body_bytes_read(),
            response_bytes: session.body_bytes_sent(),
            upstream: ctx.upstream_time,
        };
        self.metrics.http.served(&served);
        if ctx.kind == RequestKind::Preflight {
            self.metrics.http.preflight.observe(seconds(served.duration));
        }
        let origin = request.headers.get(ORIGIN).map(http::HeaderValue::as_bytes);
        if let Some(bucket) = &ctx.bucket {
            let kind = if ctx.kind == RequestKind::Preflight { Kind::Preflight } else { Kind::Actual };
            bucket.prepared.count(kind, &ctx.verdict, origin);
        }
        if self.access_log && Access::wanted() {
            self.log_access(session, ctx, &served, origin);
        }
    }

    fn log_access(&self, session: &Session, ctx: &Context, served: &Served<'_>, origin: Option<&[u8]>) {
        let decision = Decision::of(&ctx.verdict);
        let rule = match &ctx.verdict {
            Verdict::Granted(grant) => Some(grant.rule().name()),
            _ => None,
        };
        Access {
            request_id: ctx.id.as_str(),
            client: &session.client_addr().map(ToString::to_string).unwrap_or_default(),
            method: &printable(served.method.as_bytes()),
            bucket: ctx.bucket.as_ref().map_or("", |bucket| &bucket.label),
            path: &printable(session.req_header().uri.path().as_bytes()),
            status: served.code,
            bytes: served.response_bytes,
            duration: seconds(served.duration),
            upstream_time: served.upstream.map(seconds),
            origin: origin.map(printable).as_deref(),
            cors: decision.map(Decision::outcome),
            reason: decision.map(Decision::reason),
            rule: rule.map(|rule| printable(rule.as_bytes()).into_owned()).as_deref(),
        }
        .write();
    }
}
