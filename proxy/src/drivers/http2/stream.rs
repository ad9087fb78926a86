//! One stream: a request, and the response to it.

use super::Http2Driver;
use super::conversation::Conversation;
use super::request::{Head, Rejected};
use super::response;
use super::upload::Upload;
use crate::drivers::http1::Timer;
use crate::drivers::route::{Broken, Outcome, Route};
use crate::exchange::{BucketCors, CLIENT_GONE, Context, Ended, Failure, Peer, Reply, RequestHead};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{Request, Response};
use s3cors_http1::body_length::BodyLength;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::task::{self, Poll, ready};
use std::time::Duration;

/// The way back to the client.
pub(super) struct Answer {
    respond: SendResponse<Bytes>,
    body: Option<SendStream<Bytes>>,
    /// What the client saw, or [`CLIENT_GONE`].
    status: u16,
    sent: usize,
}

impl Answer {
    /// Sends an interim response.
    pub(super) fn send_interim(&mut self, head: Response<()>) -> Result<(), h2::Error> {
        self.respond.send_informational(head)
    }

    /// Sends the response's head, which ends the response where it has no body.
    pub(super) fn send_head(&mut self, head: Response<()>, ends: bool) -> Result<(), h2::Error> {
        let status = head.status().as_u16();
        self.body = Some(self.respond.send_response(head, ends)?);
        self.status = status;
        Ok(())
    }

    /// Sends a small piece of the body whatever the client's window is: it leaves together with the head where it can.
    pub(super) fn send_now(&mut self, data: Bytes, ends: bool) -> Result<(), h2::Error> {
        let Some(body) = &mut self.body else { return Ok(()) };
        self.sent += data.len();
        body.send_data(data, ends)
    }

    /// Sends a piece of the body as the client's window allows. The client may take `limit` for each part of it.
    pub(super) async fn send_body(
        &mut self,
        mut data: Bytes,
        ends: bool,
        timer: &mut Timer,
        limit: Duration,
    ) -> io::Result<()> {
        let gone = || io::Error::from(ErrorKind::ConnectionReset);
        if data.is_empty() {
            return if ends { self.send_now(data, true).map_err(|_| gone()) } else { Ok(()) };
        }
        while !data.is_empty() {
            let body = self.body.as_mut().ok_or_else(gone)?;
            body.reserve_capacity(data.len());
            let capacity = match body.capacity() {
                0 => timer.within(limit, poll_fn(|context| poll_capacity(body, context))).await?.ok_or_else(gone)?,
                capacity => capacity,
            };
            let part = data.split_to(capacity.min(data.len()));
            self.send_now(part, ends && data.is_empty()).map_err(|_| gone())?;
        }
        Ok(())
    }

    /// Ready when the client has reset the stream, or is gone.
    pub(super) fn poll_gone(&mut self, context: &mut task::Context<'_>) -> Poll<()> {
        let reset = match &mut self.body {
            Some(body) => body.poll_reset(context),
            None => self.respond.poll_reset(context),
        };
        reset.map(drop)
    }

    /// Breaks off a response that was begun. A clean end would make a part of it look like the whole (RFC 9113 §8.1).
    fn cut(&mut self, failure: Failure) {
        let reason = if failure == Failure::ClientGone { Reason::CANCEL } else { Reason::INTERNAL_ERROR };
        match &mut self.body {
            Some(body) => body.send_reset(reason),
            None => self.respond.send_reset(reason),
        }
    }
}

/// Waits for room in the client's window; `None` when the stream is reset.
fn poll_capacity(body: &mut SendStream<Bytes>, context: &mut task::Context<'_>) -> Poll<Option<usize>> {
    loop {
        match ready!(body.poll_capacity(context)) {
            // What was assigned may have been taken back.
            Some(Ok(0)) => {}
            Some(Ok(capacity)) => return Poll::Ready(Some(capacity)),
            Some(Err(_)) | None => return Poll::Ready(None),
        }
    }
}

/// A request that the upstream is to see.
pub(super) struct Forwarded {
    head: Head,
    body: RecvStream,
    length: BodyLength,
    answer: Answer,
    ctx: Context,
    peer: Peer,
}

/// What an upstream is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'r> {
    pub(super) head: &'r Head,
    /// How long the body is.
    pub(super) length: BodyLength,
    peer: &'r Peer,
    /// The head that the request was rejected with, if this is the second time that it is asked.
    pub(super) rejection: Option<&'r Bytes>,
}

impl Http2Driver {
    /// Begins an exchange. One that the proxy replies to itself has ended when this returns; any other is handed back.
    pub(super) fn begin(
        &self,
        request: Request<RecvStream>,
        respond: SendResponse<Bytes>,
        peer: Peer,
    ) -> Option<Forwarded> {
        let mut ctx = self.exchange.begin();
        let (parts, body) = request.into_parts();
        let head = Head::new(parts);
        let reply = self.exchange.judge(&head, &peer, &mut ctx);
        let mut answer = Answer { respond, body: None, status: CLIENT_GONE, sent: 0 };
        let reply = match (head.body(!body.is_end_stream()), reply) {
            (Ok(length), None) => return Some(Forwarded { head, body, length, answer, ctx, peer }),
            (Ok(_), Some(reply)) => reply,
            (Err(Rejected::Connect), _) => self.exchange.fail(Failure::Connect, "CONNECT", &head, &ctx),
            (Err(Rejected::Malformed(why)), _) => self.exchange.fail(Failure::InvalidRequest, why, &head, &ctx),
        };
        self.reply(&head, &reply, &ctx, &mut answer);
        self.record(&head, &ctx, &answer, 0);
        None
    }

