//! Reads a request head, bounded in time and size.
//!
//! Pingora's own timeout starts again with each byte, so a client that sends one a minute holds a connection forever. Here the whole
//! head has one deadline. What was read goes to the driver as it came; only the end of the head is looked for.

use super::http2::PREFACE;
use crate::config::Limits;
use crate::drivers::budget::{Budget, UsedUp};
use crate::drivers::http1::{Client, poll_read};
use crate::drivers::place::Place;
use crate::exchange::Refusal;
use bytes::BytesMut;
use pingora::protocols::Stream;
use pingora::server::ShutdownWatch;
use s3cors_http1::request_head::{Classified, Rejection, classify, may_begin};
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::Instant;

/// How much is read at a time, in bytes: an upload of 64 KiB comes with its head.
const STEP: usize = 80 * 1024;

/// How long a process that ends waits for a request on a connection that has none: one may be on its way already, and the client
/// could not tell a close from a lost response.
const ON_ITS_WAY: Duration = Duration::from_millis(500);

/// How long and how large a head may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadLimits {
    /// For the whole head.
    pub(super) time: Duration,
    /// Before its first byte, on a connection that has served a request.
    pub(super) idle: Duration,
    /// In bytes.
    pub(super) size: usize,
}

impl From<&Limits> for HeadLimits {
    fn from(limits: &Limits) -> Self {
        Self { time: limits.header_read, idle: limits.idle, size: limits.header_size.0 }
    }
}

/// Why there is no head.
#[derive(Debug)]
pub(super) enum NoHead {
    /// The client is gone or was idle for too long, its place is needed, or the process ends: there is no one to reply to.
    Closed,
    /// The head began, and is refused: by what is here of it, a reply can have the CORS headers of its bucket.
    Refused(Refusal, BytesMut),
    /// The bytes that came can begin no valid head.
    Rejected(Rejection, BytesMut),
}

/// Waits for the next request on a connection and reads its head, with the part of its body that came with it.
///
/// `ahead` is what came with the request before it. `opened` is the time of opening for a connection that has served no request yet.
/// `ending` is [`ended`]. While it waits, it holds no buffer. Until the head is here as a whole, the connection may have to give up its
/// `place`; a whole one that came before the call is served.
pub(super) async fn read(
    client: &mut Client,
    ahead: BytesMut,
    limits: &HeadLimits,
    budget: &Budget,
    opened: Option<Instant>,
    ending: Pin<&mut impl Future<Output = ()>>,
    place: &mut Place,
) -> Result<BytesMut, NoHead> {
    let mut head = ahead;
    place.set_waiting();
    if head.is_empty() {
        let patience = opened.map_or_else(|| Instant::now() + limits.idle, |opened| opened + limits.time);
        let first = client.timer.until(patience, read_some(&mut client.stream, &mut head));
        tokio::select! {
            biased;
            // A client that sends no byte is closed without a response.
            first = first => first.map_err(|_| NoHead::Closed)??,
            () = ending => return Err(NoHead::Closed),
            () = place.called() => return Err(NoHead::Closed),
        }
    }
    let mut searched = match end_of_head(&mut head, 0, limits.size) {
        Ok(end) => return within_size(head, end, limits),
        Err(searched) => searched,
    };
    let deadline = opened.unwrap_or_else(Instant::now) + limits.time;
    let mut share = budget.share();
    let mut has_line = false;
    loop {
        head = begun(head, &mut has_line)?;
        if head.len() > limits.size {
            return Err(NoHead::Refused(Refusal::HeadTooLarge, head));
        }
        if let Err(UsedUp) = share.grow(head.capacity()) {
            return Err(NoHead::Refused(Refusal::TooManyHeads, head));
        }
        let more = client.timer.until(deadline, read_some(&mut client.stream, &mut head));
        let more = tokio::select! {
            biased;
            more = more => more,
            () = place.called() => return Err(NoHead::Closed),
        };
        match more {
            Ok(read) => read?,
            Err(_) => return Err(NoHead::Refused(Refusal::HeadTooSlow, head)),
        }
        searched = match end_of_head(&mut head, searched, limits.size) {
            Ok(end) => return within_size(head, end, limits),
            Err(searched) => searched,
        };
    }
}

/// Ends a connection whose first bytes can begin no head, such as those of TLS, which would not end one either: its client waits for a
/// response. The first byte is looked at, and the first line, once it is here.
fn begun(head: BytesMut, has_line: &mut bool) -> Result<BytesMut, NoHead> {
    if !may_begin(&head) {
        return Err(NoHead::Rejected(Rejection::RequestLine, head));
    }
    let is_preface = PREFACE.starts_with(&head);
    if *has_line || is_preface || memchr::memchr(b'\n', &head).is_none() {
        return Ok(head);
    }
    *has_line = true;
    let Classified::Rejected(rejection) = classify(&head) else { return Ok(head) };
    Err(NoHead::Rejected(rejection, head))
}

