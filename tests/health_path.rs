//! A listener's health path: a load balancer asks on the port that it sends requests to.

use crate::support::curl::curl;
use crate::support::eventually;
use crate::support::http::{Connection, fetch, request};
use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;
use std::net::SocketAddr;

/// A proxy whose first listener has the health path `/-/ready`, and the address of its second, which has none.
fn serving(rules: &Rules, upstream: &Upstream, http1: &str) -> (Proxy, SocketAddr) {
    let file = ConfigFile::new(&format!(
        "listen:\n- {{address: '127.0.0.1:0', health_path: /-/ready, http2: true}}\n- 127.0.0.1:0\n\
         admin: 127.0.0.1:0\nhttp1: {http1}\nupstream: http://{}\nshutdown: {{delay: 1h}}\n",
        upstream.address
    ));
    let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
    command.arg(rules.path());
    let mut proxy = Proxy::spawn(command);
    let ready = proxy.wait_for_log("s3cors is ready");
    let second = ready["listen"].as_str().unwrap().trim_matches(['[', ']']).split(", ").nth(1).unwrap();
    let second = second.parse().unwrap();
    (proxy, second)
}

/// Asks over HTTP/2 with prior knowledge; returns status and body.
fn over_http2(address: SocketAddr, path: &str, arguments: &[&str]) -> (u16, String) {
    let url = format!("http://{address}{path}");
    let fetched = curl(&[&["--http2-prior-knowledge", &url][..], arguments].concat(), "");
    assert_eq!(fetched.protocol, "HTTP/2");
    (fetched.response.status, fetched.response.text())
}

#[test]
fn it_answers_like_readyz_over_every_protocol_and_no_upstream_sees_it() {
    for http1 in ["own", "pingora"] {
        let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
        let (proxy, second) = serving(&rules, &upstream, http1);
        let ready = proxy.ask("GET", "/readyz");
        for target in ["/-/ready", "/-/ready?from=balancer"] {
            let answer = proxy.fetch("GET", target, &[]);
            assert_eq!((answer.status, answer.text()), (ready.status, ready.text()), "{http1} {target}");
            assert_eq!(answer.header("content-type"), ready.header("content-type"), "{http1} {target}");
        }
        let mut connection = Connection::open(proxy.address);
        let head = connection.send(request("HEAD", "/-/ready", &[], "")).receive_to("HEAD");
        assert_eq!((head.status, head.header("content-length")), (200, Some("6")), "{http1}");
        let bare = Connection::open(proxy.address).send("GET /-/ready HTTP/1.0\r\n\r\n").receive();
        assert_eq!((bare.status, bare.text().as_str()), (200, "ready\n"), "{http1}: HTTP/1.0 without a Host");
        assert_eq!(over_http2(proxy.address, "/-/ready", &[]), (200, "ready\n".to_owned()), "{http1}");
        assert_eq!(over_http2(proxy.address, "/-/ready", &["--head"]), (200, String::new()), "{http1}");
        assert_eq!(upstream.received().len(), 0, "{http1}");
        // It is no request for a bucket, and a balancer asks all the time.
        let counted = || proxy.metric("s3cors_http_requests_total{code=\"200\",method=\"GET\"}").unwrap_or_default();
        assert_eq!(counted(), 0.0, "{http1}");
        // Everything else goes on: another path, another method, another listener.
        assert_eq!(proxy.fetch("GET", "/-/ready/", &[]).text(), "body", "{http1}");
        assert_eq!(proxy.fetch("DELETE", "/-/ready", &[]).text(), "body", "{http1}");
        assert_eq!(fetch(second, "GET", "/-/ready", &[]).text(), "body", "{http1}");
        assert_eq!(upstream.received().len(), 3, "{http1}");
        let paths = || {
            let lines = proxy.log().into_iter();
            lines.filter_map(|line| line["path"].as_str().map(str::to_owned)).collect::<Vec<_>>()
        };
        eventually("the others are logged", || (paths().len() == 3).then_some(()));
        assert_eq!(paths(), ["/-/ready/", "/-/ready", "/-/ready"], "{http1}");
        assert_eq!(counted(), 2.0, "{http1}");
    }
}

#[test]
fn it_fails_when_the_process_drains_as_readyz_does() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let (proxy, second) = serving(&rules, &upstream, "own");
    proxy.signal("TERM");
    let drains = || Some(proxy.fetch("GET", "/-/ready", &[])).filter(|answer| answer.status == 503);
    assert_eq!(eventually("it is not ready", drains).text(), "draining\n");
    assert_eq!(over_http2(proxy.address, "/-/ready", &[]), (503, "draining\n".to_owned()));
    assert_eq!(fetch(second, "GET", "/bucket/key", &[]).text(), "body", "requests are still served");
}
