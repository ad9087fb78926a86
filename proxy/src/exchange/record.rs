//! The end of an exchange: what is counted and what is logged, once, from the context.

use super::head::RequestHead;
use super::short_text::ShortText;
use super::{Context, Exchange};
use crate::observe::Denied;
use crate::s3;
use crate::s3::address::NamedBucket;
use crate::s3::operation::COPY_SOURCE;
use crate::telemetry::{Access, AccessLog, Served, printable};
use http::Version;
use http::header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use s3_cors::{Outcome, Reason, RequestKind};
use std::time::{Duration, SystemTime};

/// The status of a request whose client had gone before there was one, as nginx has it.
pub const CLIENT_GONE: u16 = 499;

/// What the driver knows at the end of an exchange.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// The status that the client saw, or [`CLIENT_GONE`].
    pub status: u16,
    /// Body bytes from the client.
    pub request_bytes: usize,
    /// Body bytes to the client.
    pub response_bytes: usize,
}

impl Exchange {
    /// Counts and logs an exchange that has ended.
    pub fn record(&self, head: &impl RequestHead, ctx: &Context, ended: &Ended) {
        if ctx.is_health_check {
            return;
        }
        let served = self.count(head.method(), ctx, ended);
        self.metrics.buckets.count(ctx.label(), &ctx.decision);
        if let Some(outcome) = ctx.decision.outcome().filter(|outcome| is_denial(*outcome, ctx.decision.kind)) {
            self.record_denial(head, ctx, outcome);
        }
        if let Some(log) = &self.access_log {
            log_access(log, head, ctx, &served);
        }
    }

    fn record_denial(&self, head: &impl RequestHead, ctx: &Context, outcome: Outcome) {
        let address = self.address(head, ctx.bucket_host.as_deref());
        let asked = head
            .lines()
            .filter(|(name, _)| name.eq_ignore_ascii_case(ACCESS_CONTROL_REQUEST_METHOD.as_str().as_bytes()));
        let denied = Denied {
            at: SystemTime::now(),
            request_id: ctx.request_id(),
            upstream_request_id: ctx.upstream_id.as_ref().map(ShortText::as_str),
            label: ctx.label(),
            bucket: address.bucket.name(),
            is_ambiguous: address.bucket == NamedBucket::Ambiguous,
            kind: ctx.decision.kind,
            path: head.path(),
            origin: head.value(ORIGIN.as_str()).unwrap_or_default(),
            method: asked
                .map(|(_, method)| method)
                .find(|method| !method.is_empty())
                .unwrap_or(head.method().as_bytes()),
            request_headers: head.value(ACCESS_CONTROL_REQUEST_HEADERS.as_str()),
            is_whole: true,
            reason: ctx.decision.reason(),
            detail: ctx.decision.detail(),
        };
        // Where there are no rules, no one is turned away by them.
        if outcome == Outcome::Denied {
            self.rejections.count(&denied);
        }
        if let Some(recent) = &self.recent_denials {
            recent.keep(&denied);
        }
    }

    /// Counts a connection that was refused before there was a request.
    pub fn record_refusal(&self, ctx: &Context, ended: &Ended) {
        self.count("", ctx, ended);
    }

    fn count<'r>(&self, method: &'r str, ctx: &Context, ended: &Ended) -> Served<'r> {
        let served = Served {
            method,
            code: ended.status,
            duration: ctx.started.elapsed(),
            request_bytes: ended.request_bytes,
            response_bytes: ended.response_bytes,
            upstream: ctx.upstream_time,
        };
        self.metrics.http.served(&served);
        if let Some(result) = ctx.by_get {
            self.metrics.http.presigned_head(result);
        }
        if ctx.decision.kind == RequestKind::Preflight {
            self.metrics.http.preflight.observe(seconds(served.duration));
        }
        served
    }
}

/// Whether someone can ask why this response is as it is. A preflight gets 403 also for a bucket without rules.
fn is_denial(outcome: Outcome, kind: RequestKind) -> bool {
    match outcome {
        Outcome::Denied => true,
        Outcome::NoRules => kind == RequestKind::Preflight,
        _ => false,
    }
}

fn log_access(log: &AccessLog, head: &impl RequestHead, ctx: &Context, served: &Served<'_>) {
    let outcome = ctx.decision.outcome();
    log.write(&Access {
        request_id: ctx.request_id(),
        client: ctx.client,
        protocol: protocol(head.version()),
        tls: ctx.tls,
        method: &printable(served.method.as_bytes()),
        operation: operation(head, ctx),
        bucket: ctx.label(),
        path: &printable(head.path().as_bytes()),
        status: served.code,
        bytes: served.response_bytes,
        duration: seconds(served.duration),
        upstream: ctx.upstream,
        upstream_time: served.upstream.map(seconds),
        upstream_request_id: ctx.upstream_id.as_ref().map(ShortText::as_str),
        origin: head.value("origin").map(printable).as_deref(),
        cors: outcome.map(Outcome::as_str),
        reason: outcome.map(|_| ctx.decision.reason()).map(Reason::as_str),
        detail: ctx.decision.detail().map(|detail| printable(detail.as_bytes())).as_deref(),
        rule: ctx.decision.rule().map(|rule| printable(rule.name().as_bytes())).as_deref(),
    });
}

/// The protocol, as nginx writes it.
fn protocol(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_10 => Some("HTTP/1.0"),
        Version::HTTP_11 => Some("HTTP/1.1"),
        Version::HTTP_2 => Some("HTTP/2.0"),
        _ => None,
    }
}

fn operation(head: &impl RequestHead, ctx: &Context) -> Option<&'static str> {
    s3::operation::operation(head.method(), ctx.scope?, head.query(), || head.value(COPY_SOURCE).is_some())
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}
