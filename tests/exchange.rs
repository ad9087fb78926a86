//! An exchange from head to record, without a socket: the third driver beside those that move bytes.

use crate::support::rules::Rules;
use http::{HeaderMap, HeaderValue, StatusCode};
use s3_cors::{Outcome, Reason, RequestKind};
use s3cors_proxy::config::{Config, Flags};
use s3cors_proxy::exchange::{Ended, Exchange, Failure, Refusal, Reply, is_removed};
use s3cors_proxy::observe::Rejections;
use s3cors_proxy::rules::{Store, source_of};
use s3cors_proxy::telemetry::Metrics;
use std::sync::Arc;

const APP: &str = "https://app.example";
const EVIL: &str = "https://evil.example";

struct Scene {
    exchange: Exchange,
    metrics: Arc<Metrics>,
    rejections: Arc<Rejections>,
    _rules: Rules,
}

impl Scene {
    fn new() -> Self {
        let rules = Rules::usual();
        let flags = Flags {
            upstream: vec!["http://127.0.0.1:9000".parse().unwrap()],
            rules: Some(rules.path().to_owned()),
            ..Flags::default()
        };
        let config = Config::load(flags).unwrap();
        let store = Store::of(source_of(&config), config.cors.credentials.into()).unwrap();
        let (metrics, rejections) = (Arc::new(Metrics::new(10).unwrap()), Arc::new(Rejections::new(10)));
        metrics.buckets.prepare(store.live().all().map(|bucket| (&*bucket.label, bucket.rules.as_ref())));
        let exchange = Exchange::new(&config, Arc::new(store), Arc::clone(&rejections), Arc::clone(&metrics));
        Self { exchange, metrics, rejections, _rules: rules }
    }

    fn has_metric(&self, line: &str) -> bool {
        String::from_utf8(self.metrics.render().unwrap()).unwrap().lines().any(|each| each == line)
    }
}

fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> http::request::Parts {
    let mut request = http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

fn ended(status: StatusCode, response_bytes: usize) -> Ended {
    Ended { status: status.as_u16(), request_bytes: 0, response_bytes }
}

impl Scene {
    fn reply_headers(&self, reply: &Reply, ctx: &s3cors_proxy::exchange::Context) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let (mut lines, mut text) = (Vec::new(), String::new());
        self.exchange.reply_headers(reply, ctx, |name, value| {
            assert!(headers.insert(name, value.clone()).is_none(), "{name} twice");
            text += &format!("{name}: {}\r\n", value.to_str().unwrap());
        });
        self.exchange.write_reply_lines(reply, ctx, |bytes| lines.extend_from_slice(bytes));
        assert_eq!(String::from_utf8(lines).unwrap(), text, "lines say what the headers say");
        headers
    }
}

