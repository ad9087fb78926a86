//! The hooks' work: the exchange is asked, and its answers are put into Pingora's terms.

use super::failure::{UNRESOLVED, failure_of};
use super::head::{Head, edit_interim, edit_request, edit_response, has_authority, reply_head};
use super::{Driven, PingoraDriver};
use crate::drivers::peer;
use crate::exchange::{CLIENT_GONE, Ended, Reply};
use http::header::{HOST, TRANSFER_ENCODING};
use http::{Method, Version};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::prelude::*;
use pingora::proxy::FailToProxy;
use s3cors_http1::body_length::is_bodiless;
use std::time::Duration;

impl PingoraDriver {
    pub(super) fn set_limits(&self, session: &mut Session, driven: &mut Driven) -> Result<()> {
        session.set_read_timeout(Some(self.limits.body_read));
        session.set_write_timeout(Some(self.limits.body_write));
        driven.keepalive = session.get_keepalive();
        // RFC 9110 §15.2: a client of HTTP/1.0 knows no interim responses.
        let is_old = is_old(session);
        session.set_ignore_info_resp(is_old);
        Ok(())
    }

    /// Sends the exchange's own reply, if it has one; `false` forwards the request.
    pub(super) async fn judge(&self, session: &mut Session, driven: &mut Driven) -> Result<bool> {
        let head = Head(session.req_header());
        let peer = driven.peer.insert(peer::of_session(session.digest(), &self.exchange));
        let Some(reply) = self.exchange.judge(&head, peer, &mut driven.exchange) else { return Ok(false) };
        // Boxed, so that the future of a request that is forwarded does not carry (and copy) the state of a reply.
        Box::pin(self.send(session, reply, driven)).await?;
        Ok(true)
    }

    async fn send(&self, session: &mut Session, reply: Reply, driven: &Driven) -> Result<()> {
        if reply.ends_connection {
            session.set_keepalive(None);
        }
        let is_head = session.req_header().method == http::Method::HEAD;
        // Past the session's modules, of which there are none.
        let client = session.as_downstream_mut();
        client.write_response_header(Box::new(reply_head(&self.exchange, &reply, &driven.exchange))).await?;
        if !reply.body.is_empty() && !is_head {
            Box::pin(client.write_response_body(reply.body, true)).await?;
        } else if client.is_http2() {
            // A head does not end its stream there, and after a failure Pingora does not either: it resets the stream, and the
            // client drops a reply that was complete.
            Box::pin(client.finish_body()).await?;
        }
        Ok(())
    }

    pub(super) fn next_peer(&self, driven: &mut Driven) -> Result<Box<HttpPeer>> {
        let Some(peer) = driven.attempts.next(&self.upstreams) else {
            return Error::e_explain(UNRESOLVED, "no upstream's name has resolved");
        };
        driven.exchange.sent_upstream(peer.address());
        Ok(Box::new(peer.http().clone()))
    }

    /// Makes the request what the upstream is to see.
    pub(super) fn edit_request(&self, session: &Session, request: &mut RequestHeader, driven: &Driven) -> Result<()> {
        let Some(peer) = &driven.peer else { return Ok(()) };
        edit_request(&self.exchange.request_edits(&Head(session.req_header()), peer, &driven.exchange), request)?;
        let has_host = request.headers.contains_key(HOST) || has_authority(request);
        // A client of HTTP/1.0 may name no host; the upstream is asked in HTTP/1.1 (RFC 9112 §3.2).
        match driven.attempts.peer() {
            Some(upstream) if !has_host => request.insert_header(HOST, upstream.authority()),
            _ => Ok(()),
        }
    }

    pub(super) fn edit_response(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        driven: &mut Driven,
    ) -> Result<()> {
        // 100 and 103 come through here too: they are not the response.
        if head.status.is_informational() {
            edit_interim(head);
            return Ok(());
        }
        driven.exchange.upstream_answered(head.status);
        driven.attempts.answered(&self.upstreams);
        let lines = head.headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        self.exchange.examine_head(lines, &Head(session.req_header()), &mut driven.exchange);
        edit_response(&self.exchange, head, &driven.exchange);
        // A forwarded 100 Continue makes Pingora give up keep-alive, because the body is not finished then; once it is, the
        // client's own wish holds again. A refusal in mid-upload still closes.
        if session.is_body_done() && !session.is_process_shutting_down() {
            session.set_keepalive(driven.keepalive);
        }
        // RFC 9112 §6.1: a client of HTTP/1.0 knows no chunks. Without them the body ends with the connection.
        if is_old(session) && head.remove_header(&TRANSFER_ENCODING).is_some() && has_body(session, head) {
            session.set_keepalive(None);
        }
        Ok(())
    }

    pub(super) fn examine_body(
        &self,
        session: &Session,
        body: Option<&[u8]>,
        driven: &mut Driven,
    ) -> Result<Option<Duration>> {
        self.exchange.examine_body(body.unwrap_or_default(), &Head(session.req_header()), &mut driven.exchange);
        Ok(None)
    }

    pub(super) fn retry_elsewhere(&self, peer: &HttpPeer, driven: &mut Driven, error: Box<Error>) -> Box<Error> {
        let mut error = error.more_context(format!("peer {peer}"));
        error.set_retry(driven.attempts.unreachable(&self.upstreams));
        error
    }

    pub(super) async fn fail(&self, session: &mut Session, error: &Error, driven: &mut Driven) -> FailToProxy {
        let failure = failure_of(error, session.is_body_done());
        let head = Head(session.req_header());
        let reply = self.exchange.fail(failure, error.etype().as_str(), &head, &driven.exchange);
        let is_unanswered = session.response_written().is_none_or(|head| head.status.is_informational());
        if failure.status().is_some()
            && is_unanswered
            && let Err(error) = self.send(session, reply, driven).await
        {
            tracing::debug!(%error, "the client had gone before it could be told");
        }
        FailToProxy { error_code: failure.status().map_or(0, |status| status.as_u16()), can_reuse_downstream: false }
    }

    pub(super) fn record(&self, session: &Session, driven: &Driven) {
        let ended = Ended {
            status: session.response_written().map_or(CLIENT_GONE, |head| head.status.as_u16()),
            request_bytes: session.body_bytes_read(),
            response_bytes: session.body_bytes_sent(),
        };
        self.exchange.record(&Head(session.req_header()), &driven.exchange, &ended);
    }
}

/// Whether the client does not speak HTTP/1.1 yet.
fn is_old(session: &Session) -> bool {
    session.req_header().version == Version::HTTP_10
}

fn has_body(session: &Session, head: &ResponseHeader) -> bool {
    session.req_header().method != Method::HEAD && !is_bodiless(head.status.as_u16())
}
