//! Answers on their way to the client: status, headers and body stay the upstream's, hop-by-hop headers do not.

use crate::support::http::{Response, request};
use crate::support::proxy::{Proxy, is_own};
use crate::support::rules::Rules;
use crate::support::upstream::Upstream;

const ORIGIN: (&str, &str) = ("Origin", "https://app.example");

/// What a client gets for a request when the upstream answers with these bytes and closes.
fn answer_to(method: &str, upstream: impl Into<Vec<u8>>) -> Response {
    let (rules, bytes) = (Rules::usual(), upstream.into());
    let upstream = Upstream::scripted(move |served| {
        served.request();
        served.send(&bytes);
    });
    let proxy = Proxy::start(rules.path(), upstream.address);
    proxy.fetch(method, "/bucket/key", &[ORIGIN])
}

#[test]
fn an_answer_without_a_body_keeps_what_it_says_about_one() {
    for (method, status, headers, length) in [
        ("HEAD", "200 OK", "Content-Length: 4242\r\nETag: \"e\"\r\n", Some("4242")),
        ("HEAD", "404 Not Found", "Content-Length: 300\r\nETag: \"e\"\r\n", Some("300")),
        ("GET", "304 Not Modified", "Content-Length: 4242\r\nETag: \"e\"\r\n", Some("4242")),
        ("GET", "304 Not Modified", "ETag: \"e\"\r\n", None),
        ("GET", "204 No Content", "ETag: \"e\"\r\n", None),
    ] {
        let (rules, upstream) = (Rules::usual(), Upstream::answering(format!("HTTP/1.1 {status}\r\n{headers}\r\n")));
        let proxy = Proxy::start(rules.path(), upstream.address);
        let mut connection = proxy.connect();
        // Twice: a length that was taken for a body's would swallow the second answer.
        for _ in 0..2 {
            let answer = connection.send(request(method, "/bucket/key", &[ORIGIN], "")).receive_to(method);
            assert_eq!(answer.status.to_string(), status[..3], "{method}");
            assert_eq!(answer.header("content-length"), length, "{method} {status}");
            assert_eq!(answer.header("etag"), Some("\"e\""), "{method} {status}");
            assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN.1), "{method} {status}");
        }
    }
}

