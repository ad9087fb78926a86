//! TLS for clients: several listeners, versions, and certificates that are replaced while connections stay open.

use crate::support::eventually;
use crate::support::http::fetch;
use crate::support::process::{ConfigFile, configured, listening, run};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::tls::{Authority, TlsConnection};
use crate::support::upstream::Upstream;
use rustls::ProtocolVersion;
use rustls::version::{TLS12, TLS13};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const NAME: &str = "s3.example.test";

fn serving(authority: &Authority, rules: &Rules, upstream: &Upstream) -> Proxy {
    configured_with(&format!("listen: {}", authority.listener()), rules, upstream)
}

/// `configured`, but with the listeners of the file.
fn configured_with(configuration: &str, rules: &Rules, upstream: &Upstream) -> Proxy {
    let file = ConfigFile::new(&format!("{configuration}\nadmin: 127.0.0.1:0\ndomains: {NAME}\n"));
    let mut command = crate::support::process::s3cors(&["serve", "--config", &file.argument(), "--rules"]);
    command.arg(rules.path()).args(["--upstream", &format!("http://{}", upstream.address)]);
    Proxy::spawn(command)
}

fn count(proxy: &Proxy, message: &str) -> usize {
    proxy.log().iter().filter(|line| line["message"] == message).count()
}

#[test]
fn tls_1_2_and_1_3_are_spoken() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    authority.install(&authority.issue(NAME));
    let proxy = serving(&authority, &rules, &upstream);
    for (offered, agreed) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let mut connection = authority.connect_with(proxy.address, &[offered]);
        assert_eq!((connection.get("/bucket/key"), connection.get("/bucket/key")), (200, 200));
        assert_eq!(connection.version(), agreed);
    }
    assert_eq!(upstream.received().len(), 4);
}

#[test]
fn plain_http_where_tls_is_spoken_is_told_to_use_https() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    authority.install(&authority.issue(NAME));
    let proxy = serving(&authority, &rules, &upstream);
    let long = "x".repeat(60_000);
    let origin = "Origin: https://app.example\r\n";
    for sent in [
        format!("GET /bucket/key HTTP/1.1\r\nHost: x\r\n{origin}\r\n"),
        format!("GET /bucket/key HTTP/1.0\r\n{origin}\r\n"),
        format!("PUT /bucket/key HTTP/1.1\r\nHost: x\r\n{origin}Content-Length: 60000\r\n\r\n{long}"),
        format!("GET /bucket/key HTTP/1.1\r\nHost: x\r\n{origin}x: {long}\r\n\r\n"),
        "\r\nGET / HTTP/1.1\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_owned(),
        "G".to_owned(),
    ] {
        let started = Instant::now();
        let mut connection = proxy.connect();
        let answer = connection.send(&sent).receive();
        let shown = &sent[..sent.len().min(80)];
        assert_eq!((answer.status, answer.element("Code").as_deref()), (400, Some("BadRequest")), "{shown}");
        assert!(answer.element("Message").unwrap().contains("https://"), "{answer:?}");
        assert_eq!(answer.header("connection"), Some("close"), "{shown}");
        let is_granted = answer.header("access-control-allow-origin").is_some();
        assert_eq!(is_granted, sent.contains("Origin"), "{shown}: {answer:?}");
        assert!(connection.is_closed(), "{shown}");
        assert!(started.elapsed() < Duration::from_secs(5), "{shown}: {:?}", started.elapsed());
    }
    let refused = |method| proxy.metric(&format!("s3cors_http_requests_total{{code=\"400\",method=\"{method}\"}}"));
    assert_eq!((refused("GET"), refused("PUT")), (Some(3.0), Some(1.0)));
    assert_eq!(authority.connect(proxy.address).get("/bucket/key"), 200);
    // What is neither is not answered in words that it would not know.
    assert!(!proxy.connect().send("\x05\x01\x00\0\0\0\0\0").rest().starts_with(b"HTTP/"));
    assert_eq!(upstream.received().len(), 1);
}

