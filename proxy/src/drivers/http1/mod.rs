//! A client's side of HTTP/1.1 and 1.0.
//!
//! It takes a request whose head passes the grammar of [`s3cors_http1`], moves bytes and asks the exchange; of its own it decides how a
//! message is framed, how long the client may take, and whether its connection can be used again.

mod body;
mod client;
pub(super) mod heads;
mod side;
mod transfer;

pub use super::timer::Timer;
pub(crate) use super::wire::poll_read;
pub use client::Client;

use super::upstream::{ForwardEnd, Forwarder};
use super::wire::{self, poll_read_some};
use crate::config::Limits;
use crate::exchange::{self, AfterForm, Buffered, Failure, FormUpload, Forward, Judged, Policy, Replying, Tally};
use body::CONTINUE;
use bytes::BytesMut;
use pingora::protocols::Stream;
use pingora::server::ShutdownWatch;
use s3cors_http1::body_length::BodyLength;
use s3cors_http1::request_head::RequestHead;
use side::Side;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

/// How long a client that still sends is listened to after its last response: closed at once, it could lose the response to a reset.
const LINGER: Duration = Duration::from_millis(500);
/// How much of what it sends is thrown away, in bytes.
const LINGER_BYTES: usize = 256 * 1024;

/// Drives exchanges over HTTP/1.1.
pub struct Http1Driver {
    policy: Arc<Policy>,
    forwarder: Forwarder,
    limits: Limits,
}

/// The use of a connection after an exchange.
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

/// The state of the client's connection as an exchange goes on.
struct Progress<'s> {
    shutdown: &'s ShutdownWatch,
    /// Whether further requests may follow.
    keeps: bool,
    consumed: usize,
    ahead: BytesMut,
    /// Whether the client may still be sending a body that nothing will read.
    is_unread: bool,
    /// Whether a response was begun and broke off.
    is_cut: bool,
    /// Set once the client has ended its sending side.
    has_finished: bool,
}

type OfRequest<'h, 'b> = &'h RequestHead<'b>;

impl Http1Driver {
    /// A driver for these upstreams.
    #[must_use]
    pub fn new(policy: Arc<Policy>, forwarder: Forwarder) -> Self {
        let limits = *forwarder.limits();
        Self { policy, forwarder, limits }
    }

