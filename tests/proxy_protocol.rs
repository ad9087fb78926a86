//! The PROXY protocol: a load balancer says who the client is, and a connection that does not begin so is closed.

use crate::support::eventually;
use crate::support::process::{ConfigFile, s3cors};
use crate::support::proxy::{Proxy, is_own};
use crate::support::rules::Rules;
use crate::support::tls::Authority;
use crate::support::upstream::Upstream;

const GET: &str = "GET /bucket/key HTTP/1.1\r\nHost: x\r\n\r\n";
/// Of version 2: from 192.0.2.1:4660 over TCP and IPv4.
const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\x7f\0\0\x01\x12\x34\0\x50";
/// The same, with the extension that says that the client spoke TLS.
const BINARY_TLS: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14\xc0\0\x02\x01\x7f\0\0\x01\x12\x34\0\x50\x20\0\x05\x01\0\0\0\0";
/// Of the balancer itself, which looks whether the listener lives.
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

fn start(settings: &str) -> (Upstream, Proxy, (Rules, ConfigFile)) {
    let (rules, upstream) = (Rules::usual(), Upstream::ok("body"));
    let config = ConfigFile::new(settings);
    let mut command = s3cors(&["serve", "--admin", "127.0.0.1:0"]);
    command.args(["--upstream", &format!("http://{}", upstream.address), "--config", &config.argument()]);
    command.arg("--rules").arg(rules.path());
    (upstream, Proxy::spawn(command), (rules, config))
}

/// The configuration of one listener, with the driver that the tests run with.
fn listener(listener: &str) -> String {
    let driver = if is_own() { "own" } else { "pingora" };
    format!("listen: {listener}\ndrivers: {driver}\n")
}

fn clients(proxy: &Proxy, count: usize) -> Vec<String> {
    eventually("the requests are logged", || {
        let lines = proxy.log().into_iter().filter(|line| line["target"] == "access");
        let clients: Vec<_> = lines.map(|line| line["client"].as_str().unwrap().to_owned()).collect();
        (clients.len() == count).then_some(clients)
    })
}

#[test]
fn the_client_is_the_one_that_the_header_names() {
    let (upstream, proxy, _kept) = start(&listener("{address: '127.0.0.1:0', proxy_protocol: true}"));
    for (header, client, proto) in [
        (b"PROXY TCP4 192.0.2.1 127.0.0.1 4660 80\r\n".as_slice(), "192.0.2.1:4660", "http"),
        (b"PROXY TCP6 2001:db8::1 ::1 4660 80\r\n", "[2001:db8::1]:4660", "http"),
        (BINARY, "192.0.2.1:4660", "http"),
        (BINARY_TLS, "192.0.2.1:4660", "https"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1:", "http"),
        (LOCAL, "127.0.0.1:", "http"),
    ] {
        let shown = header.escape_ascii().to_string();
        let mut connection = proxy.connect();
        // In two parts, and with the request in the same packet as the second.
        let (first, second) = header.split_at(header.len() / 2);
        connection.send(first).send([second, GET.as_bytes()].concat());
        assert_eq!(connection.receive().status, 200, "{shown}");
        assert_eq!(connection.send(GET).receive().status, 200, "it counts for all requests of the connection: {shown}");
        let arrived = upstream.received();
        let logged = clients(&proxy, arrived.len());
        for (request, logged) in arrived.iter().zip(logged).rev().take(2) {
            assert!(logged.starts_with(client), "{shown}: {logged}");
            let ip = client.rsplit_once(':').unwrap().0.trim_matches(['[', ']']);
            assert_eq!(request.header("x-forwarded-for").as_deref(), Some(ip), "{shown}");
            assert_eq!(request.header("x-forwarded-proto").as_deref(), Some(proto), "{shown}");
        }
    }
}

#[test]
fn a_client_behind_the_balancer_cannot_add_to_what_it_says() {
    let (upstream, proxy, _kept) = start(&listener("{address: '127.0.0.1:0', proxy_protocol: true}"));
    let spoofed =
        "GET /bucket/key HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n\r\n";
    assert_eq!(proxy.connect().send([BINARY, spoofed.as_bytes()].concat()).receive().status, 200);
    let arrived = upstream.only_request();
    assert_eq!(arrived.header("x-forwarded-for").as_deref(), Some("192.0.2.1"));
    assert_eq!(arrived.header("x-forwarded-proto").as_deref(), Some("http"));
    // A second header is no request.
    let mut connection = proxy.connect();
    connection.send([BINARY, b"PROXY TCP4 10.0.0.1 127.0.0.1 1 2\r\n", GET.as_bytes()].concat());
    assert_ne!(connection.rest().get(9..12), Some(b"200".as_slice()));
    assert_eq!(upstream.received().len(), 1);
}

#[test]
fn a_connection_without_a_header_is_closed() {
    let (upstream, proxy, _kept) = start(&listener("{address: '127.0.0.1:0', proxy_protocol: true}"));
    for bytes in [
        GET.as_bytes(),
        b"\x16\x03\x01\x02\0",
        b"PROXY TCP4 nonsense\r\nGET / HTTP/1.1\r\n\r\n",
        &[b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat(),
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
    ] {
        let mut connection = proxy.connect();
        connection.send(bytes);
        assert!(connection.is_closed(), "{}", bytes.escape_ascii());
    }
    assert_eq!(upstream.received().len(), 0);
    assert_eq!(proxy.connect().send([BINARY, GET.as_bytes()].concat()).receive().status, 200);
}

#[test]
fn without_the_setting_a_header_is_no_request() {
    let (upstream, proxy, _kept) = start(&listener("127.0.0.1:0"));
    for header in [b"PROXY TCP4 10.0.0.1 127.0.0.1 1 2\r\n".as_slice(), BINARY] {
        let mut connection = proxy.connect();
        connection.send([header, GET.as_bytes()].concat());
        assert_ne!(connection.rest().get(9..12), Some(b"200".as_slice()), "{}", header.escape_ascii());
    }
    assert_eq!(upstream.received().len(), 0);
}

#[test]
fn tls_comes_after_the_header() {
    use std::io::{Read, Write};
    use std::sync::Arc;
    let authority = Authority::new();
    authority.install(&authority.issue("s3.example.test"));
    let tls = authority.listener().replace("{address", "{proxy_protocol: true, address");
    let (upstream, proxy, _kept) = start(&listener(&tls));
    let mut socket = std::net::TcpStream::connect(proxy.address).unwrap();
    socket.write_all(BINARY).unwrap();
    let name = rustls::pki_types::ServerName::try_from("s3.example.test").unwrap();
    let client = Arc::new(authority.client(rustls::ALL_VERSIONS));
    let mut tls = rustls::StreamOwned::new(rustls::ClientConnection::new(client, name).unwrap(), socket);
    tls.write_all(GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    tls.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", answer.escape_ascii());
    let arrived = upstream.only_request();
    assert_eq!(arrived.header("x-forwarded-for").as_deref(), Some("192.0.2.1"));
    assert_eq!(arrived.header("x-forwarded-proto").as_deref(), Some("https"));
}