#[test]
fn a_handshake_that_fails_is_told_at_debug_only() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    authority.install(&authority.issue(NAME));
    let told = |proxy: &Proxy| proxy.log().iter().any(|line| line.to_string().contains("handshake"));
    let loud = configured_with(&format!("listen: {}\nlog: {{level: debug}}", authority.listener()), &rules, &upstream);
    loud.connect().send("nonsense\r\n\r\n").rest();
    eventually("it is told", || told(&loud).then_some(()));
    let mut quiet = serving(&authority, &rules, &upstream);
    quiet.connect().send("nonsense\r\n\r\n").rest();
    assert_eq!(authority.connect(quiet.address).get("/bucket/key"), 200);
    quiet.wait_for_log("request");
    assert!(!told(&quiet), "{:#?}", quiet.log());
}

#[test]
fn a_handshake_that_is_not_finished_in_time_ends_the_connection() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    authority.install(&authority.issue(NAME));
    let yaml = format!("listen: {}\nlimits: {{header_read: 1s}}", authority.listener());
    let proxy = configured_with(&yaml, &rules, &upstream);
    for begun in ["", "\x16\x03\x01\x02\x00\x01\x00\x01"] {
        let started = Instant::now();
        assert!(proxy.connect().send(begun).rest().is_empty());
        assert!((1..10).contains(&started.elapsed().as_secs()), "{begun:?}: {:?}", started.elapsed());
    }
}

#[test]
fn listeners_with_and_without_tls_serve_side_by_side() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    authority.install(&authority.issue(NAME));
    let tls = authority.listener();
    let yaml = format!("listen:\n- 127.0.0.1:0\n- {tls}\n- {{address: 127.0.0.1:0, http2: true}}\n- {tls}\n");
    let mut proxy = configured_with(&yaml, &rules, &upstream);
    let ready = proxy.wait_for_log("s3cors is ready");
    let addresses = ready["listen"].as_str().unwrap().trim_matches(['[', ']']).split(", ");
    let addresses: Vec<_> = addresses.map(|address| address.parse().unwrap()).collect();
    assert_eq!(addresses.len(), 4);
    let mut kept = [authority.connect(addresses[1]), authority.connect(addresses[3])];
    for connection in &mut kept {
        assert_eq!(connection.get("/bucket/key"), 200);
    }
    for address in [addresses[0], addresses[2]] {
        assert_eq!(fetch(address, "GET", "/bucket/key", &[]).text(), "body");
    }
    // They share their connections to the upstream, the listeners with h2c too.
    eventually("a connection is used by two listeners", || {
        assert_eq!(kept[0].get("/bucket/tls"), 200);
        // Several: a connection is free again only a moment after its answer, so that two clients in turn may keep one each.
        for _ in 0..3 {
            assert_eq!(fetch(addresses[2], "GET", "/bucket/h2c", &[]).status, 200);
        }
        let received = upstream.received();
        let of = |path| received.iter().filter(move |r| r.request_line().contains(path)).map(|r| r.connection);
        of("/tls").any(|used| of("/h2c").any(|also| also == used)).then_some(())
    });
    eventually("two are open", || proxy.metric("s3cors_connections_open").filter(|open| *open == 2.0));
    assert_eq!(count(&proxy, "certificate loaded"), 1, "the same files are read once");
}

#[test]
fn a_certificate_is_replaced_while_connections_stay_open() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    let (first, second) = (authority.issue(NAME), authority.issue(NAME));
    authority.install(&first);
    let mut proxy = serving(&authority, &rules, &upstream);
    let loaded = proxy.wait_for_log("certificate loaded");
    assert_eq!(loaded["not_after"], "4096-01-01T00:00:00Z");
    let mut open = authority.connect(proxy.address);
    assert_eq!((open.get("/bucket/key"), open.certificate()), (200, first.der.clone()));
    authority.install(&second);
    eventually("new connections get the new one", || {
        let mut new = authority.connect(proxy.address);
        assert_eq!(new.get("/bucket/key"), 200, "no connection is lost meanwhile");
        (new.certificate() == second.der).then_some(())
    });
    assert_eq!((open.get("/bucket/key"), open.certificate()), (200, first.der));
    proxy.wait_for_log("certificate replaced");
}

