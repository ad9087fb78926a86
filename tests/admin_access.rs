//! Access to the admin listener: by the name that a request gives it, by the token, and by the page that sends a POST.

use crate::support::eventually;
use crate::support::http::{Connection, Response};
use crate::support::process::configured;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::tls::Authority;
use crate::support::upstream::Upstream;

/// Every path that says or does something, and one that does not exist.
const GUARDED: [(&str, &str); 11] = [
    ("GET", "/"),
    ("GET", "/metrics"),
    ("GET", "/status"),
    ("GET", "/api/rules"),
    ("GET", "/api/rejections"),
    ("GET", "/api/explain?bucket=bucket&origin=https://app.example&method=PUT"),
    ("GET", "/api/learn"),
    ("GET", "/api/shadow"),
    ("POST", "/-/reload"),
    ("GET", "/unknown"),
    ("DELETE", "/metrics"),
];
const TOKEN: &str = "5ECRET-t0ken";

fn with_admin(rules: &Rules, upstream: &Upstream, settings: &str) -> Proxy {
    // The flag of the tests replaces the address.
    configured(
        rules.path(),
        upstream.address,
        &format!("admin: {{address: '127.0.0.1:1', {settings}}}\nrules: {{poll: 1h}}\n"),
    )
}

/// A proxy whose admin listener wants the token in the file "token" of its rules' directory.
fn with_token(rules: &Rules, upstream: &Upstream) -> Proxy {
    rules.write("token", format!("{TOKEN}\n"));
    with_admin(rules, upstream, &format!("token_file: '{}'", rules.file("token").display()))
}

/// Counts the reloads without a change.
fn reloads(proxy: &Proxy) -> f64 {
    proxy.metric("s3cors_config_reloads_total{result=\"unchanged\"}").unwrap()
}

/// Sends a head as it is, and gives the status; `None` where the connection is closed without a response.
fn raw(proxy: &Proxy, head: &str) -> Option<u16> {
    let mut connection = Connection::open(proxy.admin);
    let bytes = connection.send(head).rest();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("s3cors_rules_loaded") || text.starts_with("HTTP/1.1 200 "), "{head}: {text}");
    text.split(' ').nth(1).map(|status| status.parse().unwrap())
}

#[test]
fn a_host_that_a_stranger_can_own_reads_nothing_and_changes_nothing() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = with_admin(&rules, &upstream, "hosts: [s3cors.example.com]");
    let port = proxy.admin.port();
    let foreign = ["evil.example".to_owned(), format!("127.0.0.1.nip.io:{port}")];
    for host in &foreign {
        for (method, target) in GUARDED {
            let refused = proxy.ask_with(method, target, &[("Host", host)]);
            assert_eq!(refused.status, 421, "{method} {target} for {host}");
            let text = refused.text();
            assert!(text.contains(host) && text.contains("admin.hosts"), "{text}");
            assert!(!text.contains("s3cors.example.com"), "{text}");
            assert_eq!(refused.header("cache-control"), Some("no-store"));
        }
        for target in ["/healthz", "/readyz"] {
            assert_eq!(proxy.ask_with("GET", target, &[("Host", host)]).status, 200, "{target} for {host}");
        }
    }
    assert_eq!(reloads(&proxy), 0.0);
    for host in [
        &*proxy.admin.to_string(),
        "127.0.0.1",
        "[::1]:9180",
        "localhost",
        "localhost:9180",
        "LocalHost.",
        "s3cors:9180",
        "admin.localhost",
        "s3cors.local",
        "s3cors.internal:9180",
        "s3cors.web.svc",
        "s3cors.web.svc.cluster.local:9180",
        "s3cors.example.com",
        "S3CORS.Example.com.:443",
        "",
    ] {
        assert_eq!(proxy.ask_with("GET", "/metrics", &[("Host", host)]).status, 200, "{host:?}");
    }
    for host in [
        "evil.example.",
        "0x7f.1",
        "127.1",
        "localhost.evil.example",
        "s3cors.svc.evil.example",
        "evillocalhost.example",
        "x.s3cors.example.com",
        "evil.example:.local",
        "evil.example/.local",
        "evil.example#.local",
        "evil.example, s3cors.local",
        "s3cors.local evil.example",
        "evil..local",
        "s3cors.local:port",
        "[::1].evil.example",
        "m\u{fc}ller.local",
    ] {
        assert_eq!(proxy.ask_with("GET", "/metrics", &[("Host", host)]).status, 421, "{host:?}");
    }
}