    /// Serves one request. `rest` is what came with its head. When the process ends, the connection ends with this response.
    pub async fn serve(
        &self,
        client: &mut Client,
        head: &RequestHead<'_>,
        rest: &[u8],
        shutdown: &ShutdownWatch,
    ) -> After {
        let mut progress = Progress {
            keeps: head.keep_alive(),
            shutdown,
            consumed: 0,
            ahead: BytesMut::new(),
            is_unread: false,
            is_cut: false,
            has_finished: false,
        };
        match self.policy.begin(head, client.peer).judge() {
            Judged::Reply(mut reply) => {
                progress.skip_body(head, rest, reply.tally());
                self.reply(client, reply, &mut progress).await;
            }
            Judged::Forward(forward) => Box::pin(self.forward(client, rest, forward, &mut progress)).await,
            Judged::Form(form) => Box::pin(self.look_at_form(client, rest, form, &mut progress)).await,
            Judged::Buffered(buffered) => Box::pin(self.operate(client, rest, buffered, &mut progress)).await,
        }
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

    /// Forwards a request, and replies where no upstream's response comes.
    async fn forward(
        &self,
        client: &mut Client,
        rest: &[u8],
        mut forward: Forward<OfRequest<'_, '_>>,
        progress: &mut Progress<'_>,
    ) {
        let head = *forward.head();
        let mut side = Side::new(&mut client.stream, head, rest, progress);
        let error = match self.forwarder.forward(&mut forward, &mut side, &mut client.timer).await {
            Ok(ForwardEnd::Relayed) => return,
            Ok(ForwardEnd::Reply) => {
                if let Some(reply) = forward.in_place() {
                    self.reply(client, reply, progress).await;
                }
                return;
            }
            Err(error) => error,
        };
        let (failure, is_begun) = error.parts();
        (progress.keeps, progress.is_cut) = (false, is_begun);
        if let Some(reply) = forward.fail(failure, is_begun) {
            progress.is_unread |= head.body() != BodyLength::None;
            self.reply(client, reply, progress).await;
        }
    }

    /// Reads the beginning of a form until it is known whether it may go on. Nothing after the body is read.
    async fn look_at_form(
        &self,
        client: &mut Client,
        rest: &[u8],
        mut form: FormUpload<OfRequest<'_, '_>>,
        progress: &mut Progress<'_>,
    ) {
        let (came, most) = (rest.len(), form.most());
        let mut beginning = BytesMut::from(rest);
        if came < most && form.head().expects_continue() {
            let sent = wire::write(&mut client.stream, &[CONTINUE], &mut client.timer, self.limits.body_write).await;
            if sent.is_err() {
                progress.keeps = false;
                return;
            }
        }
        loop {
            let body = beginning.get(..most).unwrap_or(&beginning);
            match form.read(body) {
                AfterForm::Forward(forward) => {
                    self.forward(client, &beginning, forward, progress).await;
                    progress.consumed = progress.consumed.min(came);
                    return;
                }
                AfterForm::Reply(reply) => {
                    progress.is_unread = true;
                    return self.reply(client, reply, progress).await;
                }
                AfterForm::More(more) => form = more,
            }
            let left = most.saturating_sub(beginning.len());
            let read = poll_fn(|context| poll_read_some(&mut client.stream, context, left));
            let failure = match client.timer.within(self.limits.body_read, read).await {
                Ok(Ok(bytes)) if !bytes.is_empty() => {
                    beginning.extend_from_slice(&bytes);
                    continue;
                }
                Ok(_) => Failure::ClientGone,
                Err(_) => Failure::ClientTimeout,
            };
            (progress.keeps, progress.is_unread) = (false, true);
            if let Some(reply) = form.fail(failure) {
                self.reply(client, reply, progress).await;
            }
            return;
        }
    }

    /// Reads the body of an operation, carries it out and replies.
    async fn operate(
        &self,
        client: &mut Client,
        rest: &[u8],
        mut buffered: Buffered<OfRequest<'_, '_>>,
        progress: &mut Progress<'_>,
    ) {
        let head = *buffered.question().head();
        let reply = match self.whole_body(client, (head, buffered.max_body()), rest, progress).await {
            Ok(Some((body, _share))) => {
                buffered.question().tally().request_bytes = body.len() as u64;
                self.forwarder.operate(buffered, &body, None).await
            }
            Ok(None) => {
                progress.is_unread = true;
                Some(buffered.body_too_long())
            }
            Err(failure) => {
                (progress.keeps, progress.is_unread) = (false, true);
                buffered.fail(failure)
            }
        };
        match reply {
            Some(reply) => self.reply(client, reply, progress).await,
            None => progress.keeps = false,
        }
    }

    /// Sends a reply, in one write.
    async fn reply(&self, client: &mut Client, reply: Replying<OfRequest<'_, '_>>, progress: &mut Progress<'_>) {
        progress.keeps &= !reply.ends_connection();
        let (out, body) = (heads::of_reply(&reply, progress.keeps()), reply.body());
        match wire::write(&mut client.stream, &[&out, &body], &mut client.timer, self.limits.body_write).await {
            Ok(()) => reply.sent(body.len()),
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
    fn skip_body(&mut self, head: &RequestHead<'_>, rest: &[u8], tally: &mut Tally) {
        match head.body() {
            BodyLength::None => {}
            BodyLength::Length(length) if usize::try_from(length).is_ok_and(|length| length <= rest.len()) => {
                self.consumed = usize::try_from(length).unwrap_or(usize::MAX);
                tally.request_bytes = length;
            }
            BodyLength::Length(_) | BodyLength::Chunked => {
                self.keeps = false;
                self.is_unread = true;
            }
        }
    }
}

/// The head of a reply after which the connection ends.
pub(crate) fn last_reply_head<H: exchange::RequestHead>(reply: &Replying<H>) -> BytesMut {
    heads::of_reply(reply, false)
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
