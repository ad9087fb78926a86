//! `cors.enforce`: an actual request that the rules deny does not reach the storage.

use crate::support::http::request;
use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::{Rules, allowing};
use crate::support::upstream::Upstream;

const PAGE: &str = "https://app.example";

fn served(upstream: &Upstream, rules: &Rules, settings: &str) -> Proxy {
    let file = ConfigFile::new(&format!("listen: 127.0.0.1:0\n{settings}\n"));
    let url = format!("http://{}", upstream.address);
    let mut command = s3cors(&["serve", "--admin", "127.0.0.1:0", "--upstream", &url, "--config", &file.argument()]);
    command.arg("--rules").arg(rules.path());
    Proxy::spawn(command)
}

#[test]
fn what_the_rules_deny_is_refused_and_nothing_else() {
    let rules = Rules::empty();
    rules.write("photos.xml", allowing(PAGE));
    for driver in ["own", "pingora"] {
        let upstream = Upstream::scripted(|served| {
            while served.request().is_some() {
                served.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            }
        });
        let settings = format!("drivers: {driver}\ncors: {{enforce: on}}\nforwarded: {{trusted: [127.0.0.1]}}");
        let proxy = served(&upstream, &rules, &settings);
        let secure = ("X-Forwarded-Proto", "https");
        for (method, path, lines, status) in [
            ("GET", "/photos/key", &[("Origin", PAGE)][..], 200),
            ("GET", "/photos/key", &[("Origin", "https://evil.example")], 403),
            ("GET", "/photos/key", &[("Origin", "null")], 403),
            ("PUT", "/photos/key", &[("Origin", PAGE)], 403),
            ("DELETE", "/photos/key", &[("Origin", "https://evil.example")], 403),
            ("GET", "/photos/key", &[], 200),
            ("GET", "/photos/key", &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")], 200),
            ("GET", "/photos/key", &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")], 403),
            // Its own origin, as far as the scheme is known.
            ("PUT", "/photos/key", &[("Origin", "http://s3.example.test")], 200),
            ("PUT", "/photos/key", &[("Origin", "http://S3.example.test:80")], 200),
            ("PUT", "/photos/key", &[("Origin", "https://s3.example.test")], 403),
            ("PUT", "/photos/key", &[("Origin", "https://s3.example.test"), secure], 200),
            ("PUT", "/photos/key", &[("Origin", "http://s3.example.test"), secure], 403),
            ("PUT", "/photos/key", &[("Origin", "http://s3.example.test.evil.example")], 403),
            // Without rules there is nothing to enforce.
            ("GET", "/other/key", &[("Origin", "https://evil.example")], 200),
            ("GET", "/", &[("Origin", "https://evil.example")], 200),
        ] {
            let before = upstream.received().len();
            let answer = proxy.connect().send(request(method, path, lines, "")).receive();
            assert_eq!(answer.status, status, "{driver} {method} {path} {lines:?}: {}", answer.text());
            assert_eq!(
                upstream.received().len() - before,
                usize::from(status == 200),
                "{driver} {method} {path} {lines:?}"
            );
            if status == 403 {
                assert_eq!(answer.element("Code").as_deref(), Some("AccessDenied"));
                assert!(answer.cors().is_empty() && !answer.vary().is_empty(), "{:?}", answer.headers);
            }
        }
        assert_eq!(proxy.preflight("/photos/key", PAGE, "GET").status, 200);
        assert_eq!(proxy.preflight("/photos/key", "https://evil.example", "GET").status, 403);
    }
}

#[test]
fn without_it_a_denied_request_is_carried_out_as_in_s3() {
    let rules = Rules::empty();
    rules.write("photos.xml", allowing(PAGE));
    let upstream = Upstream::ok("body");
    let proxy = served(&upstream, &rules, "");
    let answer = proxy.fetch("GET", "/photos/key", &[("Origin", "https://evil.example")]);
    assert_eq!((answer.status, answer.cors().len()), (200, 0));
}
