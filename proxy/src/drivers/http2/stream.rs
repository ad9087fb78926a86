//! One stream: a request, and the response to it.

use super::Http2Driver;
use super::rejected::Note;
use super::request::{Head, Rejected};
use super::side::Side;
use crate::drivers::budget::{KeptBody, Share};
use crate::drivers::timer::Timer;
use crate::drivers::upstream::UploadError;
use crate::drivers::upstream::{Client, ForwardEnd};
use crate::exchange::{
    AfterForm, Buffered, ClientPeer, Failure, FormUpload, Forward, Judged, Replying, RequestFault, RequestHead,
};
use crate::upstream;
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::Request;
use s3cors_http1::body_length::BodyLength;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// The longest that a request waits for its turn among those of its connection.
const TURN: Duration = Duration::from_secs(30);

/// A request that was judged and has no reply yet.
pub(super) struct OpenStream {
    request: Judged<Head>,
    side: Side,
}

impl Http2Driver {
    /// Begins an exchange. One that the proxy replies to itself has ended when this returns; any other is handed back.
    pub(super) fn begin(
        &self,
        request: Request<RecvStream>,
        mut respond: SendResponse<Bytes>,
        note: Option<Note>,
        peer: ClientPeer,
        share: &upstream::Share,
    ) -> Option<OpenStream> {
        let Some(note) = note else {
            // There is one about each request. Without its fields none is served.
            respond.send_reset(Reason::INTERNAL_ERROR);
            return None;
        };
        let (parts, body) = request.into_parts();
        let (head, rejected) = Head::read(parts, note, !body.is_end_stream());
        let mut side = Side::new(respond, body, head.body(), share.clone());
        let exchange = self.policy.begin(head, peer);
        let request = match rejected {
            Some(Rejected { failure, is_malformed: false }) => Judged::Reply(exchange.reject(failure)),
            Some(Rejected { failure, is_malformed: true }) => {
                // RFC 9113 §8.1.1. It is counted and logged like the reply that HTTP/1.1 has.
                side.reset(Reason::PROTOCOL_ERROR);
                exchange.reject(failure).sent(0);
                return None;
            }
            None => exchange.judge(),
        };
        match request {
            Judged::Reply(reply) => {
                side.reply(reply);
                None
            }
            request => Some(OpenStream { request, side }),
        }
    }

    /// Serves a request to its end.
    pub(super) async fn serve_stream(&self, OpenStream { request, mut side }: OpenStream, forwarded: &Semaphore) {
        let turn = turn(&mut side, forwarded).await;
        match (request, turn) {
            (Judged::Forward(forward), Ok(_turn)) => self.forward(forward, side).await,
            (Judged::Forward(forward), Err(failure)) => end(forward.fail(failure, false), failure, side),
            (Judged::Buffered(buffered), Ok(_turn)) => Box::pin(self.operate(buffered, side)).await,
            (Judged::Form(form), Ok(_turn)) => Box::pin(self.look_at_form(form, side)).await,
            (Judged::Form(form), Err(failure)) => end(form.fail(failure), failure, side),
            (Judged::Buffered(buffered), Err(failure)) => end(buffered.fail(failure), failure, side),
            (Judged::Reply(_), _) => {}
        }
    }

    async fn forward(&self, mut forward: Forward<Head>, mut side: Side) {
        match self.forwarder.forward(&mut forward, &mut side, &mut Timer::default()).await {
            Ok(ForwardEnd::Relayed) => {}
            Ok(ForwardEnd::Reply) => end(forward.in_place(), Failure::Internal, side),
            Err(error) => {
                let (failure, is_begun) = error.parts();
                end(forward.fail(failure, is_begun), failure, side);
            }
        }
    }