/// The end of a listener's certificate, from the metric.
fn end(proxy: &Proxy) -> Option<f64> {
    proxy.metric(&format!("s3cors_certificate_expiry_timestamp_seconds{{listener=\"{}\"}}", proxy.address))
}

#[test]
fn the_end_of_the_live_certificate_is_a_metric() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    authority.install(&authority.issue_until(NAME, 2020));
    let mut proxy = serving(&authority, &rules, &upstream);
    let loaded = proxy.wait_for_log("certificate loaded");
    assert_eq!((&loaded["level"], &loaded["expired"]), (&"WARN".into(), &true.into()), "{loaded}");
    assert_eq!(end(&proxy), Some(1_577_836_800.0));
    authority.install(&authority.issue_until(NAME, 2100));
    eventually("the metric is that of the new one", || end(&proxy).filter(|end| *end == 4_102_444_800.0));
}

#[test]
fn check_warns_of_a_certificate_that_has_expired() {
    let (authority, rules) = (Authority::new(), Rules::usual());
    let config = ConfigFile::new(&format!(
        "listen: {}\nadmin: 127.0.0.1:0\nupstream: http://127.0.0.1:1\nrules: {{path: '{}'}}\n",
        authority.listener(),
        rules.path().display()
    ));
    for (year, is_warned_of) in [(2020, true), (2100, false)] {
        authority.install(&authority.issue_until(NAME, year));
        let ended = run(&["check", "--config", &config.argument()]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let warning = "tls.crt:1:1: warning: CertificateExpires: the certificate expired at 2020-01-01T00:00:00Z";
        assert_eq!(ended.stdout.contains(warning), is_warned_of, "{year}: {}", ended.stdout);
        let strict = run(&["check", "--strict", "--config", &config.argument()]);
        assert_eq!(strict.code, Some(i32::from(is_warned_of)), "{strict:?}");
    }
}

#[test]
fn a_certificate_that_is_replaced_under_load_fails_no_handshake_and_no_request() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    authority.install(&authority.issue(NAME));
    let proxy = serving(&authority, &rules, &upstream);
    let has_ended = AtomicBool::new(false);
    let served: usize = std::thread::scope(|scope| {
        let load = || {
            let new = || (!has_ended.load(Ordering::SeqCst)).then(|| authority.connect(proxy.address));
            // Whatever fails here is a panic.
            std::iter::from_fn(new)
                .map(|mut new| assert_eq!([new.get("/bucket/a"), new.get("/bucket/b")], [200; 2]))
                .count()
        };
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(load)).collect();
        for _ in 0..5 {
            let issued = authority.issue(NAME);
            authority.install(&issued);
            eventually("new connections get the new one", || {
                let mut new = authority.connect(proxy.address);
                assert_eq!(new.get("/bucket/key"), 200);
                (new.certificate() == issued.der).then_some(())
            });
        }
        has_ended.store(true, Ordering::SeqCst);
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    println!("{served} connections with 2 requests each while 5 certificates were installed");
    assert!(served > 20, "that is no load: {served}");
}

#[test]
fn a_replacement_that_is_not_right_changes_nothing_and_is_told_once() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    let (first, second) = (authority.issue(NAME), authority.issue(NAME));
    authority.install(&first);
    let proxy = serving(&authority, &rules, &upstream);
    let refused = "certificate not replaced; the last good one stays";
    // Each of them is told, and told once: the next has to be seen twice before it is.
    for (number, (file, text)) in
        [("tls.crt", second.certificate.as_str()), ("tls.crt", "nonsense"), ("tls.key", ""), ("tls.key", &second.key)]
            .into_iter()
            .enumerate()
    {
        std::fs::write(authority.path(file), text).unwrap();
        eventually("it is told", || (count(&proxy, refused) > number).then_some(()));
        let mut new = authority.connect(proxy.address);
        assert_eq!((new.get("/bucket/key"), new.certificate()), (200, first.der.clone()), "{file}: {text}");
    }
    std::fs::remove_file(authority.path("tls.key")).unwrap();
    eventually("a missing file is told", || (count(&proxy, refused) > 4).then_some(()));
    authority.install(&second);
    eventually("what is right again is taken", || (count(&proxy, "certificate replaced") == 1).then_some(()));
    assert_eq!(count(&proxy, refused), 5, "{:#?}", proxy.log());
    let mut new = authority.connect(proxy.address);
    assert_eq!((new.get("/bucket/key"), new.certificate()), (200, second.der));
    let secret = second.key.lines().nth(1).unwrap();
    assert!(!format!("{:?}", proxy.log()).contains(secret), "nothing of a key is logged");
}

