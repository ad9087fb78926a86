//! The headers beside CORS: who may read the times of a response, and who may embed it. Both are off unless they are asked for.

use crate::support::curl::curl;
use crate::support::http::Response;
use crate::support::process::s3cors;
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;
use std::net::SocketAddr;

const APP: &str = "https://app.example";
const TIMING: &str = "timing-allow-origin";
const POLICY: &str = "cross-origin-resource-policy";
const BOTH: &str = "cors: {timing_allow_origin: granted, resource_policy: cross-origin}";
/// A server that says something else, and says it twice.
const OWN: &str = "Timing-Allow-Origin: https://evil.example\r\ntiming-allow-origin: *\r\nCross-Origin-Resource-Policy: same-origin\r\n";

/// A proxy for each way through it: both drivers for HTTP/1.1, and HTTP/2.
struct Ways {
    proxies: Vec<(&'static str, Proxy)>,
}

impl Ways {
    fn new(rules: &Rules, upstream: SocketAddr, config: &str) -> Self {
        let ways = ["own", "pingora", "HTTP/2", "HTTP/2 on Pingora"];
        let proxies = ways.map(|way| {
            let (driver, is_http2) =
                (if way.ends_with("ingora") { "pingora" } else { "own" }, way.starts_with("HTTP/2"));
            let listen = format!("listen: {{address: '127.0.0.1:0', http2: {is_http2}}}\nadmin: 127.0.0.1:0");
            let config = rules.config(&format!("{listen}\ndrivers: {driver}\n{config}"));
            let mut command = s3cors(&["serve", "--config", &config, "--rules"]);
            command.arg(rules.path()).args(["--upstream", &format!("http://{upstream}")]);
            (way, Proxy::spawn(command))
        });
        Self { proxies: proxies.into() }
    }

    /// The response by each way.
    fn fetch(&self, method: &str, target: &str, headers: &[(&str, &str)]) -> Vec<(&'static str, Response)> {
        let fetch = |(way, proxy): &(&'static str, Proxy)| {
            if !way.starts_with("HTTP/2") {
                return (*way, proxy.fetch(method, target, headers));
            }
            let url = format!("http://{}{target}", proxy.address);
            let mut arguments = vec!["--http2-prior-knowledge".to_owned(), url];
            arguments.extend(if method == "HEAD" {
                vec!["--head".to_owned()]
            } else {
                vec!["-X".to_owned(), method.to_owned()]
            });
            arguments.extend(headers.iter().flat_map(|(name, value)| ["-H".to_owned(), format!("{name}: {value}")]));
            let fetched = curl(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), "");
            assert_eq!(fetched.protocol, "HTTP/2");
            (*way, fetched.response)
        };
        self.proxies.iter().map(fetch).collect()
    }
}

/// [`Rules::usual`], and a bucket that every origin may read.
fn rules() -> Rules {
    let rules = Rules::usual();
    rules.write("public.xml", allowing("*"));
    rules
}

fn upstream(more: &str) -> Upstream {
    let more = more.to_owned();
    Upstream::scripted(move |served| {
        while let Some(request) = served.request() {
            let line = request.request_line();
            let status = match line.split(['/', ' ']).nth(3).unwrap_or_default() {
                "unchanged" => "304 Not Modified",
                "secret" => "403 Forbidden",
                "missing" => "404 Not Found",
                "part" => "206 Partial Content",
                "broken" => return,
                _ => "200 OK",
            };
            if !served.send(format!("HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\n\r\n")) {
                return;
            }
        }
    })
}

#[test]
fn what_the_server_says_passes_as_it_came_while_both_are_off() {
    let (rules, upstream) = (rules(), upstream(OWN));
    for config in ["", "cors: {timing_allow_origin: off, resource_policy: off}"] {
        let ways = Ways::new(&rules, upstream.address, config);
        for origin in [APP, "https://evil.example"] {
            for (way, answer) in ways.fetch("GET", "/bucket/key", &[("Origin", origin)]) {
                assert_eq!(answer.all(TIMING).collect::<Vec<_>>(), ["https://evil.example", "*"], "{way} {origin}");
                assert_eq!(answer.header(POLICY), Some("same-origin"), "{way} {origin}");
            }
        }
    }
}

