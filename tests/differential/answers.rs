//! Responses of the upstream: framing, interim ones, headers for its connection, CORS headers of its own, and what is no response.

use super::{Case, Intended, Twins};

const OLD: &str = "GET /bucket/key HTTP/1.0\r\nHost: h\r\nOrigin: https://app.example\r\n";

fn requests() -> [String; 7] {
    let head = "/bucket/key HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n";
    [
        format!("GET {head}\r\n"),
        format!("HEAD {head}\r\n"),
        format!("PUT {head}Content-Length: 3\r\n\r\nabc"),
        format!("GET {head}Connection: close\r\n\r\n"),
        format!("{OLD}\r\n"),
        format!("{OLD}Connection: keep-alive\r\n\r\n"),
        "GET /other/key HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n\r\n".to_owned(),
    ]
}

/// Responses with a length, which leave the connection open.
const KEPT: [&str; 38] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 200\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 200 Any Reason\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 599 \r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;ext=1\r\nd\r\n0\r\nx-trailer: 1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nTrailer: x-trailer\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nETag: \"e\"\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 4242\r\nETag: \"e\"\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\nContent-Range: bytes 0-3/10\r\nSet-Cookie: a=1\r\nX: y\r\nSet-Cookie: b=2\r\n\r\nabcd",
    "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://x/\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nContent-Type: application/xml\r\n\r\n<E/>",
    "HTTP/1.1 403 Forbidden\r\nContent-Length: 34\r\n\r\n<Code>SignatureDoesNotMatch</Code>\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nDate: Wed, 25 Nov 2026 00:00:00 GMT\r\nServer: MinIO\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nx-amz-request-id: UPSTREAM\r\nx-amz-META-a: b  c\r\nx-amz-meta-utf8: gr\u{fc}n\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length:4\r\nETag:   \"e\"  \r\nA:\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nKeep-Alive: timeout=1\r\nProxy-Connection: x\r\nConnection: keep-alive\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nX-End: 2\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: ETag\r\nETag: \"e\"\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nUpgrade: h2c\r\nVia: 1.1 x\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nAccess-Control-Allow-Origin: *\r\naccess-control-allow-credentials: true\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nVary: Accept-Encoding\r\nvary: Origin\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nVary: *\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nVary: Origin, Access-Control-Request-Headers, Access-Control-Request-Method\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-S3cors-Decision: forged\r\nx-s3cors-decision: forged\r\n\r\nabcd",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 103 Early Hints\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 103 Early Hints\r\nAccess-Control-Allow-Origin: *\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 103 Early Hints\r\nContent-Length: 4\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Encoding: gzip\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabcd",
];

/// Responses after which the upstream closes: those that end with the connection, break off or are none.
const CLOSED: [&str; 27] = [
    "HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\n\r\nabcd",
    "HTTP/1.0 200 OK\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\n\r\n",
    "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcd",
    "HTTP/1.1 404 Not Found\r\n\r\nabcd",
    "",
    "HTTP/1.1 20",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\nbody",
    "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nbody",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 20",
    "SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "HTTP/1.1 abc OK\r\n\r\n",
    "HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
    "HTTP/1.1 200 OK\r\nbad name: 1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcdHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nX",
    "HTTP/1.1 204 No Content\r\n\r\nabcd",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nX",
];

/// Responses whose length two parsers could read otherwise.
const AMBIGUOUS: [&str; 3] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
];

/// Responses that are repaired, and whether Pingora does otherwise.
const REPAIRED: [(&str, bool); 7] = [
    ("HTTP/1.1 200 OK\nContent-Length: 4\n\nabcd", false),
    ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", true),
    ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 4\r\n\r\nabcd", false),
    ("HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 4\r\n\r\nabcd", false),
    ("HTTP/1.1 200 OK\r\nA: b\0c\r\nContent-Length: 0\r\n\r\n", true),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4  \r\nabcd\r\n0  \r\n\r\n", false),
    ("HTTP/1.1 999 Odd\r\nContent-Length: 4\r\n\r\nabcd", false),
];

/// What is meant to differ in a response, by the response and the request.
fn intended(sent: &str, answer: &str) -> Option<Intended> {
    let is_old = sent.contains("HTTP/1.0\r\n");
    match answer {
        _ if answer.starts_with("HTTP/1.1 1") => None,
        _ if answer.starts_with("HTTP/1.1 304 Not Modified\r\nTransfer") && !is_old => Some(Intended::NoBodyNoCoding),
        _ if answer.contains("X-Hop") || answer.contains("Connection: ETag") => Some(Intended::Nominated),
        _ if answer.contains("zz\r\n") && !sent.starts_with("HEAD") => Some(Intended::StrictChunks),
        _ => None,
    }
}

#[test]
fn responses_that_keep_the_connection() {
    let mut twins = Twins::new();
    for answer in KEPT {
        for sent in requests() {
            let differs = intended(&sent, answer);
            twins.check(&Case { differs, ..Case::new(sent).answered(answer) });
        }
    }
    twins.finish(200, 200, 200);
}

#[test]
fn responses_that_end_with_the_connection_or_are_none() {
    let mut twins = Twins::new();
    for answer in CLOSED {
        for sent in requests() {
            let differs = intended(&sent, answer);
            twins.check(&Case { differs, ..Case::new(sent).answered(answer).then_closed() });
        }
    }
    twins.finish(150, 150, 150);
}

#[test]
fn responses_that_can_be_read_in_two_ways() {
    let mut twins = Twins::new();
    for answer in AMBIGUOUS {
        let [get, ..] = requests();
        twins.check(&Case::new(get).answered(answer).then_closed().differing(Intended::StrictResponse));
    }
    twins.finish(3, 3, 3);
}

#[test]
fn responses_that_are_repaired() {
    let mut twins = Twins::new();
    for (answer, differs) in REPAIRED {
        let [get, ..] = requests();
        let differs = differs.then_some(Intended::Repaired);
        twins.check(&Case { differs, ..Case::new(get).answered(answer).then_closed() });
    }
    twins.finish(7, 7, 7);
}

#[test]
fn a_body_may_come_after_its_head() {
    let mut twins = Twins::new();
    let mismatch = "<Code>SignatureDoesNotMatch</Code>\n";
    for head in [
        format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n", mismatch.len()),
        "HTTP/1.1 403 Forbidden\r\n\r\n".to_owned(),
    ] {
        let [get, ..] = requests();
        let mut case = Case::new(get).answered(&head).then_closed();
        case.plan.sends.push(mismatch.into());
        twins.check(&case);
    }
    twins.finish(2, 2, 2);
}
