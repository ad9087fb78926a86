//! A request for the CORS of a bucket: Pingora reads its body, and the rest is as in our own drivers.

use super::head::Head;
use super::{Driven, PingoraDriver};
use crate::drivers::bucket_cors::{Operations, Whole};
use crate::drivers::route::Broken;
use crate::exchange::{BucketCors, Reply, RequestHead};
use bytes::{Bytes, BytesMut};
use pingora::prelude::*;

impl PingoraDriver {
    /// The reply to an operation on a bucket's CORS; `None` for any other request.
    pub(super) async fn bucket_cors(&self, session: &mut Session, driven: &mut Driven) -> Result<Option<Reply>> {
        let Some(peer) = driven.peer else { return Ok(None) };
        let asked = self.exchange.bucket_cors(&Head(session.req_header()), &peer, &driven.exchange);
        let request = match asked {
            None => return Ok(None),
            Some(Err(reply)) => return Ok(Some(*reply)),
            Some(Ok(request)) => request,
        };
        let Some(body) = whole_body(session).await? else {
            return Ok(Some(self.exchange.reject_body(&request, &driven.exchange)));
        };
        // A 100 Continue makes Pingora give up keep-alive, because the body was not finished then.
        if !session.is_process_shutting_down() {
            session.set_keepalive(driven.keepalive);
        }
        let head = Head(session.req_header());
        let operations = Operations {
            exchange: &self.exchange,
            upstreams: &self.upstreams,
            pool: &self.pool,
            timeouts: self.timeouts,
        };
        let whole = Whole { head: &head, body, peer: &peer };
        let served = operations.serve(request, whole, &mut driven.exchange).await;
        Ok(Some(served.unwrap_or_else(|broken| self.broken(&broken, &head, driven))))
    }

    fn broken(&self, broken: &Broken, head: &Head<'_>, driven: &Driven) -> Reply {
        let (failure, error, _) = broken.parts();
        self.exchange.fail(failure, error, head, &driven.exchange)
    }
}

/// Reads the body; `None` where it is longer than it may be.
async fn whole_body(session: &mut Session) -> Result<Option<Bytes>> {
    let head = Head(session.req_header());
    let stated = head.text("content-length").and_then(|length| length.parse::<u64>().ok());
    if stated.is_some_and(|length| length > BucketCors::MAX_BODY as u64) {
        return Ok(None);
    }
    let expects = head.value("expect").is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"));
    let client = session.as_downstream_mut();
    if expects && !client.is_body_done() {
        client.write_continue_response().await?;
    }
    let mut whole = BytesMut::new();
    while let Some(bytes) = client.read_request_body().await? {
        whole.extend_from_slice(&bytes);
        if whole.len() > BucketCors::MAX_BODY {
            return Ok(None);
        }
    }
    Ok(Some(whole.freeze()))
}
