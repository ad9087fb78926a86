//! One small request and its whole response on one connection to an upstream.

use crate::config::Timeouts;
use crate::drivers::http1::heads::{is_for_this_hop, is_length};
use crate::drivers::http1::{Timer, wire};
use crate::drivers::route::Broken;
use crate::exchange::{Failure, Response};
use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, StatusCode};
use pingora::protocols::Stream;
use s3cors_http1::body_length::ResponseBody;
use s3cors_http1::chunked::{Decoder, Step};
use s3cors_http1::response_head::{self, Parsed, ResponseHead};
use std::future::poll_fn;
use std::io::ErrorKind;

/// The largest response that is taken, in bytes: a document of the largest size, or an error, with its head.
const MAX_RESPONSE: usize = 256 * 1024;
/// How much is read at a time.
const READ: usize = 16 * 1024;

/// Sends a head and a body, and reads the response. Returns it with whether the connection can be used again.
pub(super) async fn conversation(
    upstream: &mut Stream,
    head: &[u8],
    body: &[u8],
    timeouts: &Timeouts,
) -> Result<(Response, bool), Broken> {
    let mut timer = Timer::default();
    let written = wire::write(upstream, &[head, body], &mut timer, timeouts.write).await;
    let mut reader = Reader { upstream, timer, timeouts, read: BytesMut::new() };
    // A server that closes may have said why.
    let whole = reader.response().await;
    match (written, whole) {
        (_, Ok((response, is_reusable))) => Ok((response, is_reusable)),
        (Err(error), Err(_)) if error.kind() == ErrorKind::TimedOut => {
            Err(Broken::Failed(Failure::UpstreamTimeout, "WriteTimedout"))
        }
        (_, Err(broken)) => Err(broken),
    }
}

struct Reader<'c> {
    upstream: &'c mut Stream,
    timer: Timer,
    timeouts: &'c Timeouts,
    read: BytesMut,
}

impl Reader<'_> {
    /// Reads more; nothing is the end of the connection.
    async fn more(&mut self) -> Result<usize, Broken> {
        if self.read.len() > MAX_RESPONSE {
            return Err(Broken::Failed(Failure::InvalidResponse, "ResponseTooLarge"));
        }
        let upstream = &mut *self.upstream;
        let read = poll_fn(|context| wire::poll_read_some(upstream, context, READ));
        match self.timer.within(self.timeouts.read, read).await {
            Ok(Ok(bytes)) => {
                self.read.extend_from_slice(&bytes);
                Ok(bytes.len())
            }
            Ok(Err(_)) => Ok(0),
            Err(_) => Err(Broken::Failed(Failure::UpstreamTimeout, "ReadTimedout")),
        }
    }

    /// Reads the final response, past those before it.
    async fn response(&mut self) -> Result<(Response, bool), Broken> {
        loop {
            let parsed = match response_head::parse(&self.read) {
                Parsed::Head(head) if head.is_interim() => Err(Some(head.bytes().len())),
                Parsed::Head(head) => Ok((taken(&head)?, head.body(false), head.keep_alive(), head.bytes().len())),
                Parsed::Incomplete => Err(None),
                Parsed::Invalid(_) => return Err(invalid("InvalidHTTPHeader")),
            };
            match parsed {
                Ok(((status, lines), length, keeps, size)) => {
                    self.read = self.read.split_off(size);
                    let (body, is_whole) = self.body(length).await?;
                    return Ok((Response { status, lines, body }, keeps && is_whole));
                }
                Err(Some(interim)) => self.read = self.read.split_off(interim),
                Err(None) if self.more().await? == 0 => {
                    return Err(if self.read.is_empty() { Broken::Stale } else { closed() });
                }
                Err(None) => {}
            }
        }
    }

    /// Reads the body, and says whether nothing came after it.
    async fn body(&mut self, length: ResponseBody) -> Result<(Bytes, bool), Broken> {
        match length {
            ResponseBody::Absent => Ok((Bytes::new(), self.read.is_empty())),
            ResponseBody::Length(length) => {
                let length = usize::try_from(length).ok().filter(|length| *length <= MAX_RESPONSE);
                let length = length.ok_or(invalid("ResponseTooLarge"))?;
                while self.read.len() < length {
                    self.more_or_cut().await?;
                }
                Ok((self.read.split_to(length).freeze(), self.read.is_empty()))
            }
            ResponseBody::UntilClose => {
                while self.more().await? > 0 {}
                Ok((self.read.split().freeze(), false))
            }
            ResponseBody::Chunked => self.chunks().await,
        }
    }

    async fn chunks(&mut self) -> Result<(Bytes, bool), Broken> {
        let (mut decoder, mut body) = (Decoder::default(), BytesMut::new());
        loop {
            while !self.read.is_empty() {
                let step = decoder.next(&self.read).map_err(|_| invalid("InvalidChunk"))?;
                let (framing, data) = match step {
                    Step::Data { framing, data } => (framing, data),
                    Step::More { framing } => (framing, 0),
                    Step::End { framing } => {
                        self.read = self.read.split_off(framing);
                        return Ok((body.freeze(), self.read.is_empty()));
                    }
                };
                body.extend_from_slice(self.read.get(framing..framing + data).unwrap_or_default());
                self.read = self.read.split_off(framing + data);
            }
            if body.len() > MAX_RESPONSE {
                return Err(invalid("ResponseTooLarge"));
            }
            self.more_or_cut().await?;
        }
    }

    async fn more_or_cut(&mut self) -> Result<(), Broken> {
        if self.more().await? == 0 { Err(closed()) } else { Ok(()) }
    }
}

type Taken = (StatusCode, Vec<(HeaderName, HeaderValue)>);

/// The status and the lines that are not for the upstream's connection, or about the length.
fn taken(head: &ResponseHead<'_>) -> Result<Taken, Broken> {
    let stays =
        |name: &[u8]| !is_for_this_hop(head, name) && !is_length(name) && !name.eq_ignore_ascii_case(b"upgrade");
    let lines = head.lines().filter(|line| stays(line.name)).map(|line| {
        let name = HeaderName::from_bytes(line.name).ok()?;
        Some((name, HeaderValue::from_bytes(line.value).ok()?))
    });
    let lines = lines.collect::<Option<_>>().ok_or(invalid("InvalidHTTPHeader"))?;
    Ok((StatusCode::from_u16(head.status()).map_err(|_| invalid("InvalidHTTPHeader"))?, lines))
}

const fn invalid(error: &'static str) -> Broken {
    Broken::Failed(Failure::InvalidResponse, error)
}

const fn closed() -> Broken {
    Broken::Failed(Failure::UpstreamClosed, "ConnectionClosed")
}