#[test]
fn files_that_can_not_be_used_end_the_start_and_are_named() {
    let (authority, rules) = (Authority::new(), Rules::usual());
    let (issued, other) = (authority.issue(NAME), authority.issue(NAME));
    let encrypted = issued.key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let file = ConfigFile::new(&format!("listen: {}\nadmin: 127.0.0.1:0\n", authority.listener()));
    let rules = rules.path().to_str().unwrap();
    for (certificate, key, named, said) in [
        (None, Some(&issued.key), "tls.crt", "No such file"),
        (Some(&issued.certificate), None, "tls.key", "No such file"),
        (Some(&issued.key), Some(&issued.key), "tls.crt", "no certificate in it"),
        (Some(&issued.certificate), Some(&issued.certificate), "tls.key", "no private key in it"),
        (Some(&issued.certificate), Some(&encrypted), "tls.key", "not encrypted"),
        (Some(&issued.certificate), Some(&other.key), "tls.key", "does not fit the first certificate in "),
        (Some(&issued.certificate[..200].to_owned()), Some(&issued.key), "tls.crt", "not valid PEM"),
        (Some(&issued.key.replace("PRIVATE KEY", "CERTIFICATE")), Some(&issued.key), "tls.crt", "cannot be read"),
    ] {
        for (name, text) in [("tls.crt", certificate), ("tls.key", key)] {
            let _ = std::fs::remove_file(authority.path(name));
            if let Some(text) = text {
                std::fs::write(authority.path(name), text).unwrap();
            }
        }
        let config = file.argument();
        let ended = run(&["serve", "--config", &config, "--upstream", "http://127.0.0.1:1", "--rules", rules]);
        assert_eq!(ended.code, Some(1), "{said}: {ended:?}");
        let place = format!("{}: ", authority.path(named).display());
        assert!(ended.stderr.contains(&place) && ended.stderr.contains(said), "{said}: {}", ended.stderr);
        let checked = run(&["check", "--config", &config, rules]);
        assert_eq!(checked.code, Some(1), "{said}: {checked:?}");
        assert!(checked.stdout.contains(authority.path(named).to_str().unwrap()), "{said}: {}", checked.stdout);
    }
    // The flag is for plain addresses: it takes the place of the whole key.
    let upstream = Upstream::ok("body");
    let proxy = configured(rules.as_ref(), upstream.address, &format!("listen: {}", authority.listener()));
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).text(), "body");
}

#[test]
fn a_client_that_names_only_http_1_0_is_served() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    authority.install(&authority.issue("s3.example.test"));
    for http2 in ["true", "false"] {
        let listener = authority.listener().replace("tls:", &format!("http2: {http2}, tls:"));
        let proxy = listening(rules.path(), upstream.address, &format!("listen: {listener}\n"));
        let mut client = authority.client(rustls::ALL_VERSIONS);
        client.alpn_protocols = vec![b"http/1.0".to_vec()];
        assert_eq!(TlsConnection::of(&Arc::new(client), proxy.address).get("/bucket/key"), 200, "http2: {http2}");
    }
}
