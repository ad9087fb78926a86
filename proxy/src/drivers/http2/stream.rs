//! One stream: a request, and the response to it.

use super::Http2Driver;
use super::request::Head;
use super::side::Side;
use crate::drivers::timer::Timer;
use crate::drivers::upstream::Client;
use crate::exchange::{Buffered, ClientPeer, Failure, Forward, Judged, RequestFault, RequestHead};
use crate::upstream::Share;
use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use h2::server::SendResponse;
use http::Request;
use s3cors_http1::body_length::BodyLength;
use std::future::poll_fn;

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
        respond: SendResponse<Bytes>,
        peer: ClientPeer,
        share: &Share,
    ) -> Option<OpenStream> {
        let (parts, body) = request.into_parts();
        let (head, failure) = Head::read(parts, !body.is_end_stream());
        let mut side = Side::new(respond, body, head.body(), share.clone());
        let exchange = self.policy.begin(head, peer);
        let request = match failure {
            Some(failure) => Judged::Reply(exchange.reject(failure)),
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
    pub(super) async fn serve_stream(&self, OpenStream { request, side }: OpenStream) {
        match request {
            Judged::Forward(forward) => self.forward(forward, side).await,
            Judged::Buffered(buffered) => Box::pin(self.operate(buffered, side)).await,
            Judged::Reply(_) => {}
        }
    }

    async fn forward(&self, mut forward: Forward<Head>, mut side: Side) {
        let forwarded = self.forwarder.forward(&mut forward, &mut side, &mut Timer::default()).await;
        let Err(error) = forwarded else { return };
        let (failure, is_begun) = error.parts();
        match forward.fail(failure, is_begun) {
            Some(reply) => side.reply(reply),
            None => side.cut(failure),
        }
    }

    /// Reads the body of an operation, carries it out and replies.
    async fn operate(&self, mut buffered: Buffered<Head>, mut side: Side) {
        let reply = match self.whole_body(buffered.question().head(), &mut side).await {
            Ok(Some(body)) => {
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

    /// Reads the body; `None` where it is longer than it may be.
    async fn whole_body(&self, head: &Head, side: &mut Side) -> Result<Option<Bytes>, Failure> {
        const MAX_BODY: usize = Buffered::<Head>::MAX_BODY;
        let stated = match head.body() {
            BodyLength::None => Some(0),
            BodyLength::Length(length) => Some(length),
            BodyLength::Chunked => None,
        };
        if stated.is_some_and(|length| length > MAX_BODY as u64) {
            return Ok(None);
        }
        let expects = head.value("expect").is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
        if expects && head.body() != BodyLength::None {
            side.send_continue()?;
        }
        let (mut timer, mut whole) = (Timer::default(), BytesMut::new());
        let Some(mut body) = side.take_body() else { return Ok(Some(Bytes::new())) };
        loop {
            let data = poll_fn(|context| body.poll_data(context));
            let data = timer.within(self.limits.body_read, data).await.map_err(|_| Failure::ClientTimeout)?;
            let Some(data) = data.transpose().map_err(|_| Failure::ClientGone)? else { break };
            whole.extend_from_slice(&data);
            if whole.len() > MAX_BODY {
                return Ok(None);
            }
            // It is an error only where more is given back than was held.
            let _ = body.flow_control().release_capacity(data.len());
        }
        if stated.is_some_and(|length| length != whole.len() as u64) {
            return Err(Failure::InvalidRequest(RequestFault::BodyLength));
        }
        Ok(Some(whole.freeze()))
    }
}