#[test]
fn every_authority_of_a_request_is_judged() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = with_admin(&rules, &upstream, "hosts: [s3cors.example.com]");
    let close = "Connection: close\r\n\r\n";
    for (head, status) in [
        // A program that says no name is no browser.
        (format!("GET /metrics HTTP/1.0\r\n{close}"), Some(200)),
        (format!("GET /metrics HTTP/1.1\r\n{close}"), Some(200)),
        (format!("GET /metrics HTTP/1.0\r\nHost: evil.example\r\n{close}"), Some(421)),
        (format!("GET http://localhost/metrics HTTP/1.1\r\nHost: localhost\r\n{close}"), Some(200)),
        (format!("GET http://evil.example/metrics HTTP/1.1\r\n{close}"), Some(421)),
        (format!("GET http://evil.example/metrics HTTP/1.0\r\n{close}"), Some(421)),
        (format!("GET http://evil.example/metrics HTTP/1.1\r\nHost: evil.example\r\n{close}"), Some(421)),
        (format!("GET x://evil.example/metrics HTTP/1.1\r\n{close}"), Some(421)),
        (format!("GET http://evil.example/readyz HTTP/1.1\r\n{close}"), Some(200)),
        // The library closes a connection whose authorities differ.
        (format!("GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n{close}"), None),
        (format!("GET http://localhost/metrics HTTP/1.1\r\nHost: evil.example\r\n{close}"), None),
        (format!("GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n{close}"), None),
        (format!("GET /metrics HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n{close}"), None),
        (format!("GET /metrics HTTP/1.1\r\nHost: localhost@evil.example\r\n{close}"), None),
        (format!("GET /metrics HTTP/1.1\r\nX-Forwarded-Host: localhost\r\nHost: evil.example\r\n{close}"), Some(421)),
    ] {
        assert_eq!(raw(&proxy, &head), status, "{head}");
    }
    // What is refused leaves a kept connection as it was.
    let mut kept = Connection::open(proxy.admin);
    for (host, status) in [("localhost", 200), ("evil.example", 421), ("localhost", 200)] {
        let answer = kept.send(format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n\r\n")).receive();
        assert_eq!(answer.status, status, "{host}");
    }
}

