//! Raw requests to the proxy, and every byte that really arrives behind it.

use super::eventually;
use super::http::request;
use super::process::{AS_IT_CAME, configured};
use super::proxy::{Proxy, is_own};
use super::rules::Rules;
use super::upstream::Upstream;

/// More than this the proxy need not have read when it refuses, and then the refusal may be lost with the connection.
const SURELY_READ: usize = 60_000;

/// What may become of a request.
pub enum Outcome {
    /// It is the client's fault, which is told; the connection is closed, and nothing arrives.
    Refused,
    /// It arrives as exactly these bytes, and the connection serves the next request.
    Arrives(Vec<u8>),
    /// It arrives as exactly these bytes, and the connection is closed behind the answer.
    ArrivesLast(Vec<u8>),
    /// It turns out wrong in its body: nothing arrives, or what has begun to arrive is not a whole request and its connection ends.
    BrokenOff(Vec<u8>),
    /// The proxy answers it with this status, and the connection serves the next request; nothing arrives of the first.
    Answered(u16),
    /// The proxy answers it with this status, and closes; nothing arrives.
    AnsweredLast(u16),
}
use Outcome::{Answered, AnsweredLast, Arrives, ArrivesLast, BrokenOff, Refused};

pub fn arrives(bytes: impl Into<Vec<u8>>) -> Outcome {
    Arrives(bytes.into())
}

pub fn arrives_last(bytes: impl Into<Vec<u8>>) -> Outcome {
    ArrivesLast(bytes.into())
}

/// A proxy before an upstream that answers with the request's first line and keeps every byte.
pub struct Scene {
    _rules: Rules,
    pub upstream: Upstream,
    pub proxy: Proxy,
}

impl Scene {
    pub fn new() -> Self {
        let (rules, upstream) = (Rules::usual(), Upstream::echo());
        let proxy = configured(rules.path(), upstream.address, AS_IT_CAME);
        Self { _rules: rules, upstream, proxy }
    }

    /// Sends two requests in one packet, of which the second must wait for its turn, and then arrive as it was sent.
    pub fn check_pipelined(&self, first: &[u8], arriving: &[u8], second: &[u8]) {
        let sent = [first, second].concat();
        println!("{}", sent.escape_ascii());
        let mark = self.upstream.wire().len();
        let mut connection = self.proxy.connect();
        assert_eq!(connection.send(&sent).receive().body, line(arriving));
        assert_eq!(connection.receive().body, line(second));
        let expected = [arriving, second].concat();
        assert_eq!(self.arrived_since(mark).escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    /// Everything that has arrived since so many reads, whatever connection it was on.
    fn arrived_since(&self, mark: usize) -> Vec<u8> {
        self.upstream.wire().into_iter().skip(mark).flat_map(|(_, bytes)| bytes).collect()
    }

    /// Whether a connection that brought something since so many reads has ended. An older one may end late.
    fn has_ended_since(&self, mark: usize) -> bool {
        let reads: Vec<_> = self.upstream.wire().into_iter().skip(mark).collect();
        let brought = |connection| reads.iter().any(|(other, bytes)| *other == connection && !bytes.is_empty());
        reads.iter().any(|(connection, bytes)| bytes.is_empty() && brought(*connection))
    }

    /// Sends a request and checks its outcome. Then the next request, on the client's connection if that is open and on a pooled
    /// one of the upstream in any case, has to be the one that was sent, without a byte before it.
    pub fn check(&self, sent: impl AsRef<[u8]>, outcome: &Outcome) {
        let sent = sent.as_ref();
        // Shown when the case fails.
        println!("{}", sent[..sent.len().min(300)].escape_ascii());
        let mark = self.upstream.wire().len();
        let mut connection = self.proxy.connect();
        let was_sent = connection.try_send(sent).is_ok();
        let mut expected = Vec::new();
        match outcome {
            Refused | BrokenOff(_) => {
                let answer = String::from_utf8_lossy(&connection.rest()).into_owned();
                let may_be_lost = !was_sent || sent.len() > SURELY_READ;
                let is_told = answer.starts_with("HTTP/1.1 4") && answer.matches("HTTP/1.1 ").count() == 1;
                assert!(is_told || (may_be_lost && answer.is_empty()), "{answer}");
                // Pingora writes the name in its own case.
                let is_ours = answer.to_ascii_lowercase().contains("\r\nserver: s3cors\r\n");
                assert!((is_ours && answer.ends_with("</Error>")) || answer.is_empty(), "{answer}");
            }
            Arrives(bytes) | ArrivesLast(bytes) => {
                let answer = connection.receive();
                assert_eq!((answer.status, answer.body.as_slice()), (200, line(bytes)), "{answer:?}");
                let is_last = matches!(outcome, ArrivesLast(_));
                assert_eq!(answer.header("connection") == Some("close"), is_last, "the client is told");
                expected.extend_from_slice(bytes);
            }
            Answered(status) | AnsweredLast(status) => assert_eq!(connection.receive().status, *status),
        }
        match outcome {
            Arrives(_) | Answered(_) => {
                let next = request("GET", "/bucket/next", &[], "");
                assert_eq!(connection.send(&next).receive().body, line(next.as_bytes()));
                expected.extend_from_slice(next.as_bytes());
            }
            ArrivesLast(_) | AnsweredLast(_) => assert_eq!(connection.rest().escape_ascii().to_string(), ""),
            BrokenOff(_) if is_own() && self.arrived_since(mark).is_empty() => {}
            BrokenOff(head) => {
                eventually("the connection that it arrived on ends", || self.has_ended_since(mark).then_some(()));
                let arrived = self.arrived_since(mark);
                assert!(arrived.starts_with(head), "{}", arrived.escape_ascii());
                assert!(!arrived.ends_with(b"0\r\n\r\n"), "{} is whole", arrived.escape_ascii());
                expected = arrived;
            }
            Refused => {}
        }
        let pooled = request("GET", "/bucket/pooled", &[], "");
        assert_eq!(self.proxy.connect().send(&pooled).receive().body, line(pooled.as_bytes()));
        expected.extend_from_slice(pooled.as_bytes());
        let arrived = self.arrived_since(mark);
        assert_eq!(arrived.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }
}

fn line(request: &[u8]) -> &[u8] {
    request.split(|byte| *byte == b'\r').next().unwrap_or_default()
}
