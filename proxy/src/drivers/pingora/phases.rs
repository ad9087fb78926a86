//! The hooks' work: the exchange is asked, and its answers are put into Pingora's terms.

use super::failure::{UNRESOLVED, failure_of};
use super::head::{OwnedHead, edit_interim, edit_request, edit_response, has_authority, reply_head};
use super::{PingoraContext, PingoraDriver, Stage};
use crate::drivers::peer;
use crate::exchange::{CLIENT_GONE, Failure, Judged, Replying, Resend, ResponsePlan, Tally};
use http::header::{HOST, TRANSFER_ENCODING, VARY};
use http::{HeaderValue, Method, Version};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::prelude::*;
use pingora::proxy::FailToProxy;
use s3cors_http1::body_length::is_bodiless;
use std::time::Duration;

impl PingoraDriver {
    pub(super) fn set_limits(&self, session: &mut Session, ctx: &mut PingoraContext) -> Result<()> {
        session.set_read_timeout(Some(self.limits.body_read));
        session.set_write_timeout(Some(self.limits.body_write));
        ctx.keepalive = session.get_keepalive();
        // RFC 9110 §15.2: a client of HTTP/1.0 knows no interim responses.
        let is_old = is_old(session);
        session.set_ignore_info_resp(is_old);
        Ok(())
    }

    /// Sends the exchange's own reply, if it has one; `false` forwards the request.
    pub(super) async fn judge(&self, session: &mut Session, ctx: &mut PingoraContext) -> Result<bool> {
        let peer = peer::of_session(session.digest(), &self.policy);
        let head = OwnedHead(Box::new(session.req_header().clone()));
        let reply = match self.policy.begin(head, peer).judge() {
            Judged::Reply(reply) => reply,
            Judged::Forward(forward) => {
                ctx.stage = Stage::Forward(forward);
                return Ok(false);
            }
            // The configuration allows none of these with this driver.
            Judged::Form(form) => match form.fail(Failure::Internal) {
                Some(reply) => reply,
                None => return Ok(true),
            },
            Judged::Buffered(buffered) => match buffered.fail(Failure::Internal) {
                Some(reply) => reply,
                None => return Ok(true),
            },
        };
        // Boxed, so that the future of a request that is forwarded does not carry (and copy) the state of a reply.
        Box::pin(self.send(session, &reply)).await?;
        ctx.stage = Stage::Reply(reply);
        Ok(true)
    }

    async fn send(&self, session: &mut Session, reply: &Replying<OwnedHead>) -> Result<()> {
        if reply.ends_connection() {
            session.set_keepalive(None);
        }
        // Past the session's modules, of which there are none.
        let client = session.as_downstream_mut();
        client.write_response_header(Box::new(reply_head(reply))).await?;
        let body = reply.body();
        if !body.is_empty() {
            Box::pin(client.write_response_body(body, true)).await?;
        } else if client.is_http2() {
            // A head does not end its stream there, and after a failure Pingora does not either: it resets the stream, and the
            // client drops a reply that was complete.
            Box::pin(client.finish_body()).await?;
        }
        Ok(())
    }

    pub(super) fn next_peer(&self, ctx: &mut PingoraContext) -> Result<Box<HttpPeer>> {
        let Some(peer) = ctx.attempts.next(&self.upstream) else {
            return Error::e_explain(UNRESOLVED, "no upstream's name has resolved");
        };
        if let Stage::Forward(forward) = &mut ctx.stage {
            forward.connecting(peer.address());
        }
        Ok(Box::new(peer.http().clone()))
    }

    /// Makes the request what the upstream is to see.
    pub(super) fn edit_request(request: &mut RequestHeader, ctx: &PingoraContext) -> Result<()> {
        let Stage::Forward(forward) = &ctx.stage else { return Ok(()) };
        edit_request(&forward.request(), request)?;
        let has_host = request.headers.contains_key(HOST) || has_authority(request);
        // A client of HTTP/1.0 may name no host; the upstream is asked in HTTP/1.1 (RFC 9112 §3.2).
        match ctx.attempts.peer() {
            Some(upstream) if !has_host => request.insert_header(HOST, upstream.authority()),
            _ => Ok(()),
        }
    }