#[test]
fn a_post_of_another_sites_page_is_refused() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = Proxy::start(rules.path(), upstream.address);
    let (admin, port) = (proxy.admin.to_string(), proxy.admin.port());
    let own = format!("http://{admin}");
    let (other_scheme, other_port) = (format!("https://{admin}"), format!("http://127.0.0.1:{}", port ^ 1));
    let (other_name, with_path) = (format!("http://localhost:{port}"), format!("{own}/"));
    let site = "Sec-Fetch-Site";
    for (headers, status) in [
        (vec![], 200),
        (vec![(site, "same-origin")], 200),
        (vec![(site, "none")], 200),
        (vec![(site, "same-origin"), ("Origin", own.as_str())], 200),
        (vec![("Origin", own.as_str())], 200),
        (vec![(site, "cross-site")], 403),
        (vec![(site, "same-site")], 403),
        (vec![(site, "")], 403),
        (vec![(site, "Same-Origin")], 403),
        (vec![(site, "same-origin, none")], 403),
        (vec![(site, "same-origin"), (site, "cross-site")], 403),
        (vec![(site, "cross-site"), ("Origin", own.as_str())], 403),
        (vec![("Origin", "null")], 403),
        (vec![("Origin", "")], 403),
        (vec![("Origin", "https://evil.example")], 403),
        (vec![("Origin", other_scheme.as_str())], 403),
        (vec![("Origin", other_port.as_str())], 403),
        (vec![("Origin", other_name.as_str())], 403),
        (vec![("Origin", with_path.as_str())], 403),
        (vec![("Origin", own.as_str()), ("Origin", "https://evil.example")], 403),
        (vec![("Origin", own.as_str()), ("Host", "localhost")], 403),
        (vec![("Origin", "http://localhost"), ("Host", "localhost:80")], 200),
    ] {
        let answer = proxy.ask_with("POST", "/-/reload", &headers);
        assert_eq!(answer.status, status, "{headers:?}: {}", answer.text());
        // Reading is for the browser to refuse, and a path that is not there is that first.
        assert_eq!(proxy.ask_with("GET", "/metrics", &headers).status, 200, "{headers:?}");
        assert_eq!(proxy.ask_with("POST", "/unknown", &headers).status, 404, "{headers:?}");
    }
    assert_eq!(reloads(&proxy), 6.0, "only those that were served");
    let without_host = |origin: &str| {
        raw(&proxy, &format!("POST /-/reload HTTP/1.1\r\n{origin}Content-Length: 0\r\nConnection: close\r\n\r\n"))
    };
    assert_eq!((without_host(""), without_host(&format!("Origin: {own}\r\n"))), (Some(200), Some(403)));
}

#[test]
fn a_form_of_another_site_reloads_nothing() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = with_admin(&rules, &upstream, "hosts: []");
    let admin = proxy.admin;
    for (browser, lines) in [
        (
            "with Fetch Metadata",
            "Origin: https://evil.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n",
        ),
        ("without", "Origin: https://evil.example\r\n"),
        ("from a sandbox", "Origin: null\r\n"),
    ] {
        let head = format!(
            "POST /-/reload HTTP/1.1\r\nHost: {admin}\r\n{lines}Content-Type: text/plain\r\nContent-Length: 2\r\n\r\na="
        );
        let mut connection = Connection::open(admin);
        assert_eq!(connection.send(&head).receive().status, 403, "{browser}");
    }
}

#[test]
fn everything_but_the_probes_wants_the_token() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = with_token(&rules, &upstream);
    for (method, target) in GUARDED {
        let refused = proxy.ask(method, target);
        assert_eq!(refused.status, 401, "{method} {target}");
        assert!(
            refused.header("www-authenticate").is_some_and(|value| value.starts_with("Basic realm=\"")),
            "{refused:?}"
        );
        assert!(refused.text().contains("S3CORS_ADMIN_TOKEN_FILE"), "{}", refused.text());
    }
    for target in ["/healthz", "/readyz"] {
        assert_eq!(proxy.ask("GET", target).status, 200, "{target}");
    }
    for (authorization, status) in [
        ("Bearer 5ECRET-t0ken", 200),
        ("bearer  5ECRET-t0ken ", 200),
        // As the password of anyone or no one.
        ("Basic YW55b25lOjVFQ1JFVC10MGtlbg==", 200),
        ("basic OjVFQ1JFVC10MGtlbg==", 200),
        ("Basic YTpiOjVFQ1JFVC10MGtlbg==", 401),
        ("Basic NUVDUkVULXQwa2Vu", 401),
        ("Basic NUVDUkVULXQwa2VuOg==", 401),
        ("Basic 5ECRET-t0ken", 401),
        ("Basic", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Bearer 5ECRET-t0ke", 401),
        ("Bearer 5ECRET-t0ken2", 401),
        ("Bearer 5ECRET-T0KEN", 401),
        ("Bearer 5ECRET-t0ken 5ECRET-t0ken", 401),
        ("Bearer YW55b25lOjVFQ1JFVC10MGtlbg==", 401),
        ("Digest 5ECRET-t0ken", 401),
        ("5ECRET-t0ken", 401),
        ("", 401),
    ] {
        let answer = proxy.ask_with("GET", "/metrics", &[("Authorization", authorization)]);
        assert_eq!(answer.status, status, "{authorization:?}");
    }
    let right = ("Authorization", "Bearer 5ECRET-t0ken");
    assert_eq!(proxy.ask_with("GET", "/metrics", &[right, right]).status, 401, "two are none");
    assert_eq!(proxy.ask("GET", "/metrics?token=5ECRET-t0ken&access_token=5ECRET-t0ken").status, 401);
}

