//! A response that begins before its request has ended: both go on together, until the response ends.

use crate::support::bytes;
use crate::support::eventually;
use crate::support::frames::{
    DATA, END_HEADERS, END_STREAM, Frames, HEADERS, RST_STREAM, SETTINGS, WINDOW_UPDATE, fields, frame,
};
use crate::support::http::request;
use crate::support::process::listening;
use crate::support::proxy::Proxy;
use crate::support::rules::Rules;
use crate::support::upstream::{Served, Upstream};
use std::io::Read as _;
use std::time::Duration;

/// The beginning of a CompleteMultipartUpload, whose response may take minutes: a head, then blanks (S3 API).
const BEGINNING: &str =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/xml\r\n\r\n1\r\n \r\n";

/// Begins a response, reads the request's body, and ends the response with its length.
fn early(served: &mut Served) {
    while let Some(request) = served.request_head() {
        if !request.request_line().starts_with("PUT") {
            served.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
            continue;
        }
        served.send(BEGINNING);
        let Some(body) = served.body(&request) else { return };
        let got = format!("<got>{}</got>", body.len());
        served.send(format!("{:x}\r\n{got}\r\n0\r\n\r\n", got.len()));
    }
}

fn before(upstream: &Upstream, rules: &Rules, configuration: &str) -> Proxy {
    let usual = "listen: {address: '127.0.0.1:0', http2: true}\n";
    listening(rules.path(), upstream.address, &format!("{usual}{configuration}"))
}

#[test]
fn an_upload_goes_on_beside_its_response_over_http_1_1() {
    let (rules, upstream) = (Rules::usual(), Upstream::scripted(early));
    let proxy = before(&upstream, &rules, "");
    let large = bytes(3_000_000);
    for (case, head, first, rest) in [
        ("a length", "Content-Length: 10", &b"01234"[..], b"56789".to_vec()),
        ("nothing with the head", "Content-Length: 10", b"", b"0123456789".to_vec()),
        ("chunks", "Transfer-Encoding: chunked", b"5\r\n01234\r\n", b"5\r\n56789\r\n0\r\n\r\n".to_vec()),
        ("a large body", "Content-Length: 3000000", &large[..1000], large[1000..].to_vec()),
    ] {
        let mut connection = proxy.connect();
        connection.send([format!("PUT /bucket/key HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n").as_bytes(), first].concat());
        // The response has begun before the rest is sent.
        assert_eq!(connection.receive_head(), 200, "{case}");
        connection.send(rest);
        let mut text = String::new();
        connection.unread().read_to_string(&mut text).unwrap();
        let length = if case == "a large body" { 3_000_000 } else { 10 };
        assert!(text.contains(&format!("<got>{length}</got>")) && text.ends_with("0\r\n\r\n"), "{case}: {text:?}");
    }
    // Both halves have ended each time, so that the connection to the upstream was used again.
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).text(), "body");
    assert!(upstream.received().iter().all(|request| request.connection == 0), "{:?}", upstream.received());
}

fn put(length: usize) -> Vec<u8> {
    let length = length.to_string();
    let lines = [
        (":method", "PUT"),
        (":scheme", "http"),
        (":path", "/bucket/key"),
        (":authority", "h"),
        ("content-length", length.as_str()),
    ];
    frame(HEADERS, END_HEADERS, 1, &fields(&lines))
}

#[test]
fn an_upload_goes_on_beside_its_response_over_http_2() {
    let (rules, upstream) = (Rules::usual(), Upstream::scripted(early));
    let proxy = before(&upstream, &rules, "");
    let mut connection = Frames::open(proxy.address);
    connection.send(&put(10));
    assert_eq!(connection.next_of(1).kind, HEADERS);
    assert_eq!(connection.next_of(1).payload, b" ");
    connection.send(&frame(DATA, 0, 1, b"01234"));
    connection.send(&frame(DATA, END_STREAM, 1, b"56789"));
    let frames = connection.all_of(1);
    let data: Vec<_> =
        frames.iter().filter(|frame| frame.kind == DATA).flat_map(|frame| frame.payload.clone()).collect();
    assert_eq!(String::from_utf8(data).unwrap(), "<got>10</got>");
    assert!(frames.last().unwrap().ends());
    eventually("it is counted", || proxy.metric("s3cors_http_request_bytes_total").filter(|bytes| *bytes == 10.0));
    assert_eq!(proxy.fetch("GET", "/bucket/key", &[]).text(), "body");
    assert!(upstream.received().iter().all(|request| request.connection == 0), "{:?}", upstream.received());
}

