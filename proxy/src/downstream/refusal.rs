//! Replies to connections and requests that are refused before a driver has them, written to the raw connection.

use crate::drivers::http1::{Client, last_reply_head, linger};
use crate::drivers::peer;
use crate::exchange::{self, Failure, Policy, Refusal, Replying, RequestFault};
use http::Version;
use pingora::protocols::Stream;
use s3cors_http1::rejected_head::RejectedHead;
use s3cors_http1::request_head::Rejection;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// How long a refused client may take for its reply.
const REPLY_LIMIT: Duration = Duration::from_secs(5);

/// Refuses a connection; the caller closes it.
pub(super) async fn refuse(stream: &mut Stream, policy: &Arc<Policy>, refusal: Refusal) {
    let peer = peer::of_stream(stream, policy);
    send(stream, policy.begin(RejectedHead::of(&[]), peer).turn_away(refusal)).await;
    // There are too many: to wait for what this one still sends would keep it.
    if refusal == Refusal::TooManyConnections {
        let _ = tokio::time::timeout(REPLY_LIMIT, stream.shutdown()).await;
    } else {
        linger(stream).await;
    }
}

/// Refuses a request whose head is not here as a whole; the caller closes the connection.
pub(super) async fn refuse_head(client: &mut Client, policy: &Arc<Policy>, refusal: Refusal, head: &[u8]) {
    // A line whose end is not here may be another than it looks like.
    let lines = memchr::memrchr(b'\n', head).and_then(|end| head.get(..=end)).unwrap_or_default();
    let exchange = policy.begin(RejectedHead::of(lines), client.peer);
    send(&mut client.stream, exchange.turn_away(refusal)).await;
    linger(&mut client.stream).await;
}

/// Replies to a request whose head the grammar rejects; the caller closes the connection.
pub(super) async fn reject(client: &mut Client, policy: &Arc<Policy>, rejection: Rejection, head: &[u8]) {
    let failure = match rejection {
        Rejection::Connect => Failure::Connect,
        Rejection::Target => Failure::InvalidTarget,
        Rejection::NoHost => Failure::NoHost,
        Rejection::TooManyLines => Failure::TooManyLines,
        other => Failure::InvalidRequest(RequestFault::Head(other.message())),
    };
    refuse_request(client, policy, failure, head).await;
}

/// Refuses a request by what is here of its head; the caller closes the connection.
pub(super) async fn refuse_request(client: &mut Client, policy: &Arc<Policy>, failure: Failure, head: &[u8]) {
    let exchange = policy.begin(RejectedHead::of(head), client.peer);
    send(&mut client.stream, exchange.reject(failure)).await;
    linger(&mut client.stream).await;
}

impl exchange::RequestHead for RejectedHead<'_> {
    fn method(&self) -> &str {
        RejectedHead::method(self)
    }

    fn target(&self) -> &str {
        RejectedHead::path(self)
    }

    fn host(&self) -> Option<&str> {
        RejectedHead::host(self)
    }

    fn path(&self) -> &str {
        RejectedHead::path(self)
    }

    fn query(&self) -> Option<&str> {
        RejectedHead::query(self)
    }

    fn version(&self) -> Version {
        RejectedHead::version(self)
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        RejectedHead::lines(self)
    }
}

/// Tells an operator's program that it speaks plain HTTP to a listener with TLS; the caller closes the connection.
pub(super) async fn refuse_operator(stream: &mut Stream) {
    const BODY: &str = "this listener speaks TLS: use https\n";
    let head =
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: ";
    let reply = format!("{head}{}\r\n\r\n{BODY}", BODY.len());
    write_in_time(stream, reply.as_bytes()).await;
    linger(stream).await;
}

/// Records a reply, then sends it: it counts as sent also where the client does not take it.
async fn send<H: exchange::RequestHead>(stream: &mut Stream, reply: Replying<H>) {
    let mut bytes = last_reply_head(&reply);
    let body = reply.body();
    bytes.extend_from_slice(&body);
    reply.sent(body.len());
    write_in_time(stream, &bytes).await;
}

/// Writes a reply. A client that does not take it has its connection closed all the same.
async fn write_in_time(stream: &mut Stream, bytes: &[u8]) {
    let _ = tokio::time::timeout(REPLY_LIMIT, async {
        stream.write_all(bytes).await?;
        stream.flush().await
    })
    .await;
}