#[test]
fn the_host_is_checked_before_the_token_and_the_token_before_the_route() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let proxy = with_token(&rules, &upstream);
    let (evil, right) = (("Host", "evil.example"), ("Authorization", "Bearer 5ECRET-t0ken"));
    let foreign = ("Sec-Fetch-Site", "cross-site");
    for (method, target, headers, status) in [
        ("GET", "/metrics", vec![evil], 421),
        ("GET", "/metrics", vec![evil, right], 421),
        ("GET", "/unknown", vec![evil], 421),
        ("GET", "/unknown", vec![], 401),
        ("GET", "/unknown", vec![right], 404),
        ("DELETE", "/metrics", vec![], 401),
        ("DELETE", "/metrics", vec![right], 405),
        ("POST", "/-/reload", vec![foreign, evil], 421),
        ("POST", "/-/reload", vec![foreign], 401),
        ("POST", "/-/reload", vec![foreign, right], 403),
        ("POST", "/metrics", vec![foreign, right], 405),
        ("POST", "/-/reload", vec![right], 200),
        ("GET", "/", vec![right], 302),
        ("POST", "/healthz", vec![evil], 405),
        ("GET", "/healthz/", vec![], 401),
    ] {
        assert_eq!(proxy.ask_with(method, target, &headers).status, status, "{method} {target} {headers:?}");
    }
}

#[test]
fn a_replaced_token_is_the_right_one_at_once_and_without_a_token_no_one_is_admitted() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    let mut proxy = with_token(&rules, &upstream);
    let ask = |proxy: &Proxy, token: &str| -> Response {
        proxy.ask_with("GET", "/metrics", &[("Authorization", &format!("Bearer {token}"))])
    };
    let mark = |proxy: &Proxy| {
        let told =
            |line: &&serde_json::Value| line["message"].as_str().is_some_and(|text| text.contains("admits no one"));
        proxy.log().iter().filter(told).count()
    };
    assert_eq!(ask(&proxy, TOKEN).status, 200);
    rules.write("token", "second-5ECRET");
    assert_eq!((ask(&proxy, TOKEN).status, ask(&proxy, "second-5ECRET").status), (401, 200));
    // As a kubelet does it: a link to another directory.
    for name in ["..1", "..2"] {
        std::fs::create_dir(rules.file(name)).unwrap();
        std::fs::write(rules.file(name).join("token"), format!("5ECRET{name}")).unwrap();
    }
    std::fs::remove_file(rules.file("token")).unwrap();
    std::os::unix::fs::symlink("..1/token", rules.file("token")).unwrap();
    assert_eq!(ask(&proxy, "5ECRET..1").status, 200);
    std::os::unix::fs::symlink("..2/token", rules.file("next")).unwrap();
    std::fs::rename(rules.file("next"), rules.file("token")).unwrap();
    assert_eq!((ask(&proxy, "5ECRET..1").status, ask(&proxy, "5ECRET..2").status), (401, 200));
    std::fs::remove_file(rules.file("token")).unwrap();
    for token in ["5ECRET..2", TOKEN, ""] {
        let refused = ask(&proxy, token);
        assert_eq!(refused.status, 401, "{token}");
        assert!(refused.text().contains("admin.token_file"), "{}", refused.text());
    }
    assert_eq!(proxy.ask("GET", "/readyz").status, 200);
    let line = proxy.wait_for_log("the admin listener admits no one without its token");
    assert!(line["error"].as_str().unwrap().starts_with(rules.file("token").to_str().unwrap()), "{line}");
    rules.write("token", "\n");
    assert_eq!((ask(&proxy, "").status, mark(&proxy)), (401, 1), "one line until there is a token again");
    rules.write("token", "5ECRET-3");
    assert_eq!(ask(&proxy, "5ECRET-3").status, 200);
}

