//! Request bodies: chunks, uploads that break off, responses in mid-upload, `Expect: 100-continue`.

use super::{Case, Intended, OK, Twins};
use crate::support::rules::Rules;

const HELLO: &str = "5\r\nhello\r\n0\r\n\r\n";

fn put(headers: &str, body: &str) -> String {
    format!("PUT /bucket/key HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n{headers}\r\n{body}")
}

fn chunked(body: &str) -> String {
    put("Transfer-Encoding: chunked\r\n", body)
}

#[test]
fn chunked_bodies() {
    let mut twins = Twins::new();
    let large = format!("{:x}\r\n{}\r\n{HELLO}", 100_000, "x".repeat(100_000));
    for body in [
        HELLO,
        "0\r\n\r\n",
        "5;a=b\r\nhello\r\n0\r\n\r\n",
        "5;a=\"\r\nhello\r\n0;x\r\n\r\n",
        "05\r\nhello\r\n000\r\n\r\n",
        "5\r\nhello\r\n0\r\nContent-Length: 50\r\n\r\n",
        "2\r\nhe\r\n3\r\nllo\r\n0\r\nTransfer-Encoding: x\r\n\r\n",
        "A\r\n0123456789\r\n0\r\n\r\n",
        "5\r\n0\r\n\r\n\r\n0\r\n\r\n",
        &large,
        "0x5\r\nhello\r\n0\r\n\r\n",
        "-1\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "g\r\nhello\r\n0\r\n\r\n",
        "5_0\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n-0\r\n\r\n",
        "FFFFFFFFFFFFFFFF\r\nhello",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "5\rhello\r0\r\r",
        "5\r\nhello\r\n0\n\n",
        "5\r\nhello\r\n0\r\n\n",
    ] {
        twins.check(&Case::new(chunked(body)));
    }
    for body in ["5\r\nhello\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhelloXX0\r\n\r\n", "5\r\nhel\r\n0\r\n\r\n"] {
        twins.check(&Case::new(chunked(body)).differing(Intended::BytesOfBrokenBody));
    }
    for body in
        ["5 ;a\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n"]
    {
        twins.check(&Case::new(chunked(body)).differing(Intended::StrictChunks));
    }
    twins.finish(30, 10, 25);
}

#[test]
fn uploads_that_break_off() {
    let mut twins = Twins::new();
    for unfinished in [
        chunked("5\r\nhello\r\n"),
        chunked("5\r\nhello\r\n0\r\n"),
        chunked("5\r\nhel"),
        chunked("5"),
        chunked(""),
        put("Content-Length: 9\r\n", "hello"),
        put("Content-Length: 9\r\n", ""),
        chunked("7FFFFFFFFFFFFFFF\r\nhello"),
        put("Content-Length: 9223372036854775807\r\n", "hello"),
        "GET /bucket/key HTTP/1.1\r\nHost: h\r\n".to_owned(),
        "GET".to_owned(),
    ] {
        let mut case = Case::new(unfinished);
        case.script.half_closes = true;
        twins.check(&case);
    }
    twins.finish(11, 0, 9);
}

#[test]
fn responses_in_mid_upload() {
    let mut twins = Twins::new();
    let denied = "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ndenied";
    for sent in [put("Content-Length: 100000\r\n", "the first bytes"), chunked("5\r\nhello\r\n")] {
        for closes in [false, true] {
            let mut case = Case::new(&sent).answered(denied);
            (case.plan.is_early, case.plan.closes) = (true, closes);
            twins.check(&case);
        }
    }
    twins.finish(4, 0, 4);
}

#[test]
fn uploads_that_are_asked_for() {
    let mut twins = Twins::new();
    let denied = "HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\ndenied";
    for (length, body) in [("Content-Length: 5\r\n", "hello"), ("Transfer-Encoding: chunked\r\n", HELLO)] {
        for connection in ["", "Connection: close\r\n"] {
            let head = put(&format!("{length}{connection}Expect: 100-continue\r\n"), "");
            let mut asked = Case::new(&head);
            asked.plan.asks = true;
            asked.script.sends.push(body.into());
            twins.check(&asked);
            let mut refused = Case::new(&head).answered(denied);
            refused.plan.is_early = true;
            twins.check(&refused);
            // The client does not wait.
            twins.check(&Case::new(format!("{head}{body}")));
            let mut broken = Case::new(&head);
            broken.plan.asks = true;
            broken.script.sends.push(body[..3].into());
            broken.script.half_closes = true;
            twins.check(&broken.differing(Intended::GoneAfterContinue));
        }
    }
    twins.finish(16, 4, 16);
}

#[test]
fn sides_that_are_too_slow() {
    let configuration = "limits: {body_read: 300ms}\nupstream: {timeouts: {read: 300ms}}\n";
    let mut twins = Twins::with(Rules::usual(), configuration, &[]);
    for sent in [put("Content-Length: 9\r\n", "hello"), chunked("5\r\nhello\r\n"), put("", "")] {
        let mut case = Case::new(sent);
        case.plan.sends = vec![];
        twins.check(&case);
    }
    let mut asked = Case::new(put("Content-Length: 5\r\nExpect: 100-continue\r\n", ""));
    asked.plan.asks = true;
    asked.script.sends.push(b"he".to_vec());
    twins.check(&asked);
    for half in ["HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "HTTP/1.1 200 OK\r\n\r\nhalf"] {
        twins.check(&Case::new(put("", "")).answered(half));
    }
    twins.check(&Case::new(put("", "")).answered(OK));
    twins.finish(8, 4, 8);
}
