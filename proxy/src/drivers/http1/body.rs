//! The body of a request that is read whole.

use super::{Client, Http1Driver, Progress};
use crate::drivers::budget::{KeptBody, Share};
use crate::drivers::wire::{self, poll_read_some};
use crate::exchange::Failure;
use bytes::Bytes;
use s3cors_http1::body::BodyReader;
use s3cors_http1::request_head::RequestHead;
use std::future::poll_fn;

/// How much is read at a time.
const READ: usize = 16 * 1024;
pub(super) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl Http1Driver {
    /// Reads the body, of so many bytes at most; `None` where it is longer.
    pub(super) async fn whole_body<'b>(
        &'b self,
        client: &mut Client,
        (head, most): (&RequestHead<'_>, usize),
        rest: &[u8],
        progress: &mut Progress<'_>,
    ) -> Result<Option<(Bytes, Share<'b>)>, Failure> {
        let mut reader = BodyReader::of_request(head.body());
        if reader.left().is_some_and(|length| length > most as u64) {
            return Ok(None);
        }
        let mut body = KeptBody::new(self.forwarder.bodies());
        progress.consumed = take(&mut reader, rest, &mut body)?;
        if !reader.has_ended() && head.expects_continue() {
            let sent = wire::write(&mut client.stream, &[CONTINUE], &mut client.timer, self.limits.body_write).await;
            sent.map_err(|_| Failure::ClientNotReading)?;
        }
        while !reader.has_ended() {
            if body.len() > most {
                return Ok(None);
            }
            // No other request is read with a body of a known length.
            let next = reader.left().and_then(|left| usize::try_from(left).ok()).unwrap_or(READ).min(READ);
            let read = poll_fn(|context| poll_read_some(&mut client.stream, context, next));
            let read = client.timer.within(self.limits.body_read, read).await.map_err(|_| Failure::ClientTimeout)?;
            let bytes = read.ok().filter(|bytes| !bytes.is_empty()).ok_or(Failure::ClientGone)?;
            let consumed = take(&mut reader, &bytes, &mut body)?;
            progress.ahead.extend_from_slice(bytes.get(consumed..).unwrap_or_default());
        }
        Ok((body.len() <= most).then(|| body.into_parts()))
    }
}

/// Keeps the data of some bytes. Returns how many of them belonged to the body.
fn take(reader: &mut BodyReader, bytes: &[u8], body: &mut KeptBody<'_>) -> Result<usize, Failure> {
    let mut kept = Ok(());
    let consumed = reader.take(bytes, |data| {
        if kept.is_ok() {
            kept = body.append(data);
        }
    });
    kept.and(consumed.map_err(Failure::of_request_body))
}
