//! HTTP/2 for clients: everything that holds for HTTP/1.1 holds over it.

use crate::support::curl::{Fetched, curl, try_curl};
use crate::support::frames::{DATA, END_HEADERS, END_STREAM, Frames, HEADERS, PREFACE, fields, frame};
use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::tls::Authority;
use crate::support::upstream::{Received, Upstream};
use crate::support::{DEADLINE, eventually};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ORIGIN: (&str, &str) = ("Origin", "https://app.example");
const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const H2C: &str = "{address: '127.0.0.1:0', http2: true}";

fn serving(listen: &str, rules: &Rules, upstream: SocketAddr) -> Proxy {
    let file = ConfigFile::new(&format!("listen: {listen}\nadmin: 127.0.0.1:0\ndomains: s3.example.test\n"));
    let mut command = s3cors(&["serve", "--config", &file.argument(), "--rules"]);
    command.arg(rules.path()).args(["--upstream", &format!("http://{upstream}")]);
    Proxy::spawn(command)
}

/// One request over TLS; further arguments decide about the protocol.
fn over_tls(authority: &Authority, address: SocketAddr, path: &str, arguments: &[&str]) -> Fetched {
    let usual = authority.curl(address);
    let url = format!("https://s3.example.test:{}{path}", address.port());
    let all: Vec<_> = usual.iter().map(String::as_str).chain(arguments.iter().copied()).chain([url.as_str()]).collect();
    curl(&all, "")
}

#[test]
fn a_client_chooses_by_alpn() {
    let (authority, rules, upstream) = (Authority::new(), Rules::usual(), Upstream::ok("body"));
    authority.install(&authority.issue("s3.example.test"));
    let listener = authority.listener();
    let without = listener.replace("tls:", "http2: false, tls:");
    for (listener, asked, spoken) in [
        (&listener, "--http2", "HTTP/2"),
        (&listener, "--http1.1", "HTTP/1.1"),
        (&without, "--http2", "HTTP/1.1"),
        (&without, "--http1.1", "HTTP/1.1"),
    ] {
        let proxy = serving(listener, &rules, upstream.address);
        let fetched = over_tls(&authority, proxy.address, "/bucket/key", &[asked, "-H", "Origin: https://app.example"]);
        assert_eq!(
            (fetched.protocol.as_str(), fetched.response.text().as_str()),
            (spoken, "body"),
            "{listener} {asked}"
        );
        assert_eq!(fetched.response.header(ALLOW_ORIGIN), Some(ORIGIN.1));
    }
}

#[test]
fn every_kind_of_answer_comes_over_http_2() {
    let (authority, rules) = (Authority::new(), Rules::usual());
    authority.install(&authority.issue("s3.example.test"));
    let upstream = Upstream::scripted(|served| {
        while let Some(request) = served.request() {
            let (status, body) = match request.request_line().split(' ').nth(1).unwrap() {
                "/bucket/unchanged" => ("304 Not Modified", ""),
                "/bucket/secret" => ("403 Forbidden", "denied"),
                "/bucket/broken" => return,
                _ => ("200 OK", "body"),
            };
            let body = if request.request_line().starts_with("HEAD") { "" } else { body };
            let length = if status.starts_with("304") { 4 } else { body.len() };
            served.send(format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: \"e\"\r\n\r\n{body}"));
        }
    });
    let proxy = serving(&authority.listener(), &rules, upstream.address);
    let preflight = ["-X", "OPTIONS", "-H", "Access-Control-Request-Method: PUT"];
    let file = authority.file();
    let cases: [(&str, &[&str], u16, &str); 9] = [
        ("/bucket/key", &[], 200, "body"),
        ("/bucket/key", &["--head"], 200, ""),
        ("/bucket/key", &["-T", &file], 200, "body"),
        ("/bucket/key", &["-X", "PUT"], 200, "body"),
        ("/bucket/unchanged", &[], 304, ""),
        ("/bucket/secret", &[], 403, "denied"),
        ("/bucket/broken", &[], 502, "<Code>BadGateway</Code>"),
        ("/bucket/broken", &["--head"], 502, ""),
        ("/bucket/key", &preflight, 200, ""),
    ];
    for (path, arguments, status, body) in cases {
        let arguments = [&["--http2", "-H", "Origin: https://app.example"], arguments].concat();
        let Fetched { protocol, response } = over_tls(&authority, proxy.address, path, &arguments);
        assert_eq!((protocol.as_str(), response.status), ("HTTP/2", status), "{path} {arguments:?}");
        assert_eq!(response.header(ALLOW_ORIGIN), Some(ORIGIN.1), "{path} {arguments:?}");
        assert!(response.text().contains(body) && response.body.is_empty() == body.is_empty(), "{path}: {response:?}");
    }
    let denied =
        ["--http2", "-X", "OPTIONS", "-H", "Access-Control-Request-Method: PUT", "-H", "Origin: https://evil.example"];
    let denied = over_tls(&authority, proxy.address, "/bucket/key", &denied);
    assert_eq!((denied.response.status, denied.response.cors()), (403, vec![]));
    assert_eq!(denied.response.element("Code").as_deref(), Some("AccessForbidden"));
    let uploads: Vec<_> = upstream.received().into_iter().filter(|r| r.request_line().starts_with("PUT")).collect();
    assert_eq!(uploads[0].body, std::fs::read(&file).unwrap());
    assert_eq!(uploads.len(), 2, "a preflight is no request of the upstream's");
}

