//! Our own loop for HTTP/1.1 and 1.0 between a client and an HTTP/1.1 upstream.
//!
//! Each head has passed the grammar of [`s3cors_http1`]. The loop moves bytes and asks the exchange; of its own it decides how a message is framed, how long a side may take, and whether a
//! connection can be used again.

mod bucket_cors;
pub(super) mod by_get;
mod client;
mod conversation;
mod forward;
pub(super) mod heads;
mod timer;
mod transfer;
pub(super) mod wire;

pub use client::Client;
pub use timer::Timer;
pub(crate) use wire::poll_read;

use crate::config::{Config, Limits, Timeouts};
use crate::exchange::{CLIENT_GONE, Context, Ended, Exchange, Reply};
use crate::upstream::{Pool, Upstreams};
use bytes::BytesMut;
use pingora::protocols::Stream;
use pingora::server::ShutdownWatch;
use s3cors_http1::body_length::BodyLength;
use s3cors_http1::request_head::RequestHead;
use std::sync::Arc;
use std::time::Duration;

/// How long a client that still sends is listened to after its last response: closed at once, it could lose the response to a reset.
const LINGER: Duration = Duration::from_millis(500);
/// How much of what it sends is thrown away, in bytes.
const LINGER_BYTES: usize = 256 * 1024;

/// Drives exchanges over HTTP/1.1.
pub struct Http1Driver {
    exchange: Arc<Exchange>,
    upstreams: Arc<Upstreams>,
    pool: Arc<Pool>,
    limits: Limits,
    timeouts: Timeouts,
}

/// What a connection is good for after an exchange.
#[derive(Debug)]
pub enum After {
    /// Further requests.
    Open {
        /// How much of what came with the head belonged to the request's body.
        consumed: usize,
        /// What came after that, of the next request.
        ahead: BytesMut,
    },
    /// Nothing: it must be closed.
    Closed {
        /// Whether the client got all that it was told of: only then may the close look like an orderly one.
        is_whole: bool,
    },
}

/// What is known about an exchange as it goes on.
struct Progress<'s> {
    shutdown: &'s ShutdownWatch,
    status: u16,
    request_bytes: u64,
    response_bytes: u64,
    /// Whether further requests may follow.
    keeps: bool,
    consumed: usize,
    ahead: BytesMut,
    /// Whether the client may still be sending a body that nothing will read.
    is_unread: bool,
    /// Whether a response was begun and broke off.
    is_cut: bool,
}

impl Http1Driver {
    /// A driver for these upstreams.
    #[must_use]
    pub fn new(config: &Config, exchange: Arc<Exchange>, upstreams: Arc<Upstreams>, pool: Arc<Pool>) -> Self {
        Self { exchange, upstreams, pool, limits: config.limits, timeouts: config.timeouts }
    }

    /// Serves one request. `rest` is what came with its head. When the process ends, the connection ends with this response.
    pub async fn serve(
        &self,
        client: &mut Client,
        head: &RequestHead<'_>,
        rest: &[u8],
        shutdown: &ShutdownWatch,
    ) -> After {
        let mut ctx = self.exchange.begin();
        let mut progress = Progress {
            status: CLIENT_GONE,
            request_bytes: 0,
            response_bytes: 0,
            keeps: head.keep_alive(),
            shutdown,
            consumed: 0,
            ahead: BytesMut::new(),
            is_unread: false,
            is_cut: false,
        };
        match self.exchange.judge(head, &client.peer, &mut ctx) {
            Some(reply) => {
                progress.skip_body(head, rest);
                self.reply(client, head, &reply, &ctx, &mut progress).await;
            }
            None => match self.exchange.bucket_cors(head, &client.peer, &ctx) {
                None => Box::pin(self.forward(client, head, rest, &mut ctx, &mut progress)).await,
                Some(asked) => {
                    Box::pin(self.serve_bucket_cors(client, head, rest, asked, &mut ctx, &mut progress)).await;
                }
            },
        }
        let ended = Ended {
            status: progress.status,
            request_bytes: usize::try_from(progress.request_bytes).unwrap_or(usize::MAX),
            response_bytes: usize::try_from(progress.response_bytes).unwrap_or(usize::MAX),
        };
        self.exchange.record(head, &ctx, &ended);
        drop(ctx);
        if progress.keeps {
            return After::Open { consumed: progress.consumed, ahead: progress.ahead };
        }
        let is_whole = !progress.is_cut;
        let is_unread = progress.is_unread || progress.consumed < rest.len() || !progress.ahead.is_empty();
        if is_whole && is_unread {
            Box::pin(linger(&mut client.stream)).await;
        }
        After::Closed { is_whole }
    }

    /// Sends the exchange's own reply, in one write.
    async fn reply(
        &self,
        client: &mut Client,
        head: &RequestHead<'_>,
        reply: &Reply,
        ctx: &Context,
        progress: &mut Progress<'_>,
    ) {
        progress.keeps &= !reply.ends_connection;
        let out = heads::of_reply(&self.exchange, reply, ctx, progress.keeps());
        let body: &[u8] = if head.method() == "HEAD" { &[] } else { &reply.body };
        match wire::write(&mut client.stream, &[&out, body], &mut client.timer, self.limits.body_write).await {
            Ok(()) => {
                progress.status = reply.status.as_u16();
                progress.response_bytes = body.len() as u64;
            }
            Err(_) => progress.keeps = false,
        }
    }
}

impl Progress<'_> {
    /// Whether further requests may follow a response that is written now.
    fn keeps(&mut self) -> bool {
        self.keeps &= !*self.shutdown.borrow();
        self.keeps
    }

    /// A reply that needs no body: one that is here as a whole is skipped, any other ends the connection.
    fn skip_body(&mut self, head: &RequestHead<'_>, rest: &[u8]) {
        match head.body() {
            BodyLength::None => {}
            BodyLength::Length(length) if usize::try_from(length).is_ok_and(|length| length <= rest.len()) => {
                self.consumed = usize::try_from(length).unwrap_or(usize::MAX);
                self.request_bytes = length;
            }
            BodyLength::Length(_) | BodyLength::Chunked => {
                self.keeps = false;
                self.is_unread = true;
            }
        }
    }
}

/// Ends the sending side and reads what still comes, for a bounded time and size (RFC 9112 §9.6).
pub(crate) async fn linger(client: &mut Stream) {
    use tokio::io::AsyncWriteExt;
    let read = async {
        let _ = client.shutdown().await;
        let mut left = LINGER_BYTES;
        while left > 0 {
            let some = std::future::poll_fn(|context| wire::poll_read_some(client, context, wire::SCRATCH)).await;
            match some {
                Ok(bytes) if !bytes.is_empty() => left = left.saturating_sub(bytes.len()),
                _ => return,
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, read).await;
}