    /// Reads the beginning of a form until it is known whether it may go on.
    async fn look_at_form(&self, mut form: FormUpload<Head>, mut side: Side) {
        let expects = form.head().value("expect").is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
        if expects && let Err(failure) = side.send_continue() {
            return end(form.fail(failure), failure, side);
        }
        let (mut timer, mut beginning) = (Timer::default(), Vec::new());
        loop {
            match form.read(&beginning) {
                AfterForm::Forward(forward) => return self.forward(forward, side).await,
                AfterForm::Reply(reply) => return side.reply(reply),
                AfterForm::More(more) => form = more,
            }
            let read = poll_fn(|context| side.upload.poll_beginning(context));
            beginning = match timer.within(self.limits.body_read, read).await {
                Ok(Ok(bytes)) => bytes,
                Ok(Err(UploadError::Invalid(fault))) => {
                    let failure = Failure::InvalidRequest(fault);
                    return end(form.fail(failure), failure, side);
                }
                Ok(Err(_)) => return end(form.fail(Failure::ClientGone), Failure::ClientGone, side),
                Err(_) => return end(form.fail(Failure::ClientTimeout), Failure::ClientTimeout, side),
            };
        }
    }

    /// Reads the body of an operation, carries it out and replies.
    async fn operate(&self, mut buffered: Buffered<Head>, mut side: Side) {
        let reply = match self.whole_body(buffered.max_body(), buffered.question().head(), &mut side).await {
            Ok(Some((body, _share))) => {
                buffered.question().tally().request_bytes = body.len() as u64;
                self.forwarder.operate(buffered, &body, side.share()).await
            }
            Ok(None) => Some(buffered.body_too_long()),
            Err(failure) => buffered.fail(failure),
        };
        match reply {
            Some(reply) => side.reply(reply),
            None => side.cut(Failure::ClientGone),
        }
    }

    /// Reads the body, of so many bytes at most; `None` where it is longer.
    async fn whole_body<'b>(
        &'b self,
        most: usize,
        head: &Head,
        side: &mut Side,
    ) -> Result<Option<(Bytes, Share<'b>)>, Failure> {
        let stated = match head.body() {
            BodyLength::None => Some(0),
            BodyLength::Length(length) => Some(length),
            BodyLength::Chunked => None,
        };
        if stated.is_some_and(|length| length > most as u64) {
            return Ok(None);
        }
        let expects = head.value("expect").is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
        if expects && head.body() != BodyLength::None {
            side.send_continue()?;
        }
        let (mut timer, mut whole) = (Timer::default(), KeptBody::new(self.forwarder.bodies()));
        let Some(mut body) = side.take_body() else { return Ok(Some(whole.into_parts())) };
        loop {
            let data = poll_fn(|context| body.poll_data(context));
            let data = timer.within(self.limits.body_read, data).await.map_err(|_| Failure::ClientTimeout)?;
            let Some(data) = data.transpose().map_err(|_| Failure::ClientGone)? else { break };
            whole.append(&data)?;
            if whole.len() > most {
                return Ok(None);
            }
            // It is an error only where more is given back than was held.
            let _ = body.flow_control().release_capacity(data.len());
        }
        if stated.is_some_and(|length| length != whole.len() as u64) {
            return Err(Failure::InvalidRequest(RequestFault::BodyLength));
        }
        Ok(Some(whole.into_parts()))
    }
}

/// Waits until the request may go to an upstream.
async fn turn<'f>(side: &mut Side, forwarded: &'f Semaphore) -> Result<SemaphorePermit<'f>, Failure> {
    if let Ok(turn) = forwarded.try_acquire() {
        return Ok(turn);
    }
    let mut turn = pin!(forwarded.acquire());
    let turn = poll_fn(|context| match side.poll_gone(context) {
        Poll::Ready(()) => Poll::Ready(Err(Failure::ClientGone)),
        // It is never closed.
        Poll::Pending => turn.as_mut().poll(context).map(|turn| turn.map_err(|_| Failure::Internal)),
    });
    tokio::time::timeout(TURN, turn).await.unwrap_or(Err(Failure::TooManyRequests))
}

/// Ends a stream with a reply, or as one that no one waits for.
fn end(reply: Option<Replying<Head>>, failure: Failure, mut side: Side) {
    match reply {
        Some(reply) => side.reply(reply),
        None => side.cut(failure),
    }
}
