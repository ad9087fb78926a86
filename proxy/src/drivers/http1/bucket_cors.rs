//! A request for the CORS of a bucket over HTTP/1.1: its body is read as a whole.

use super::heads::is_modern;
use super::wire::{self, poll_read_some};
use super::{BodyLength, Client, Http1Driver, Progress};
use crate::drivers::bucket_cors::{Operations, Whole};
use crate::drivers::route::Broken;
use crate::exchange::{BucketCors, Context, Failure, Reply};
use bytes::{Bytes, BytesMut};
use s3cors_http1::chunked::{Decoder, Step};
use s3cors_http1::request_head::RequestHead;
use std::future::poll_fn;

/// How much is read at a time.
const READ: usize = 16 * 1024;
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl Http1Driver {
    /// Carries an operation out and replies.
    pub(super) async fn serve_bucket_cors(
        &self,
        client: &mut Client,
        head: &RequestHead<'_>,
        rest: &[u8],
        asked: Result<BucketCors, Box<Reply>>,
        ctx: &mut Context,
        progress: &mut Progress<'_>,
    ) {
        let carried_out = match asked {
            Err(reply) => {
                progress.skip_body(head, rest);
                Ok(*reply)
            }
            Ok(request) => self.carry_out(client, head, rest, request, ctx, progress).await,
        };
        let reply = match carried_out {
            Ok(reply) => reply,
            Err(broken) => {
                let (failure, error, _) = broken.parts();
                progress.keeps = false;
                let reply = self.exchange.fail(failure, error, head, ctx);
                if failure.status().is_none() {
                    return;
                }
                reply
            }
        };
        self.reply(client, head, &reply, ctx, progress).await;
    }

    async fn carry_out(
        &self,
        client: &mut Client,
        head: &RequestHead<'_>,
        rest: &[u8],
        request: BucketCors,
        ctx: &mut Context,
        progress: &mut Progress<'_>,
    ) -> Result<Reply, Broken> {
        let Some(body) = self.whole_body(client, head, rest, progress).await? else {
            progress.is_unread = true;
            return Ok(self.exchange.reject_body(&request, ctx));
        };
        progress.request_bytes = body.len() as u64;
        let peer = client.peer;
        let whole = Whole { head, body, peer: &peer };
        let operations = Operations {
            exchange: &self.exchange,
            upstreams: &self.upstreams,
            pool: &self.pool,
            timeouts: self.timeouts,
        };
        operations.serve(request, whole, ctx).await
    }

    /// Reads the body; `None` where it is longer than it may be.
    async fn whole_body(
        &self,
        client: &mut Client,
        head: &RequestHead<'_>,
        rest: &[u8],
        progress: &mut Progress<'_>,
    ) -> Result<Option<Bytes>, Broken> {
        let mut source = match head.body() {
            BodyLength::None => return Ok(Some(Bytes::new())),
            BodyLength::Length(length) if length > BucketCors::MAX_BODY as u64 => return Ok(None),
            BodyLength::Length(length) => Source::Length(usize::try_from(length).unwrap_or(usize::MAX)),
            BodyLength::Chunked => Source::Chunked(Decoder::default()),
        };
        let mut body = BytesMut::new();
        let (mut consumed, mut has_ended) = source.take(rest, &mut body)?;
        progress.consumed = consumed;
        if !has_ended && expects(head) {
            let sent = wire::write(&mut client.stream, &[CONTINUE], &mut client.timer, self.limits.body_write).await;
            sent.map_err(|_| gone())?;
        }
        while !has_ended {
            if body.len() > BucketCors::MAX_BODY {
                return Ok(None);
            }
            let (stream, most) = (&mut client.stream, source.most());
            let read = poll_fn(|context| poll_read_some(stream, context, most));
            let read = client.timer.within(self.limits.body_read, read).await;
            let bytes =
                read.map_err(|_| Broken::Failed(Failure::ClientTimeout, "ReadTimedout"))?.map_err(|_| gone())?;
            if bytes.is_empty() {
                return Err(gone());
            }
            (consumed, has_ended) = source.take(&bytes, &mut body)?;
            progress.ahead.extend_from_slice(bytes.get(consumed..).unwrap_or_default());
        }
        Ok((body.len() <= BucketCors::MAX_BODY).then(|| body.freeze()))
    }
}

/// How the body ends.
enum Source {
    Length(usize),
    Chunked(Decoder),
}

impl Source {
    /// How much may be read at a time, so that no other request is read with a body of a known length.
    fn most(&self) -> usize {
        match self {
            Self::Length(left) => READ.min(*left),
            Self::Chunked(_) => READ,
        }
    }

    /// Takes what belongs to the body. Returns how much of the bytes that was, and whether the body has ended.
    fn take(&mut self, bytes: &[u8], body: &mut BytesMut) -> Result<(usize, bool), Broken> {
        match self {
            Self::Length(left) => {
                let taken = bytes.get(..(*left).min(bytes.len())).unwrap_or(bytes);
                body.extend_from_slice(taken);
                *left -= taken.len();
                Ok((taken.len(), *left == 0))
            }
            Self::Chunked(decoder) => {
                let mut consumed = 0;
                while let Some(rest) = bytes.get(consumed..).filter(|rest| !rest.is_empty()) {
                    let step = decoder.next(rest);
                    match step.map_err(|_| Broken::Failed(Failure::InvalidRequest, "InvalidChunk"))? {
                        Step::Data { framing, data } => {
                            body.extend_from_slice(rest.get(framing..framing + data).unwrap_or_default());
                            consumed += framing + data;
                        }
                        Step::More { framing } => consumed += framing,
                        Step::End { framing } => return Ok((consumed + framing, true)),
                    }
                }
                Ok((consumed, false))
            }
        }
    }
}

/// Whether the client waits for a word before it sends the body (RFC 9110 §10.1.1).
fn expects(head: &RequestHead<'_>) -> bool {
    let mut lines = head.lines();
    is_modern(head)
        && lines
            .any(|line| line.name.eq_ignore_ascii_case(b"expect") && line.value.eq_ignore_ascii_case(b"100-continue"))
}

const fn gone() -> Broken {
    Broken::Failed(Failure::ClientGone, "ConnectionClosed")
}
