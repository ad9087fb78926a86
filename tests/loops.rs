//! Requests that an upstream leads back here.

use crate::support::curl::curl;
use crate::support::eventually;
use crate::support::process::{ConfigFile, configured, free_address, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use std::net::SocketAddr;

const APP: &str = "https://app.example";
const FIVE: &str = "1.1 s3cors, 1.1 s3cors, 1.1 s3cors, 1.1 s3cors, 1.1 s3cors";
const SIGNED: &str =
    "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;via, Signature=0";

/// A proxy that speaks HTTP/1.1 and HTTP/2 without TLS, at this address or a free one.
fn proxy(rules: &Rules, at: Option<SocketAddr>, upstream: SocketAddr, settings: &str) -> Proxy {
    let address = at.map_or_else(|| "127.0.0.1:0".to_owned(), |at| at.to_string());
    let listen = format!("listen: {{address: '{address}', http2: true}}\nadmin: 127.0.0.1:0\n");
    let file = ConfigFile::new(&format!("{listen}{settings}"));
    let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
    command.arg(rules.path()).args(["--upstream", &format!("http://{upstream}")]);
    Proxy::spawn(command)
}

/// The `Via` lines that arrived with the last request.
fn arrived(upstream: &Upstream) -> Vec<String> {
    let headers = upstream.received().pop().unwrap().headers();
    headers.into_iter().filter(|(name, _)| name.eq_ignore_ascii_case("via")).map(|(_, value)| value).collect()
}

#[test]
fn a_request_for_an_upstream_names_this_proxy_after_those_before_it() {
    let rules = Rules::usual();
    for (settings, sent, expected) in [
        ("", "", &["1.1 s3cors"][..]),
        ("", "Via: 2.0 edge, 1.1 nginx", &["2.0 edge, 1.1 nginx", "1.1 s3cors"]),
        ("drivers: pingora\n", "Via: 2.0 edge", &["2.0 edge", "1.1 s3cors"]),
        ("forwarded: {mode: off}\n", "Via: 2.0 edge", &["2.0 edge"]),
    ] {
        let upstream = Upstream::ok("body");
        let proxy = proxy(&rules, None, upstream.address, settings);
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let url = format!("http://{}/bucket/key", proxy.address);
            assert_eq!(curl(&[version, &url, "-H", sent], "").response.status, 200);
            assert_eq!(arrived(&upstream), expected, "{settings}{version}");
        }
    }
}

#[test]
fn a_signed_line_stays_as_it_came() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = configured(rules.path(), upstream.address, "");
    let sent = [("Via", "1.1 edge"), ("Authorization", SIGNED)];
    assert_eq!(proxy.fetch("GET", "/bucket/key", &sent).status, 200);
    assert_eq!(arrived(&upstream), ["1.1 edge"]);
    let sent = [("Via", FIVE), ("Via", "1.1 s3cors"), ("Authorization", SIGNED)];
    assert_eq!(proxy.fetch("GET", "/bucket/key", &sent).status, 508, "it is judged all the same");
}

#[test]
fn a_request_that_has_come_through_six_times_ends_here() {
    let rules = Rules::usual();
    for settings in ["", "drivers: pingora\n", "forwarded: {mode: off}\n"] {
        let upstream = Upstream::ok("body");
        let proxy = proxy(&rules, None, upstream.address, settings);
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let url = format!("http://{}/bucket/key", proxy.address);
            let (five, six, origin) =
                (format!("Via: {FIVE}"), format!("Via: {FIVE}, 1.0 S3cors"), format!("Origin: {APP}"));
            assert_eq!(curl(&[version, &url, "-H", &five], "").response.status, 200);
            let count = upstream.received().len();
            let refused = curl(&[version, &url, "-H", &six, "-H", &origin], "").response;
            assert_eq!(refused.status, 508, "{settings}{version}");
            assert_eq!(refused.element("Code").as_deref(), Some("LoopDetected"));
            assert_eq!(refused.header("access-control-allow-origin"), Some(APP), "a script can read it");
            assert_eq!(upstream.received().len(), count);
        }
        // No upstream is asked about a preflight.
        let preflight =
            [("Origin", APP), ("Access-Control-Request-Method", "GET"), ("Via", FIVE), ("Via", "1.1 s3cors")];
        assert_eq!(proxy.fetch("OPTIONS", "/bucket/key", &preflight).status, 200);
    }
}

#[test]
fn a_loop_over_two_proxies_ends() {
    let (rules, first) = (Rules::usual(), free_address());
    let second = proxy(&rules, None, first, "");
    let first = proxy(&rules, Some(first), second.address, "");
    assert_eq!(first.fetch("GET", "/bucket/key", &[]).status, 508);
    let requests = |proxy: &Proxy| proxy.metric("s3cors_http_requests_total{code=\"508\",method=\"GET\"}");
    // A response arrives before its exchange is counted.
    eventually("six passages are counted, and the one that ends", || {
        let counted = (requests(&first)?, requests(&second)?);
        assert!(counted <= (4.0, 3.0) && counted.1 <= 3.0, "{counted:?}");
        (counted == (4.0, 3.0)).then_some(())
    });
}
