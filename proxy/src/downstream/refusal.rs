//! Replies to connections that are refused before a driver has them, written to the raw connection.

use crate::exchange::{Ended, Exchange, Refusal};
use pingora::protocols::Stream;
use pingora::protocols::http::date::get_cached_date;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// How long a refused client may take for its reply.
const REPLY_LIMIT: Duration = Duration::from_secs(5);

/// Refuses a connection; the caller closes it.
pub(super) async fn refuse(stream: &mut Stream, exchange: &Exchange, refusal: Refusal) {
    let ctx = exchange.begin();
    let reply = exchange.refusal(refusal, &ctx);
    let mut bytes = format!("HTTP/1.1 {}\r\n", reply.status).into_bytes();
    exchange.write_reply_lines(&reply, &ctx, |part| bytes.extend_from_slice(part));
    bytes.extend([b"date: ", get_cached_date().as_bytes(), b"\r\nconnection: close\r\n\r\n"].concat());
    bytes.extend_from_slice(&reply.body);
    let (status, response_bytes) = (reply.status.as_u16(), reply.body.len());
    exchange.record_refusal(&ctx, &Ended { status, request_bytes: 0, response_bytes });
    // A client that does not take the reply has its connection closed all the same.
    let _ = tokio::time::timeout(REPLY_LIMIT, async {
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        stream.shutdown().await
    })
    .await;
}