/// A head that is here as a whole may still be larger than it may be.
fn within_size(head: BytesMut, end: usize, limits: &HeadLimits) -> Result<BytesMut, NoHead> {
    if end > limits.size { Err(NoHead::Refused(Refusal::HeadTooLarge, head)) } else { Ok(head) }
}

/// Ends when a process that ends no longer waits for a request. One for all requests of a connection, so that only the first wait has to
/// enter itself with what announces the end.
pub(super) async fn ended(mut shutdown: ShutdownWatch) {
    // The sender lives as long as the process.
    let _ = shutdown.wait_for(|ending| *ending).await;
    tokio::time::sleep(ON_ITS_WAY).await;
}

/// Where the head's last line begins, or where one does after it that is still within `size`, if it has ended; `Err` is how far it need
/// not be searched again.
///
/// Empty lines before a request are skipped (RFC 9112 §2.2). LF alone ends a line here, as in the grammar.
fn end_of_head(head: &mut BytesMut, searched: usize, size: usize) -> Result<usize, usize> {
    while searched == 0
        && let Some(empty) = [&b"\r\n"[..], b"\n"].into_iter().find(|line| head.starts_with(line))
    {
        bytes::Buf::advance(head, empty.len());
    }
    // Wait for the full HTTP/2 preface: the code that takes over reads without a deadline.
    if head.len() < PREFACE.len() && PREFACE.starts_with(head) {
        return Err(0);
    }
    // The usual request has no body and comes as a whole: its end is the end of what is here, or one before it is.
    if searched == 0 && head.len() <= size && head.ends_with(b"\r\n\r\n") {
        return Ok(head.len() - 2);
    }
    let unsearched = head.get(searched..).unwrap_or_default();
    let ends = |at: usize| {
        let rest = unsearched.get(at + 1..).unwrap_or_default();
        rest.starts_with(b"\n") || rest.starts_with(b"\r\n")
    };
    let end = memchr::memchr_iter(b'\n', unsearched).find(|at| ends(*at));
    end.map(|end| searched + end + 1).ok_or(head.len().saturating_sub(2))
}

/// Reads what is there, at most [`STEP`] bytes; no buffer is held while waiting.
async fn read_some(stream: &mut Stream, head: &mut BytesMut) -> Result<(), NoHead> {
    let read = poll_fn(|context| poll_read(stream, context, STEP, |bytes, _| append(head, bytes))).await;
    if read.is_ok_and(|read| read > 0) { Ok(()) } else { Err(NoHead::Closed) }
}

/// Appends what was read. A head takes no more memory than it has bytes, but for what spares it many small steps.
fn append(head: &mut BytesMut, bytes: &[u8]) -> usize {
    if head.is_empty() {
        *head = BytesMut::from(bytes);
    } else {
        head.extend_from_slice(bytes);
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 1024;

    #[test]
    fn a_head_ends_with_an_empty_line_wherever_the_pieces_are_cut() {
        for text in
            ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n", "GET / HTTP/1.1\r\nHost: x\n\r\n"]
        {
            for cut in 1..text.len() {
                let mut head = BytesMut::from(&text[..cut]);
                let searched = end_of_head(&mut head, 0, SIZE).unwrap_err();
                head.extend_from_slice(&text.as_bytes()[cut..]);
                assert!(end_of_head(&mut head, searched, SIZE).is_ok(), "{text:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn only_the_first_head_counts_against_the_limit() {
        let mut two = BytesMut::from("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
        for (size, end) in [(two.len(), two.len() - 2), (two.len() - 1, 17)] {
            assert_eq!(end_of_head(&mut two, 0, size), Ok(end), "{size}");
        }
    }

    #[test]
    fn the_http2_preface_is_waited_for_as_a_whole() {
        for length in 1..=PREFACE.len() {
            let mut head = BytesMut::from(&PREFACE[..length]);
            assert_eq!(end_of_head(&mut head, 0, SIZE).is_ok(), length == PREFACE.len(), "{length}");
        }
    }

    #[test]
    fn empty_lines_before_a_request_are_no_head() {
        let mut head = BytesMut::from("\r\n\r\n\r\n");
        assert_eq!(end_of_head(&mut head, 0, SIZE), Err(0));
        assert!(head.is_empty());
        // A CR alone ends no line: the parser sees and refuses it.
        let mut head = BytesMut::from("\rGET / HTTP/1.1\r\n\r\n");
        assert_eq!(end_of_head(&mut head, 0, SIZE), Ok(17));
        assert!(head.starts_with(b"\r"));
    }
}