#[test]
fn the_token_is_neither_logged_nor_shown() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok(""));
    rules.write("token", TOKEN);
    let settings =
        format!("log: {{level: debug}}\nadmin: {{address: ':1', token_file: '{}'}}\n", rules.file("token").display());
    let proxy = configured(rules.path(), upstream.address, &settings);
    let right = ("Authorization", "Bearer 5ECRET-t0ken");
    for (method, target) in GUARDED {
        let shown = proxy.ask_with(method, target, &[right]);
        assert!(shown.status < 500 && !shown.text().contains("5ECRET"), "{method} {target}: {}", shown.text());
        for headers in [&[("Host", "evil.example"), right][..], &[("Authorization", "Basic 5ECRET")]] {
            assert!(!proxy.ask_with(method, target, headers).text().contains("5ECRET"), "{method} {target}");
        }
    }
    // Heads that the library does not read: it would log them.
    for head in [
        "GET /metrics HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 5ECRET\r\nHost: y\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nAuthorization: Bearer 5ECRET\r\nbad name: x\r\n\r\n",
        "GET /metrics HTTP/9.9\r\nAuthorization: Bearer 5ECRET\r\n\r\n",
        "GET /met rics\x01 HTTP/1.1\r\nAuthorization: Bearer 5ECRET\r\n\r\n",
        "G@T\r\nAuthorization: Bearer 5ECRET\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nAuthorization: Bearer 5ECRET\r\nContent-Length: x\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nAuthorization: Bearer 5ECRET\r\nX: \0\r\n\r\n",
    ] {
        let mut connection = Connection::open(proxy.admin);
        connection.send(head).finish_sending();
        connection.rest();
    }
    assert_eq!(proxy.ask_with("GET", "/metrics", &[right]).status, 200);
    let log = format!("{:?}", proxy.log());
    assert!(!log.contains("5ECRET"), "{log}");
}

#[test]
fn an_admin_listener_with_tls_speaks_nothing_else_and_takes_replaced_certificates() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok(""));
    let (first, second) = (authority.issue("s3.example.test"), authority.issue("s3.example.test"));
    authority.install(&first);
    let tls = authority.listener().replace("127.0.0.1:0', ", "127.0.0.1:1', hosts: s3.example.test, ");
    let proxy = configured(rules.path(), upstream.address, &format!("admin: {tls}\n"));
    let mut open = authority.connect(proxy.admin);
    assert_eq!((open.get("/metrics"), open.get("/readyz"), open.get("/unknown")), (200, 200, 404));
    let plain = proxy.ask("GET", "/metrics");
    assert_eq!(plain.status, 400);
    assert!(plain.text().contains("use https"), "{}", plain.text());
    assert!(!Connection::open(proxy.admin).send("\x05\x01\x00\0\0\0\0\0").rest().starts_with(b"HTTP/"));
    authority.install(&second);
    eventually("new connections get the new one", || {
        let mut new = authority.connect(proxy.admin);
        assert_eq!(new.get("/readyz"), 200);
        (new.certificate() == second.der).then_some(())
    });
    assert_eq!((open.get("/metrics"), open.certificate()), (200, first.der));
    // Plain HTTP for operators is no request of an S3 client.
    assert_eq!(upstream.received().len(), 0);
    assert!(!proxy.log().iter().any(|line| line["message"] == "request"), "{:#?}", proxy.log());
}
