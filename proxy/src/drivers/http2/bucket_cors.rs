//! A request for the CORS of a bucket over HTTP/2: its body is read as a whole.

use super::Http2Driver;
use super::request::Head;
use super::stream::Answer;
use crate::drivers::bucket_cors::{Operations, Whole};
use crate::drivers::http1::Timer;
use crate::drivers::route::Broken;
use crate::exchange::{BucketCors, Context, Failure, Peer, Reply, RequestHead};
use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use http::{Response, StatusCode};
use s3cors_http1::body_length::BodyLength;
use std::future::poll_fn;

impl Http2Driver {
    /// Carries an operation out. Returns the reply, and how many bytes its body has.
    pub(super) async fn carry_out(
        &self,
        request: BucketCors,
        (head, length, peer): (&Head, BodyLength, &Peer),
        body: RecvStream,
        answer: &mut Answer,
        ctx: &mut Context,
    ) -> Result<(Reply, usize), Broken> {
        if expects(head) && length != BodyLength::None {
            let mut interim = Response::new(());
            *interim.status_mut() = StatusCode::CONTINUE;
            answer.send_interim(interim).map_err(|_| gone())?;
        }
        let Some(body) = self.whole_body(length, body).await? else {
            return Ok((self.exchange.reject_body(&request, ctx), 0));
        };
        let received = body.len();
        let operations = Operations {
            exchange: &self.exchange,
            upstreams: &self.upstreams,
            pool: &self.pool,
            timeouts: self.timeouts,
        };
        let reply = operations.serve(request, Whole { head, body, peer }, ctx).await?;
        Ok((reply, received))
    }

    /// Reads the body; `None` where it is longer than it may be.
    async fn whole_body(&self, length: BodyLength, mut body: RecvStream) -> Result<Option<Bytes>, Broken> {
        let stated = match length {
            BodyLength::None => Some(0),
            BodyLength::Length(length) => Some(length),
            BodyLength::Chunked => None,
        };
        if stated.is_some_and(|length| length > BucketCors::MAX_BODY as u64) {
            return Ok(None);
        }
        let (mut timer, mut whole) = (Timer::default(), BytesMut::new());
        loop {
            let data = poll_fn(|context| body.poll_data(context));
            let data = timer.within(self.limits.body_read, data).await;
            let data = data.map_err(|_| Broken::Failed(Failure::ClientTimeout, "ReadTimedout"))?;
            let Some(data) = data.transpose().map_err(|_| gone())? else { break };
            whole.extend_from_slice(&data);
            if whole.len() > BucketCors::MAX_BODY {
                return Ok(None);
            }
            // It is an error only where more is given back than was held.
            let _ = body.flow_control().release_capacity(data.len());
        }
        if stated.is_some_and(|length| length != whole.len() as u64) {
            return Err(Broken::Failed(Failure::InvalidRequest, "a body of another length"));
        }
        Ok(Some(whole.freeze()))
    }
}

fn expects(head: &Head) -> bool {
    head.value("expect").is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"))
}

const fn gone() -> Broken {
    Broken::Failed(Failure::ClientGone, "ConnectionClosed")
}
