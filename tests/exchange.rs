//! An exchange from head to record, without a socket: a driver that moves no bytes.

use crate::support::policy::Scene;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3_cors::{Outcome, Reason, RequestKind};
use s3cors_proxy::exchange::{Exchange, Failure, Forward, Judged, Refusal, Replying, Resend, ResponsePlan};

const APP: &str = "https://app.example";
const EVIL: &str = "https://evil.example";

fn head(method: &str, target: &str, headers: &[(&str, &str)]) -> http::request::Parts {
    let mut request = http::Request::builder().method(method).uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

type Parts = http::request::Parts;

fn begin(scene: &Scene, head: Parts) -> Box<Exchange<Parts>> {
    scene.policy.begin(head, scene.policy.peer(None, false, || None))
}

fn reply_to(exchange: Box<Exchange<Parts>>) -> Replying<Parts> {
    let Judged::Reply(reply) = exchange.judge() else { panic!("the proxy replies itself") };
    reply
}

fn forwarded(exchange: Box<Exchange<Parts>>) -> Forward<Parts> {
    let Judged::Forward(forward) = exchange.judge() else { panic!("it is the upstream's") };
    forward
}

fn headers(reply: &Replying<Parts>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    reply.for_each_header(&HeaderValue::from_static("today"), &mut |name: &HeaderName, value: &HeaderValue| {
        assert!(headers.insert(name, value.clone()).is_none(), "{name} twice");
    });
    headers
}

#[test]
fn a_preflight_is_replied_to_and_counted_without_an_upstream() {
    let scene = Scene::new();
    let request = head("OPTIONS", "/bucket/key", &[("origin", APP), ("access-control-request-method", "PUT")]);
    let reply = reply_to(begin(&scene, request));
    assert_eq!((reply.status(), reply.body().len(), reply.ends_connection()), (StatusCode::OK, 0, false));
    let headers = headers(&reply);
    assert_eq!(headers["access-control-allow-origin"], APP);
    assert_eq!(headers["content-length"], "0");
    assert_eq!(headers["date"], "today");
    assert_eq!(headers["vary"], "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
    assert_eq!((reply.decision().kind, reply.decision().reason()), (RequestKind::Preflight, Reason::None));
    assert_eq!(scene.policy.in_flight().get(), 1);
    reply.sent(0);
    assert_eq!(scene.policy.in_flight().get(), 0);
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
        let reply = reply_to(begin(&scene, head("OPTIONS", "/bucket/key", &lines)));
        assert_eq!(reply.status(), StatusCode::FORBIDDEN);
        let body = reply.body();
        assert!(str::from_utf8(&body).unwrap().contains("<Code>AccessForbidden</Code>"));
        let decision = reply.decision();
        assert_eq!((decision.outcome(), decision.reason()), (Some(Outcome::Denied), reason));
        assert_eq!(decision.detail(), Some(detail));
        reply.sent(body.len());
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
    let mut forward = forwarded(begin(&scene, head("GET", "/bucket/key", &[("origin", APP)])));
    assert_eq!(forward.request().host(), None, "the client's Host is part of what it signs");
    forward.connecting(([127, 0, 0, 1], 9000).into());
    let lines = [(&b"vary"[..], &b"Accept-Encoding"[..])];
    let plan = forward.response(StatusCode::OK, lines.into_iter(), None, Resend::default());
    let ResponsePlan::Relay(shown) = plan else { panic!("it is not asked again") };
    let edits = forward.edits(shown, [&b"Accept-Encoding"[..]]);
    for (name, removed) in [("Access-Control-Allow-Origin", true), ("Vary", true), ("ETag", false)] {
        assert_eq!(edits.removes(name.as_bytes()), removed, "{name}");
    }
    let mut added = HeaderMap::new();
    edits.for_each_header(&mut |name: &HeaderName, value: &HeaderValue| {
        added.append(name, value.clone());
    });
    assert_eq!(added["access-control-expose-headers"], "ETag");
    let vary = "Accept-Encoding, Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
    assert_eq!(added["vary"], vary);
    forward.tally().status = 200;
    drop(forward);
    assert!(scene.has_metric("s3cors_upstream_response_seconds_count{method=\"GET\"} 1"));
    assert!(scene.has_metric("s3cors_http_requests_total{code=\"200\",method=\"GET\"} 1"));
}

#[test]
fn an_exchange_that_is_dropped_in_the_middle_is_recorded_once() {
    let scene = Scene::new();
    drop(begin(&scene, head("GET", "/bucket/key", &[("origin", APP)])));
    drop(forwarded(begin(&scene, head("GET", "/bucket/key", &[("origin", APP)]))));
    drop(reply_to(begin(&scene, head("OPTIONS", "/bucket/key", &[]))));
    assert_eq!(scene.policy.in_flight().get(), 0);
    assert!(scene.has_metric("s3cors_http_requests_total{code=\"499\",method=\"GET\"} 2"), "its client was gone");
    assert!(scene.has_metric("s3cors_http_requests_total{code=\"499\",method=\"OPTIONS\"} 1"));
}

#[test]
fn a_failure_carries_the_decisions_headers_and_ends_the_connection() {
    let scene = Scene::new();
    let forward = forwarded(begin(&scene, head("GET", "/bucket/key", &[("origin", APP)])));
    let reply = forward.fail(Failure::Unreachable, false).expect("the client is there");
    assert_eq!((reply.status(), reply.ends_connection()), (StatusCode::BAD_GATEWAY, true));
    assert_eq!(headers(&reply)["access-control-allow-origin"], APP);
    assert!(scene.has_metric("s3cors_upstream_errors_total{kind=\"connect\"} 1"));
}

#[test]
fn no_one_gets_a_reply_who_is_gone_or_has_half_a_response() {
    let scene = Scene::new();
    for (failure, is_begun) in
        [(Failure::ClientGone, false), (Failure::ClientNotReading, true), (Failure::UpstreamClosed, true)]
    {
        let forward = forwarded(begin(&scene, head("GET", "/bucket/key", &[])));
        assert!(forward.fail(failure, is_begun).is_none(), "{failure:?}");
    }
    assert!(scene.has_metric("s3cors_upstream_errors_total{kind=\"reset\"} 1"));
}

#[test]
fn a_request_whose_length_is_ambiguous_is_refused_before_anyone_reads_a_body() {
    let scene = Scene::new();
    for (name, value) in [("content-length", "3, 3"), ("transfer-encoding", "gzip, chunked"), ("host", "a/b")] {
        let reply = reply_to(begin(&scene, head("PUT", "/bucket/key", &[(name, value), ("origin", APP)])));
        assert_eq!((reply.status(), reply.ends_connection()), (StatusCode::BAD_REQUEST, true), "{name}: {value}");
        assert_eq!(headers(&reply)["access-control-allow-origin"], APP, "{name}: {value}");
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
        let reply = begin(&scene, head("GET", "/", &[])).turn_away(refusal);
        assert_eq!((reply.status().as_u16(), reply.ends_connection()), (status, true), "{refusal:?}");
        assert!(str::from_utf8(&reply.body()).unwrap().contains(&format!("<Code>{code}</Code>")), "{refusal:?}");
    }
}