#[test]
fn the_bucket_is_that_of_the_authority_and_the_upstream_gets_it_as_host() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = serving(H2C, &rules, upstream.address);
    let (host, url) = ("bucket.s3.example.test:8443", format!("http://{}/a%2Fb//c?d", proxy.address));
    let arguments = ["--http2-prior-knowledge", "-H", "Origin: https://app.example", "-H"];
    let fetched = curl(&[&arguments[..], &[&format!("Host: {host}"), &url]].concat(), "");
    assert_eq!((fetched.protocol.as_str(), fetched.response.header(ALLOW_ORIGIN)), ("HTTP/2", Some(ORIGIN.1)));
    let received = upstream.only_request();
    assert_eq!(received.request_line(), "GET /a%2Fb//c?d HTTP/1.1");
    assert_eq!(received.header("host").as_deref(), Some(host));
}

#[test]
fn an_upload_of_unknown_length_ends_once() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = serving(H2C, &rules, upstream.address);
    let url = format!("http://{}/bucket/key", proxy.address);
    let (put, get) = ("PUT /bucket/key HTTP/1.1", "GET /bucket/next HTTP/1.1");
    for body in ["", "streamed"] {
        let fetched = curl(&["--http2-prior-knowledge", "-T", "-", &url], body);
        assert_eq!((fetched.protocol.as_str(), fetched.response.text().as_str()), ("HTTP/2", "body"));
        let upload = upstream.received().into_iter().rfind(|request| request.request_line() == put).unwrap();
        assert_eq!(upload.body, body.as_bytes());
        assert_eq!(upload.header("transfer-encoding").as_deref(), Some("chunked"));
        // What is left on the connection would be the beginning of the next request that it is used for.
        eventually("the upload's connection is used again", || {
            // Over HTTP/2 as well: only the same driver can use the connection again.
            let next = curl(&["--http2-prior-knowledge", &format!("http://{}/bucket/next", proxy.address)], "");
            assert_eq!(next.response.text(), "body");
            let mut received = upstream.received();
            let lines: Vec<_> = received.iter().map(Received::request_line).collect();
            assert!(lines.iter().all(|line| [put, get].contains(&line.as_str())), "{lines:#?}");
            let next = received.pop()?;
            (next.connection == upload.connection).then_some(())
        });
    }
}

#[test]
fn without_tls_both_protocols_share_a_port_where_that_is_asked_for() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    for (listen, knows, protocol) in [(H2C, true, "HTTP/2"), ("127.0.0.1:0", false, "HTTP/1.1")] {
        let proxy = serving(listen, &rules, upstream.address);
        let url = format!("http://{}/bucket/key", proxy.address);
        let known = try_curl(&["--http2-prior-knowledge", &url], "");
        assert_eq!((known.code == Some(0), known.stdout.starts_with("HTTP/2 200")), (knows, knows), "{known:?}");
        // One connection for several requests, also to the listener that looks for HTTP/2 first.
        let mut connection = proxy.connect();
        for _ in 0..2 {
            connection.send("GET /bucket/key HTTP/1.1\r\nHost: x\r\n\r\n");
            assert_eq!(connection.receive().text(), "body", "{protocol}");
        }
    }
}

