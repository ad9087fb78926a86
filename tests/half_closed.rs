//! A client that ends its sending side after its request (`nc`, a health check) still reads. One that breaks its connection off does not.

use crate::support::DEADLINE;
use crate::support::http::request;
use crate::support::process::listening;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::tls::Authority;
use crate::support::upstream::{Served, Upstream};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// Each ends its connection with a response that says so, also where the client would have kept it.
const REQUESTS: [(&str, &str); 6] = [
    ("GET /bucket/key HTTP/1.0\r\nHost: h\r\n\r\n", "HTTP/1.0, GET"),
    ("GET /bucket/key HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.0, keep-alive"),
    ("GET /bucket/key HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1, GET"),
    ("HEAD /bucket/key HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "HTTP/1.1, HEAD"),
    ("PUT /bucket/key HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", "HTTP/1.1, PUT"),
    ("PUT /bucket/key HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", "chunked PUT"),
];

/// An upstream that responds once the proxy has seen the end of what the client sends.
fn slow_upstream() -> Upstream {
    Upstream::scripted(|served: &mut Served| {
        while let Some(request) = served.request() {
            // The proxy reads what comes while it waits.
            std::thread::park_timeout(std::time::Duration::from_millis(100));
            let body = if request.request_line().starts_with("HEAD") { "" } else { "body" };
            if !served.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{body}")) {
                return;
            }
        }
    })
}

fn assert_is_last(case: &str, received: &[u8], bodies: usize) {
    let text = String::from_utf8_lossy(received).into_owned();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{case}: {text:?}");
    assert!(text.contains("\r\nconnection: close\r\n"), "{case}: {text:?}");
    assert_eq!(text.matches("\r\n\r\nbody").count(), bodies, "{case}: {text:?}");
}

#[test]
fn a_client_that_ends_its_sending_side_gets_its_response() {
    let (rules, upstream) = (Rules::usual(), slow_upstream());
    let proxy = Proxy::start(rules.path(), upstream.address);
    for (sent, case) in REQUESTS {
        let mut connection = proxy.connect();
        connection.send(sent).finish_sending();
        assert_is_last(case, &connection.rest(), usize::from(!sent.starts_with("HEAD")));
    }
}

#[test]
fn a_client_that_ends_its_sending_side_of_tls_gets_its_response() {
    let (rules, upstream, authority) = (Rules::usual(), slow_upstream(), Authority::new());
    authority.install(&authority.issue("s3.example.test"));
    let proxy = listening(rules.path(), upstream.address, &format!("listen: {}\n", authority.listener()));
    let client = Arc::new(authority.client(rustls::ALL_VERSIONS));
    // With the farewell of TLS, and by a client that only ends TCP.
    for says_farewell in [true, false] {
        for (sent, case) in REQUESTS {
            let name = ServerName::try_from("s3.example.test").unwrap();
            let socket = TcpStream::connect_timeout(&proxy.address, DEADLINE).unwrap();
            socket.set_read_timeout(Some(DEADLINE)).unwrap();
            let mut stream = StreamOwned::new(ClientConnection::new(Arc::clone(&client), name).unwrap(), socket);
            stream.write_all(sent.as_bytes()).unwrap();
            if says_farewell {
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            }
            stream.sock.shutdown(Shutdown::Write).unwrap();
            let mut received = Vec::new();
            // Its end is no concern of this test.
            let _ = stream.read_to_end(&mut received);
            assert_is_last(case, &received, usize::from(!sent.starts_with("HEAD")));
        }
    }
}

#[test]
fn all_requests_that_came_before_the_end_are_served() {
    let (rules, upstream) = (Rules::usual(), slow_upstream());
    let proxy = Proxy::start(rules.path(), upstream.address);
    let mut connection = proxy.connect();
    let three =
        [("GET", ""), ("PUT", "1234"), ("GET", "")].map(|(method, body)| request(method, "/bucket/k", &[], body));
    connection.send(three.concat()).finish_sending();
    let text = String::from_utf8(connection.rest()).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3, "{text}");
    assert_eq!(text.matches("connection: close").count(), 1, "{text}");
    assert_eq!(upstream.received().len(), 3);
}

/// An upstream that tells when its connection ends.
fn waiting_upstream() -> (Upstream, Receiver<bool>) {
    let (ended, is_ended) = channel();
    let ended = Mutex::new(ended);
    let upstream = Upstream::scripted(move |served: &mut Served| {
        served.request_head();
        let rest = served.read(1);
        ended.lock().unwrap().send(rest.is_empty()).unwrap();
    });
    (upstream, is_ended)
}

#[test]
fn a_client_that_breaks_off_ends_the_work_of_the_upstream() {
    let rules = Rules::usual();
    let (upstream, is_ended) = waiting_upstream();
    let proxy = Proxy::start(rules.path(), upstream.address);
    let mut connection = proxy.connect();
    connection.send(request("GET", "/bucket/key", &[], ""));
    upstream.only_request();
    connection.reset();
    assert!(is_ended.recv_timeout(DEADLINE).unwrap(), "the connection to the upstream is closed");
}

/// A request that can never be whole has no response.
#[test]
fn a_client_that_ends_in_mid_request_ends_the_work_of_the_upstream() {
    let rules = Rules::usual();
    for sent in [
        "PUT /bucket/key HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n",
        "PUT /bucket/key HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let (upstream, is_ended) = waiting_upstream();
        let proxy = Proxy::start(rules.path(), upstream.address);
        let mut connection = proxy.connect();
        connection.send(sent).finish_sending();
        assert_eq!(connection.rest(), b"");
        assert!(is_ended.recv_timeout(DEADLINE).unwrap(), "the connection to the upstream is closed");
    }
}