#[test]
fn the_origin_of_a_grant_may_read_times_and_every_page_may_embed() {
    let (rules, app, evil) = (rules(), Some(APP), Some("https://evil.example"));
    let embeds = Some("cross-origin");
    for own in ["", OWN] {
        let upstream = upstream(own);
        let ways = Ways::new(&rules, upstream.address, BOTH);
        // Without rules, or a bucket, the policy is the server's.
        let servers = (!own.is_empty()).then_some("same-origin");
        for (method, target, origin, status, timing, policy) in [
            ("GET", "/bucket/key", app, 200, app, embeds),
            ("GET", "/bucket/key", evil, 200, None, embeds),
            ("GET", "/bucket/key", None, 200, None, embeds),
            ("HEAD", "/bucket/key", app, 200, app, embeds),
            ("GET", "/bucket/part", app, 206, app, embeds),
            ("GET", "/bucket/unchanged", app, 304, app, embeds),
            ("GET", "/bucket/secret", app, 403, app, embeds),
            ("GET", "/bucket/missing", app, 404, app, embeds),
            ("GET", "/bucket/missing", evil, 404, None, embeds),
            ("GET", "/public/key", evil, 200, Some("*"), embeds),
            ("GET", "/public/key", None, 200, None, embeds),
            ("GET", "/without-rules/key", app, 200, None, servers),
            ("GET", "/", app, 200, None, servers),
        ] {
            let lines: Vec<_> = origin.map(|origin| ("Origin", origin)).into_iter().collect();
            for (way, answer) in ways.fetch(method, target, &lines) {
                let about = format!("{way}: {method} {target} {origin:?} {own:?}");
                assert_eq!(answer.status, status, "{about}");
                assert_eq!((answer.header(TIMING), answer.header(POLICY)), (timing, policy), "{about}");
            }
        }
    }
}

#[test]
fn replies_without_an_upstream_have_them_too() {
    let (rules, upstream) = (rules(), upstream(""));
    let ways = Ways::new(&rules, upstream.address, BOTH);
    let (asks, embeds) = (("Access-Control-Request-Method", "GET"), Some("cross-origin"));
    for (method, target, lines, status, timing, policy) in [
        ("GET", "/bucket/broken", &[("Origin", APP)][..], 502, Some(APP), embeds),
        ("GET", "/bucket/broken", &[], 502, None, embeds),
        ("OPTIONS", "/bucket/key", &[("Origin", APP), asks], 200, Some(APP), embeds),
        ("OPTIONS", "/bucket/key", &[("Origin", "https://evil.example"), asks], 403, None, embeds),
        ("OPTIONS", "/without-rules/key", &[("Origin", APP), asks], 403, None, None),
    ] {
        for (way, answer) in ways.fetch(method, target, lines) {
            let about = format!("{way}: {method} {target} {lines:?}");
            let found = (answer.status, answer.header(TIMING), answer.header(POLICY));
            assert_eq!(found, (status, timing, policy), "{about}");
        }
    }
}

#[test]
fn each_is_asked_for_alone() {
    let (rules, upstream) = (rules(), upstream(""));
    for (config, timing, policy) in [
        ("cors: {timing_allow_origin: granted}", Some(APP), None),
        ("cors: {resource_policy: cross-origin}", None, Some("cross-origin")),
    ] {
        for (way, answer) in Ways::new(&rules, upstream.address, config).fetch("GET", "/bucket/key", &[("Origin", APP)])
        {
            assert_eq!((answer.header(TIMING), answer.header(POLICY)), (timing, policy), "{way}: {config}");
        }
    }
}
