//! Replies to connections and requests that are refused before a driver has them, written to the raw connection.

use crate::drivers::http1::{Client, linger};
use crate::exchange::{self, Context, Ended, Exchange, Failure, Refusal, Reply};
use http::Version;
use pingora::protocols::Stream;
use pingora::protocols::http::date::get_cached_date;
use s3cors_http1::rejected_head::RejectedHead;
use s3cors_http1::request_head::Rejection;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// How long a refused client may take for its reply.
const REPLY_LIMIT: Duration = Duration::from_secs(5);

/// Refuses a connection; the caller closes it.
pub(super) async fn refuse(stream: &mut Stream, exchange: &Exchange, refusal: Refusal) {
    let ctx = exchange.begin();
    let reply = exchange.refusal(refusal, &ctx);
    exchange.record_refusal(&ctx, &ended(&reply, &reply.body));
    send(stream, exchange, &reply, &reply.body, &ctx).await;
    // There are too many: to wait for what this one still sends would keep it.
    if refusal == Refusal::TooManyConnections {
        let _ = tokio::time::timeout(REPLY_LIMIT, stream.shutdown()).await;
    } else {
        linger(stream).await;
    }
}

/// Replies to a request whose head the grammar rejects; the caller closes the connection.
pub(super) async fn reject(client: &mut Client, exchange: &Exchange, rejection: Rejection, head: &[u8]) {
    let failure = match rejection {
        Rejection::Connect => Failure::Connect,
        Rejection::Target => Failure::InvalidTarget,
        Rejection::NoHost => Failure::NoHost,
        Rejection::TooManyLines => Failure::TooManyLines,
        Rejection::RequestLine | Rejection::Version | Rejection::HeaderLine => Failure::InvalidRequest,
        Rejection::Host | Rejection::Length(_) | Rejection::Connection => Failure::InvalidRequest,
    };
    refuse_request(client, exchange, failure, rejection.message(), head).await;
}

/// Refuses a request by what is here of its head; the caller closes the connection. `reason` is for the log.
pub(super) async fn refuse_request(
    client: &mut Client,
    exchange: &Exchange,
    failure: Failure,
    reason: &str,
    head: &[u8],
) {
    let head = RejectedHead::of(head);
    let mut ctx = exchange.begin();
    let reply = exchange.reject(failure, reason, &head, &client.peer, &mut ctx);
    let body: &[u8] = if head.method() == "HEAD" { &[] } else { &reply.body };
    let ended = ended(&reply, body);
    if head.is_request() {
        exchange.record(&head, &ctx, &ended);
    } else {
        exchange.record_refusal(&ctx, &ended);
    }
    send(&mut client.stream, exchange, &reply, body, &ctx).await;
    linger(&mut client.stream).await;
}

impl exchange::RequestHead for RejectedHead<'_> {
    fn method(&self) -> &str {
        RejectedHead::method(self)
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

fn ended(reply: &Reply, body: &[u8]) -> Ended {
    Ended { status: reply.status.as_u16(), request_bytes: 0, response_bytes: body.len() }
}

async fn send(stream: &mut Stream, exchange: &Exchange, reply: &Reply, body: &[u8], ctx: &Context) {
    let mut bytes = format!("HTTP/1.1 {}\r\n", reply.status).into_bytes();
    exchange.write_reply_lines(reply, ctx, |part| bytes.extend_from_slice(part));
    bytes.extend([b"date: ", get_cached_date().as_bytes(), b"\r\nconnection: close\r\n\r\n"].concat());
    bytes.extend_from_slice(body);
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