#[test]
fn a_body_is_the_same_however_its_end_is_said() {
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;ext=1\r\nd\r\n0\r\nx-trailer: 1\r\n\r\n";
    for (case, upstream) in [
        ("length", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd".to_owned()),
        ("chunked", format!("HTTP/1.1 200 OK\r\n{chunked}")),
        ("until closed", "HTTP/1.1 200 OK\r\n\r\nabcd".to_owned()),
        ("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nabcd".to_owned()),
    ] {
        let answer = answer_to("GET", upstream);
        assert_eq!((answer.status, answer.text().as_str()), (200, "abcd"), "{case}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN.1), "{case}");
    }
}

#[test]
fn every_byte_of_a_body_passes() {
    let body: Vec<u8> = (0..300_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let answer = answer_to(
        "GET",
        [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), &body].concat(),
    );
    assert!(answer.body == body, "{} bytes", answer.body.len());
}

#[test]
fn headers_keep_case_order_of_values_and_number() {
    let answer = answer_to(
        "GET",
        "HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\nContent-Range: bytes 0-3/10\r\nETag: \"e\"\r\nx-amz-META-a: b  c\r\n\
         Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nServer: MinIO\r\nx-amz-request-id: UPSTREAM\r\nContent-Encoding: gzip\r\n\
         x-amz-meta-utf8: gr\u{fc}n\r\n\r\nabcd",
    );
    assert_eq!((answer.status, answer.text().as_str()), (206, "abcd"));
    for (name, value) in [
        ("Content-Range", "bytes 0-3/10"),
        ("ETag", "\"e\""),
        ("x-amz-META-a", "b  c"),
        ("Server", "MinIO"),
        ("x-amz-request-id", "UPSTREAM"),
        ("Content-Encoding", "gzip"),
        ("x-amz-meta-utf8", "gr\u{fc}n"),
    ] {
        assert!(answer.headers.contains(&(name.to_owned(), value.to_owned())), "{name}: {answer:?}");
    }
    assert_eq!(answer.all("set-cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
}

#[test]
fn what_is_for_the_upstreams_hop_only_ends_here() {
    let answer = answer_to(
        "GET",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\nKeep-Alive: timeout=1, max=1\r\n\
         Proxy-Connection: close\r\nTrailer: x-sum\r\ntrailer: x-sum-2\r\n\r\n4\r\nabcd\r\n0\r\nx-sum: 1\r\nx-sum-2: 2\r\n\r\n",
    );
    assert_eq!(answer.text(), "abcd");
    for name in ["keep-alive", "proxy-connection", "trailer", "x-sum", "x-sum-2"] {
        assert_eq!(answer.header(name), None, "{answer:?}");
    }
    assert_eq!(answer.header("connection"), Some("keep-alive"), "the client's connection is its own matter");
}

#[test]
fn an_interim_answer_passes_without_headers_of_ours_and_for_cors() {
    for interim in [
        "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nAccess-Control-Allow-Origin: *\r\nACCESS-CONTROL-ALLOW-CREDENTIALS: true\r\n\
         Link: </a>; rel=preload\r\naccess-control-allow-origin: https://evil.example\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: *\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nConnection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 4\r\nLink: </a>\r\n\r\n",
    ] {
        let bytes = format!("{interim}{interim}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd");
        let (rules, upstream) = (Rules::usual(), Upstream::answering(bytes));
        let proxy = Proxy::start(rules.path(), upstream.address);
        let mut connection = proxy.connect();
        connection.send(request("PUT", "/bucket/key", &[ORIGIN, ("Expect", "100-continue")], "body"));
        for _ in 0..2 {
            let head = connection.receive();
            assert_eq!(head.status.to_string(), interim[9..12]);
            let names: Vec<_> = head.headers.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, if head.status == 103 { &["Link"][..] } else { &[] });
        }
        let answer = connection.receive();
        assert_eq!((answer.status, answer.text().as_str()), (200, "abcd"));
        assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN.1));
    }
}

#[test]
fn the_date_is_the_upstreams() {
    let date = "Tue, 15 Nov 1994 08:12:31 GMT";
    let answer = answer_to("GET", format!("HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 4\r\n\r\nabcd"));
    // Pingora 0.9.1 writes its own over it, and has no setting for that.
    assert_eq!(answer.header("date") == Some(date), is_own(), "{answer:?}");
}

#[test]
fn the_first_bytes_reach_the_client_as_soon_as_they_are_here() {
    for (head, first, last) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "a", "b"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", "1\r\nb\r\n0\r\n\r\n"),
        ("HTTP/1.1 200 OK\r\n\r\n", "a", "b"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", "", "b"),
    ] {
        let (release, released) = std::sync::mpsc::channel::<()>();
        let released = std::sync::Mutex::new(released);
        let upstream = Upstream::scripted(move |served| {
            served.request();
            for piece in [head, first] {
                served.send(piece);
                served.wait_until_read();
            }
            // Sends no more before the client has what is here.
            let _ = released.lock().unwrap().recv();
            served.send(last);
        });
        let rules = Rules::usual();
        let proxy = Proxy::start(rules.path(), upstream.address);
        let mut connection = proxy.connect();
        connection.send(request("GET", "/bucket/key", &[("Connection", "close")], ""));
        assert_eq!(connection.receive_head(), 200);
        let expected = if head.contains("Length") { first } else { "1\r\na\r\n" };
        let mut bytes = vec![0; expected.len()];
        std::io::Read::read_exact(connection.unread(), &mut bytes).unwrap();
        assert_eq!(bytes, expected.as_bytes(), "{head}");
        release.send(()).unwrap();
        assert!(connection.rest().contains(&b'b'));
    }
}