#[test]
fn a_preflight_is_replied_to_and_counted_without_an_upstream() {
    let scene = Scene::new();
    let request = head("OPTIONS", "/bucket/key", &[("origin", APP), ("access-control-request-method", "PUT")]);
    let mut ctx = scene.exchange.begin();
    let reply = scene
        .exchange
        .judge(&request, &scene.exchange.peer(None, false), &mut ctx)
        .expect("a preflight never reaches the upstream");
    assert_eq!((reply.status, reply.body.len(), reply.ends_connection), (StatusCode::OK, 0, false));
    let headers = scene.reply_headers(&reply, &ctx);
    assert_eq!(headers["access-control-allow-origin"], APP);
    assert_eq!(headers["content-length"], "0");
    assert_eq!(headers["vary"], "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
    assert_eq!((ctx.decision().kind, ctx.decision().reason()), (RequestKind::Preflight, Reason::None));
    assert_eq!(scene.exchange.in_flight().get(), 1);
    scene.exchange.record(&request, &ctx, &ended(reply.status, 0));
    drop(ctx);
    assert_eq!(scene.exchange.in_flight().get(), 0);
    let line = "s3cors_decisions_total{bucket=\"bucket\",kind=\"preflight\",outcome=\"allowed\",reason=\"none\"} 1";
    assert!(scene.has_metric(line));
    assert!(scene.has_metric("s3cors_rule_hits_total{bucket=\"bucket\",rule=\"app\"} 1"));
    assert!(scene.has_metric("s3cors_http_requests_total{code=\"200\",method=\"OPTIONS\"} 1"));
}

#[test]
fn a_denied_preflight_names_what_was_refused_and_is_a_rejection() {
    let scene = Scene::new();
    for (origin, method, headers, reason, detail) in [
        (EVIL, "PUT", "", Reason::Origin, EVIL),
        (APP, "DELETE", "", Reason::Method, "DELETE"),
        (APP, "PUT", "content-type,x-other", Reason::Header, "x-other"),
    ] {
        let lines = [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", headers),
        ];
        let request = head("OPTIONS", "/bucket/key", &lines);
        let mut ctx = scene.exchange.begin();
        let reply = scene.exchange.judge(&request, &scene.exchange.peer(None, false), &mut ctx).unwrap();
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        assert!(str::from_utf8(&reply.body).unwrap().contains("<Code>AccessForbidden</Code>"));
        let decision = ctx.decision();
        assert_eq!((decision.outcome(), decision.reason()), (Some(Outcome::Denied), reason));
        assert_eq!(decision.detail(), Some(detail));
        scene.exchange.record(&request, &ctx, &ended(reply.status, reply.body.len()));
    }
    let rejected = scene.rejections.top();
    let mut causes: Vec<_> =
        rejected.iter().map(|row| (&*row.origin, row.reason.as_str(), row.detail.as_deref(), row.count)).collect();
    causes.sort_unstable();
    let expected =
        [(APP, "header", Some("x-other"), 1), (APP, "method", Some("DELETE"), 1), (EVIL, "origin", Some(EVIL), 1)];
    assert_eq!(causes, expected);
    let mut series: Vec<_> = scene.rejections.series().into_iter().map(|row| (row.origin, row.count)).collect();
    series.sort_unstable();
    assert_eq!(series, [("_other".into(), 0), (APP.into(), 2), (EVIL.into(), 1)]);
}

#[test]
fn an_actual_request_goes_on_and_its_response_is_rewritten() {
    let scene = Scene::new();
    let request = head("GET", "/bucket/key", &[("origin", APP)]);
    let mut ctx = scene.exchange.begin();
    assert!(
        scene.exchange.judge(&request, &scene.exchange.peer(None, false), &mut ctx).is_none(),
        "it is the upstream's"
    );
    assert_eq!(scene.exchange.host_for_upstream(&ctx), None, "the client's Host is part of what it signs");
    ctx.sent_upstream(([127, 0, 0, 1], 9000).into());
    ctx.upstream_answered(StatusCode::OK);
    for (name, removed) in [("Access-Control-Allow-Origin", true), ("Vary", false), ("ETag", false)] {
        assert_eq!(is_removed(name.as_bytes()), removed, "{name}");
    }
    let mut added = HeaderMap::new();
    let vary = [&b"Accept-Encoding"[..]];
    scene.exchange.response_additions(&ctx, vary).for_each(|name, value: &HeaderValue| {
        added.append(name, value.clone());
    });
    assert_eq!(added["access-control-expose-headers"], "ETag");
    let vary = "Accept-Encoding, Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
    assert_eq!(added["vary"], vary);
    scene.exchange.record(&request, &ctx, &ended(StatusCode::OK, 4));
    assert!(scene.has_metric("s3cors_upstream_response_seconds_count{method=\"GET\"} 1"));
}

#[test]
fn a_failure_carries_the_decisions_headers_and_ends_the_connection() {
    let scene = Scene::new();
    let request = head("GET", "/bucket/key", &[("origin", APP)]);
    let mut ctx = scene.exchange.begin();
    assert!(scene.exchange.judge(&request, &scene.exchange.peer(None, false), &mut ctx).is_none());
    let reply = scene.exchange.fail(Failure::Unreachable, "ConnectRefused", &request, &ctx);
    assert_eq!((reply.status, reply.ends_connection), (StatusCode::BAD_GATEWAY, true));
    assert_eq!(scene.reply_headers(&reply, &ctx)["access-control-allow-origin"], APP);
    assert!(scene.has_metric("s3cors_upstream_errors_total{kind=\"connect\"} 1"));
}

#[test]
fn a_request_whose_length_is_ambiguous_is_refused_before_anyone_reads_a_body() {
    let scene = Scene::new();
    for (name, value) in [("content-length", "3, 3"), ("transfer-encoding", "gzip, chunked"), ("host", "a/b")] {
        let request = head("PUT", "/bucket/key", &[(name, value), ("origin", APP)]);
        let mut ctx = scene.exchange.begin();
        let reply = scene.exchange.judge(&request, &scene.exchange.peer(None, false), &mut ctx).unwrap();
        assert_eq!((reply.status, reply.ends_connection), (StatusCode::BAD_REQUEST, true), "{name}: {value}");
        assert_eq!(scene.reply_headers(&reply, &ctx)["access-control-allow-origin"], APP, "{name}: {value}");
    }
}

#[test]
fn a_connection_without_a_request_is_refused_in_s3s_words() {
    let scene = Scene::new();
    for (refusal, status, code) in [
        (Refusal::HeadTooSlow, 408, "RequestTimeout"),
        (Refusal::HeadTooLarge, 431, "RequestHeaderSectionTooLarge"),
        (Refusal::TooManyConnections, 503, "SlowDown"),
    ] {
        let ctx = scene.exchange.begin();
        let reply = scene.exchange.refusal(refusal, &ctx);
        assert_eq!((reply.status.as_u16(), reply.ends_connection), (status, true), "{refusal:?}");
        assert!(str::from_utf8(&reply.body).unwrap().contains(&format!("<Code>{code}</Code>")), "{refusal:?}");
    }
}