    /// Sends the exchange's own reply.
    fn reply(&self, head: &Head, reply: &Reply, ctx: &Context, answer: &mut Answer) {
        let body = if head.method() == "HEAD" { Bytes::new() } else { reply.body.clone() };
        let sent = answer.send_head(response::of_reply(&self.exchange, reply, ctx), body.is_empty());
        if sent.is_ok() && !body.is_empty() {
            // A client that is gone by now has had the head.
            let _ = answer.send_now(body, true);
        }
    }

    /// Serves a request to its end.
    pub(super) async fn serve_stream(&self, forwarded: Forwarded) {
        let Forwarded { head, body, length, mut answer, mut ctx, peer } = forwarded;
        if let Some(asked) = self.exchange.bucket_cors(&head, &peer, &ctx) {
            let request = (&head, length, &peer);
            return Box::pin(self.serve_bucket_cors(asked, request, body, answer, ctx)).await;
        }
        let mut upload = Upload::new(body, length);
        let asked = Asked { head: &head, length, peer: &peer, rejection: None };
        if let Err(broken) = self.attempt(asked, &mut answer, &mut upload, &mut ctx).await {
            let (failure, error, is_begun) = broken.parts();
            let reply = self.exchange.fail(failure, error, &head, &ctx);
            if is_begun || failure.status().is_none() {
                answer.cut(failure);
            } else {
                upload.discard();
                self.reply(&head, &reply, &ctx, &mut answer);
            }
        }
        self.record(&head, &ctx, &answer, upload.moved());
    }

    /// Serves a request for the CORS of a bucket to its end.
    async fn serve_bucket_cors(
        &self,
        asked: Result<BucketCors, Box<Reply>>,
        request: (&Head, BodyLength, &Peer),
        body: RecvStream,
        mut answer: Answer,
        mut ctx: Context,
    ) {
        let (head, ..) = request;
        let carried_out = match asked {
            Err(reply) => Ok((*reply, 0)),
            Ok(asked) => self.carry_out(asked, request, body, &mut answer, &mut ctx).await,
        };
        let received = match carried_out {
            Ok((reply, received)) => {
                self.reply(head, &reply, &ctx, &mut answer);
                received
            }
            Err(broken) => {
                let (failure, error, _) = broken.parts();
                let reply = self.exchange.fail(failure, error, head, &ctx);
                match failure.status() {
                    Some(_) => self.reply(head, &reply, &ctx, &mut answer),
                    None => answer.cut(failure),
                }
                0
            }
        };
        self.record(head, &ctx, &answer, received as u64);
    }

    /// Asks an upstream, and once more where the exchange wants that.
    async fn attempt(
        &self,
        asked: Asked<'_>,
        answer: &mut Answer,
        upload: &mut Upload,
        ctx: &mut Context,
    ) -> Result<(), Broken> {
        let first = self.ask(asked, answer, upload, ctx).await?;
        if let Some(rejection) = first.rejection {
            let again = Asked { rejection: Some(&rejection), ..asked };
            Box::pin(self.ask(again, answer, upload, ctx)).await?;
        }
        Ok(())
    }

    /// Tries one address after the other, and a kept connection that turned out closed once more.
    async fn ask(
        &self,
        asked: Asked<'_>,
        answer: &mut Answer,
        upload: &mut Upload,
        ctx: &mut Context,
    ) -> Result<Outcome, Broken> {
        let mut timer = Timer::default();
        let Asked { head, length, peer, .. } = asked;
        let mut route = Route::new(&self.upstreams, &self.pool, head.method());
        loop {
            let mut upstream = route.connect(ctx).await?;
            let request = head.for_upstream(&self.exchange.request_edits(head, peer, ctx), length);
            let (timer, route_now) = (&mut timer, &route);
            let mut conversation = Conversation {
                driver: self,
                asked,
                answer: &mut *answer,
                upload: &mut *upload,
                upstream: &mut upstream,
                timer,
                route: route_now,
            };
            match conversation.run(request, ctx).await {
                Err(Broken::Stale) if route.may_be_stale() => route.mark_stale(),
                Err(broken) => return Err(broken),
                Ok(outcome) => {
                    if outcome.is_reusable {
                        route.keep(upstream);
                    }
                    return Ok(outcome);
                }
            }
        }
    }

    fn record(&self, head: &Head, ctx: &Context, answer: &Answer, received: u64) {
        let request_bytes = usize::try_from(received).unwrap_or(usize::MAX);
        let ended = Ended { status: answer.status, request_bytes, response_bytes: answer.sent };
        self.exchange.record(head, ctx, &ended);
    }
}