/// Sends a large response and reads the request only after it.
fn deaf(served: &mut Served) {
    let Some(request) = served.request_head() else { return };
    let large = bytes(4_000_000);
    if !served.send([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3d0900\r\n", &large[..], b"\r\n"].concat())
    {
        return;
    }
    let Some(body) = served.body(&request) else { return };
    let got = format!("<got>{}</got>", body.len());
    served.send(format!("{:x}\r\n{got}\r\n0\r\n\r\n", got.len()));
}

#[test]
fn an_upstream_that_answers_before_it_reads_does_not_stop_a_client_that_does_both() {
    let (rules, upstream) = (Rules::usual(), Upstream::scripted(deaf));
    let proxy = before(&upstream, &rules, "");
    let mut connection = proxy.connect();
    connection.send("PUT /bucket/key HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n");
    let mut sending = connection.stream().try_clone().unwrap();
    let sender = std::thread::spawn(move || std::io::Write::write_all(&mut sending, &bytes(4_000_000)).is_ok());
    let answer = connection.receive();
    assert!(sender.join().unwrap());
    let large = bytes(4_000_000);
    assert!(answer.body.starts_with(&large) && answer.body.ends_with(b"<got>4000000</got>"), "{}", answer.body.len());
}

/// The log's code of the failure, which also ends the exchange.
fn failure(proxy: &mut Proxy, message: &str) -> String {
    proxy.wait_for_log(message)["error"].as_str().unwrap().to_owned()
}

#[test]
fn the_side_that_stops_is_to_blame() {
    let limits = "limits: {body_read: 300ms, body_write: 300ms}\nlog: {level: debug}\nupstream: {timeouts: {read: 300ms, \
        write: 300ms}}\n";
    let large = bytes(30_000_000);
    let whole = b"0123456789".to_vec();
    // What the client sends after the response has begun, and whether the upstream reads.
    for (case, length, rest, reads, message, code) in [
        ("a client that does not send", 10, &whole[..5], true, "request failed", "ClientReadTimedout"),
        ("an upstream that does not read", 30_000_000, &large, false, "upstream failed", "WriteTimedout"),
        ("an upstream that does not end", 10, &whole, true, "upstream failed", "ReadTimedout"),
    ] {
        let rules = Rules::usual();
        let upstream = Upstream::scripted(move |served: &mut Served| {
            let Some(request) = served.request_head() else { return };
            served.send(BEGINNING);
            if reads {
                served.body(&request);
            }
            // Until the proxy gives up.
            std::thread::park_timeout(Duration::from_secs(5));
        });
        let mut proxy = before(&upstream, &rules, limits);
        let mut connection = proxy.connect();
        connection.send(format!("PUT /bucket/key HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n"));
        assert_eq!(connection.receive_head(), 200, "{case}");
        let _ = connection.try_send(rest);
        assert_eq!(failure(&mut proxy, message), code, "{case}");
        let text = String::from_utf8(connection.rest()).unwrap();
        assert!(!text.contains("0\r\n\r\n"), "{case}: a broken response never looks whole: {text:?}");
    }
}

#[test]
fn neither_side_reads_while_it_sends_and_both_are_let_go() {
    let limits = "limits: {body_read: 300ms, body_write: 300ms}\nlog: {level: debug}\n";
    // More than all buffers on the way take.
    let endless = |served: &mut Served| {
        if served.request_head().is_some() {
            served.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            while served.send(bytes(1_000_000)) {}
        }
    };
    let (rules, upstream) = (Rules::usual(), Upstream::scripted(endless));
    let mut proxy = before(&upstream, &rules, limits);
    let mut connection = proxy.connect();
    connection.send("PUT /bucket/key HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n");
    while connection.try_send([b'x'; 10_000]).is_ok() {}
    assert_eq!(failure(&mut proxy, "request failed"), "ClientWriteError");
    eventually("nothing is in flight", || proxy.metric("s3cors_http_requests_in_flight").filter(|n| *n == 0.0));
}

#[test]
fn a_client_without_a_window_over_http_2_does_not_stop_its_own_upload() {
    let limits = "limits: {body_read: 300ms, body_write: 300ms}\nlog: {level: debug}\n";
    let (rules, upstream) = (Rules::usual(), Upstream::scripted(early));
    let mut proxy = before(&upstream, &rules, limits);
    let mut connection = Frames::open(proxy.address);
    // SETTINGS_INITIAL_WINDOW_SIZE 1: the first blank has room, the rest has none until the client gives it.
    connection.send(&[frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1]), put(10)].concat());
    assert_eq!(connection.next_of(1).kind, HEADERS);
    assert_eq!(connection.next_of(1).payload, b" ");
    connection.send(&frame(DATA, END_STREAM, 1, b"0123456789"));
    eventually("the upload is whole", || proxy.metric("s3cors_http_request_bytes_total").or(Some(0.0)));
    connection.send(&frame(WINDOW_UPDATE, 0, 1, &1000_u32.to_be_bytes()));
    let frames = connection.all_of(1);
    assert!(frames.last().unwrap().ends(), "{frames:?}");
    // One that gives none is let go.
    let mut connection = Frames::open(proxy.address);
    connection.send(&[frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1]), put(10)].concat());
    assert_eq!(connection.next_of(1).kind, HEADERS);
    connection.send(&frame(DATA, END_STREAM, 1, b"0123456789"));
    assert_eq!(failure(&mut proxy, "request failed"), "ClientWriteError");
    assert_eq!(connection.all_of(1).last().unwrap().kind, RST_STREAM);
}

#[test]
fn a_refusal_comes_at_once_whatever_the_client_does_with_its_body() {
    let rules = Rules::usual();
    let upstream = Upstream::scripted(|served: &mut Served| {
        served.request_head();
        served.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\n");
        served.wait_until_read();
        served.send("denied");
        // It neither reads nor closes.
        std::thread::park_timeout(Duration::from_secs(2));
    });
    let proxy = before(&upstream, &rules, "limits: {body_read: 300ms}\n");
    for after in ["waits", "ends", "sends"] {
        let mut connection = proxy.connect();
        connection.send(request("PUT", "/bucket/key", &[("Content-Length", "1000")], "the first bytes"));
        match after {
            "ends" => connection.finish_sending(),
            "sends" => drop(connection.send([b'x'; 500])),
            _ => {}
        }
        // A body that can never be whole may also end the exchange before the response is there.
        let rest = connection.rest();
        assert!(rest.ends_with(b"\r\n\r\ndenied") || after == "ends", "{after}: {}", rest.escape_ascii());
    }
}