    pub(super) fn edit_response(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        ctx: &mut PingoraContext,
    ) -> Result<()> {
        // 100 and 103 come through here too: they are not the response.
        if head.status.is_informational() {
            edit_interim(head);
            return Ok(());
        }
        ctx.attempts.answered(&self.upstream);
        let Stage::Forward(forward) = &mut ctx.stage else { return Ok(()) };
        let lines = head.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        let lines: Vec<_> = lines.collect();
        // The configuration lets nothing be asked again with this driver.
        if let ResponsePlan::Relay(shown) =
            forward.response(head.status, lines.iter().copied(), None, Resend::default())
        {
            let vary: Vec<_> = head.headers.get_all(VARY).iter().cloned().collect();
            edit_response(&forward.edits(shown, vary.iter().map(HeaderValue::as_bytes)), head);
        }
        // A forwarded 100 Continue makes Pingora give up keep-alive, because the body is not finished then; once it is, the
        // client's own wish holds again. A refusal in mid-upload still closes.
        if session.is_body_done() && !session.is_process_shutting_down() {
            session.set_keepalive(ctx.keepalive);
        }
        // RFC 9112 §6.1: a client of HTTP/1.0 knows no chunks. Without them the body ends with the connection.
        if is_old(session) && head.remove_header(&TRANSFER_ENCODING).is_some() && has_body(session, head) {
            session.set_keepalive(None);
        }
        Ok(())
    }

    pub(super) fn examine_body(body: Option<&[u8]>, ctx: &mut PingoraContext) -> Result<Option<Duration>> {
        if let Stage::Forward(forward) = &mut ctx.stage {
            forward.body(body.unwrap_or_default());
        }
        Ok(None)
    }

    pub(super) fn retry_elsewhere(&self, peer: &HttpPeer, ctx: &mut PingoraContext, error: Box<Error>) -> Box<Error> {
        let mut error = error.more_context(format!("peer {peer}"));
        error.set_retry(ctx.attempts.unreachable(&self.upstream));
        error
    }

    pub(super) async fn fail(&self, session: &mut Session, error: &Error, ctx: &mut PingoraContext) -> FailToProxy {
        let failure = failure_of(error, session.is_body_done());
        let is_begun = session.response_written().is_some_and(|head| !head.status.is_informational());
        let status = session.response_written().map_or(0, |head| head.status.as_u16());
        Self::record(session, ctx);
        let Stage::Forward(forward) = std::mem::take(&mut ctx.stage) else {
            return FailToProxy { error_code: status, can_reuse_downstream: false };
        };
        let Some(reply) = forward.fail(failure, is_begun) else {
            return FailToProxy { error_code: 0, can_reuse_downstream: false };
        };
        let error_code = reply.status().as_u16();
        if let Err(error) = self.send(session, &reply).await {
            tracing::debug!(%error, "the client had gone before it could be told");
        }
        ctx.stage = Stage::Reply(reply);
        FailToProxy { error_code, can_reuse_downstream: false }
    }

    /// Notes the traffic: the exchange is recorded when the context is dropped.
    pub(super) fn record(session: &Session, ctx: &mut PingoraContext) {
        let tally = match &mut ctx.stage {
            Stage::None => return,
            Stage::Forward(forward) => forward.tally(),
            Stage::Reply(reply) => reply.tally(),
        };
        *tally = Tally {
            status: session.response_written().map_or(CLIENT_GONE, |head| head.status.as_u16()),
            request_bytes: session.body_bytes_read() as u64,
            response_bytes: session.body_bytes_sent() as u64,
        };
    }
}

/// Whether the client does not speak HTTP/1.1 yet.
fn is_old(session: &Session) -> bool {
    session.req_header().version == Version::HTTP_10
}

fn has_body(session: &Session, head: &ResponseHeader) -> bool {
    session.req_header().method != Method::HEAD && !is_bodiless(head.status.as_u16())
}