#[test]
fn what_a_client_may_use_is_bounded_and_said() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = serving(H2C, &rules, upstream.address);
    let mut stream = TcpStream::connect(proxy.address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(PREFACE).unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[3], 4, "a frame of settings comes first");
    let mut settings = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    stream.read_exact(&mut settings).unwrap();
    let value = |id: u8| {
        let setting = settings.chunks(6).find(|setting| setting[..2] == [0, id]);
        setting.map(|setting| u32::from_be_bytes(setting[2..].try_into().unwrap()))
    };
    assert_eq!((value(3), value(6)), (Some(256), Some(64 * 1024)), "streams and heads: {settings:?}");
    eventually("it is counted", || proxy.metric("s3cors_connections_open").filter(|open| *open == 1.0));
    drop(stream);
    eventually("it is gone", || proxy.metric("s3cors_connections_open").filter(|open| *open == 0.0));

    let url = format!("http://{}/bucket/key", proxy.address);
    for (length, forwarded) in [(60_000, true), (70_000, false)] {
        let header = format!("x-amz-meta-a: {}", "a".repeat(length));
        let ended = try_curl(&["--http2-prior-knowledge", "-H", &header, &url], "");
        assert_eq!(ended.stdout.starts_with("HTTP/2 200"), forwarded, "{length}: {ended:?}");
    }
    assert_eq!(upstream.received().len(), 1);
}

#[test]
fn a_date_passes_and_an_announcement_of_trailers_does_not() {
    let rules = Rules::usual();
    let date = "Tue, 15 Nov 1994 08:12:31 GMT";
    let upstream = Upstream::answering(format!(
        "HTTP/1.1 200 OK\r\nDate: {date}\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\n\r\n\
         4\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n"
    ));
    let proxy = serving(H2C, &rules, upstream.address);
    let url = format!("http://{}/bucket/key", proxy.address);
    let fetched = curl(&["--http2-prior-knowledge", &url], "");
    assert_eq!((fetched.protocol.as_str(), fetched.response.text().as_str()), ("HTTP/2", "body"));
    assert_eq!(fetched.response.header("date"), Some(date));
    for name in ["trailer", "x-sum"] {
        assert_eq!(fetched.response.header(name), None, "{:?}", fetched.response);
    }
}

#[test]
fn a_tunnel_is_refused_with_the_error_that_s3_has() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let proxy = serving(H2C, &rules, upstream.address);
    let mut connection = Frames::open(proxy.address);
    let connect = fields(&[(":method", "CONNECT"), (":authority", "h:443")]);
    connection.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &connect));
    let frames = connection.all_of(1);
    let data = frames.iter().filter(|frame| frame.kind == DATA).flat_map(|frame| frame.payload.clone());
    assert!(String::from_utf8(data.collect()).unwrap().contains("<Code>MethodNotAllowed</Code>"), "{frames:?}");
    assert!(upstream.received().is_empty());
}

#[test]
fn a_connection_without_requests_is_closed() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let listen = format!("{H2C}\nlimits: {{idle: 1s}}");
    let proxy = serving(&listen, &rules, upstream.address);
    let mut stream = TcpStream::connect(proxy.address).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(PREFACE).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn a_client_that_drips_its_first_bytes_has_one_deadline_for_them_and_its_head() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let listen = format!("{H2C}\nlimits: {{header_read: 1s}}");
    let proxy = serving(&listen, &rules, upstream.address);
    let started = Instant::now();
    let mut connection = proxy.connect();
    // It may still become a client of HTTP/2, whose first bytes are 24.
    connection.send("GET /bucket/key HTTP/1.");
    let answer = connection.receive();
    assert_eq!((answer.status, answer.element("Code").as_deref()), (408, Some("RequestTimeout")));
    assert!(started.elapsed() < Duration::from_millis(1900), "{:?}", started.elapsed());
    // A whole request may be shorter than that; no one is to wait for more.
    let answer = proxy.connect().send("GET / HTTP/1.0\r\n\r\n").receive();
    assert_eq!(answer.text(), "body");
    assert!(started.elapsed() < Duration::from_millis(1900), "{:?}", started.elapsed());
}

#[test]
fn an_upload_that_stops_is_its_clients_fault() {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let listen = format!("{H2C}\nlimits: {{body_read: 1s}}");
    let proxy = serving(&listen, &rules, upstream.address);
    let url = format!("http://{}/bucket/key", proxy.address);
    let mut command = Command::new("curl");
    command.args(["--silent", "--http2-prior-knowledge", "--max-time", "10", "--upload-file", ".", &url]);
    let mut client = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut body = client.stdin.take().unwrap();
    body.write_all(b"the beginning").unwrap();
    // curl does not look for an answer while it has nothing to send.
    let refused = "s3cors_http_requests_total{code=\"408\",method=\"PUT\"}";
    eventually("it is refused", || (proxy.metric(refused) == Some(1.0)).then_some(()));
    client.kill().unwrap();
    client.wait().unwrap();
    assert_eq!(proxy.metric("s3cors_upstream_errors_total{kind=\"timeout\"}"), Some(0.0));
}
