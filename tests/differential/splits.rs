//! How the bytes of a message arrive changes nothing: our own driver gets requests and responses in two parts, cut at every byte.

use super::OK;
use crate::support::messages::{Message, requests, responses};
use crate::support::queues::wait_until_read;
use crate::support::rules::Rules;
use crate::support::twins::{Plan, Stage};
use std::io::{Read, Write};
use std::net::TcpStream;

const CHUNKED: &str = "PUT /bucket/key HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

/// The requests that are sent in two parts. No preflight with a body: that is skipped only where it came with its head.
const REQUESTS: [&str; 8] = [
    "GET /bucket/key?a=b HTTP/1.1\r\nHost: h\r\n\r\n",
    "HEAD /bucket/key HTTP/1.1\r\nhost:h\r\nOrigin:  https://app.example \r\n\r\n",
    "PUT /bucket/key HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\ncontent",
    "OPTIONS /bucket/key HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\nAccess-Control-Request-Method: PUT\r\n\r\n",
    "GET /bucket/key HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n",
    "DELETE /bucket/key HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example\r\nX:\r\n\r\n",
    "GET /bucket/key HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n",
    "GET /bucket/key HTTP/1.1\nHost: h\n\n",
];

const BODIES: [&str; 3] = [
    "5\r\nhello\r\n0\r\n\r\n",
    "5;a=b\r\nhello\r\n1\r\n\n\r\n00\r\nx-trailer: 1\r\n\r\n",
    "A\r\n0\r\n\r\nGET /\r\n0\r\n\r\n",
];

const RESPONSES: [&str; 7] = [
    OK,
    "HTTP/1.1 204 No Content\r\nETag: \"e\"\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nConnection: x\r\nX: y\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nt: v\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx",
    "HTTP/1.1 403 Forbidden\r\nContent-Length: 34\r\n\r\n<Code>SignatureDoesNotMatch</Code>",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab",
];

/// One connection to our own driver, on which one request follows the other.
struct Line {
    stage: Stage,
    stream: TcpStream,
    _rules: Rules,
}

impl Line {
    fn new() -> Self {
        let rules = Rules::usual();
        let stage = Stage::new(&rules, "own", "", &["s3.example.test"]);
        let stream = connect(&stage);
        Self { stage, stream, _rules: rules }
    }

    /// Sends a request in parts and returns what arrives and what is answered.
    fn exchange(&mut self, parts: &[&[u8]]) -> (Vec<u8>, Vec<Message>) {
        let mark = self.stage.upstream.wire_since(0).len();
        for (number, part) in parts.iter().enumerate() {
            if number > 0 {
                wait_until_read(&self.stream);
            }
            self.stream.write_all(part).unwrap();
        }
        let method = if parts.concat().starts_with(b"HEAD ") { "HEAD" } else { "GET" };
        let mut bytes = Vec::new();
        let answered = loop {
            let (answered, read) = responses(&bytes, &[method], false);
            if answered.last().is_some_and(Message::is_final) {
                assert_eq!(read, bytes.len(), "{}", bytes.escape_ascii());
                break answered;
            }
            let mut buffer = [0; 4096];
            let length = self.stream.read(&mut buffer).unwrap();
            assert!(length > 0, "{} is cut off", bytes.escape_ascii());
            bytes.extend_from_slice(&buffer[..length]);
        };
        if answered.iter().any(|answer| answer.value("connection") == Some("close")) {
            self.stream = connect(&self.stage);
        }
        let arrived = self.stage.upstream.wire_since(mark).into_iter().flat_map(|(_, bytes)| bytes).collect();
        (arrived, answered.into_iter().map(without_ids).collect())
    }
}

fn connect(stage: &Stage) -> TcpStream {
    let stream = TcpStream::connect(stage.proxy.address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(crate::support::DEADLINE)).unwrap();
    stream
}

fn without_ids(mut message: Message) -> Message {
    let id = message.value("x-amz-request-id").unwrap_or("no id").to_owned();
    message.lines.retain(|(name, _)| !["date", "x-amz-request-id"].contains(&&*name.to_ascii_lowercase()));
    let text: String = message.body.iter().map(|byte| char::from(*byte)).collect();
    message.body = text.replace(&id, "").into_bytes();
    message
}

#[test]
fn a_request_may_be_cut_anywhere() {
    let mut line = Line::new();
    line.stage.plan(&Plan { sends: vec![OK.into()], ..Plan::default() });
    for sent in REQUESTS.map(str::as_bytes) {
        let whole = line.exchange(&[sent]);
        for cut in 1..sent.len() {
            let parts = line.exchange(&[&sent[..cut], &sent[cut..]]);
            assert_eq!(parts, whole, "{} | {}", sent[..cut].escape_ascii(), sent[cut..].escape_ascii());
        }
    }
}

#[test]
fn a_chunked_body_may_be_cut_anywhere() {
    let mut line = Line::new();
    line.stage.plan(&Plan { sends: vec![OK.into()], ..Plan::default() });
    for body in BODIES {
        let sent = format!("{CHUNKED}{body}");
        let (arrived, answered) = line.exchange(&[sent.as_bytes()]);
        let (whole, read) = requests(&arrived);
        assert_eq!((whole.len(), read), (1, arrived.len()));
        for cut in CHUNKED.len()..sent.len() {
            let case = format!("{} | {}", sent[..cut].escape_debug(), sent[cut..].escape_debug());
            let (arrived, parts) = line.exchange(&[&sent.as_bytes()[..cut], &sent.as_bytes()[cut..]]);
            assert_eq!(parts, answered, "{case}");
            assert_eq!(requests(&arrived), (whole.clone(), arrived.len()), "{case}");
        }
    }
}

#[test]
fn a_response_may_be_cut_anywhere() {
    let mut line = Line::new();
    let request = b"GET /bucket/key HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n\r\n";
    let mut mismatches = 0.0;
    for answer in RESPONSES.map(str::as_bytes) {
        line.stage.plan(&Plan { sends: vec![answer.to_vec()], ..Plan::default() });
        let whole = line.exchange(&[request]);
        for cut in 1..answer.len() {
            line.stage.plan(&Plan { sends: vec![answer[..cut].to_vec(), answer[cut..].to_vec()], ..Plan::default() });
            let parts = line.exchange(&[request]);
            assert_eq!(parts, whole, "{} | {}", answer[..cut].escape_ascii(), answer[cut..].escape_ascii());
        }
        // Not where the code itself is cut: a few bytes are examined, no more.
        let at = answer.windows(2).position(|two| two == b"<C").unwrap_or_default();
        mismatches += if at > 0 { at as f64 + 1.0 } else { 0.0 };
    }
    let counted = line.stage.proxy.metric("s3cors_signature_mismatches_total").unwrap();
    assert!(
        counted >= mismatches && mismatches > 0.0,
        "{counted} signature mismatches, {mismatches} at least expected"
    );
}
