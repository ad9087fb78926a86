//! A body on its way from one connection to the other, and the framing that it gets there.
//!
//! Decides: which bytes belong to the body, and nothing about who sent it. What is read is written at once where the recipient takes
//! it; what it does not take is held, never more than one read.

use crate::drivers::timer::Timer;
use crate::drivers::turn::Turns;
use crate::drivers::wire::{SCRATCH, poll_read};
use bytes::{Buf, BytesMut};
use s3cors_http1::body::{BodyReader, BrokenBody, Piece};
use s3cors_http1::chunked::{LAST_CHUNK, chunk_head};
use std::future::poll_fn;
use std::io;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// The most that a slow transfer may hold in one direction, in bytes.
const MOST_HELD: usize = 160 * 1024;

/// The framing of a body where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sink {
    /// As it is: its length is known, or the connection ends with it.
    Plain,
    /// In chunks.
    Chunked,
}

/// The reason why a body did not arrive.
#[derive(Debug)]
pub(super) enum TransferError {
    /// It could not be read, or not in time.
    Read(io::Error),
    /// The body broke off, or its chunks are none.
    Broken(BrokenBody),
    /// The body is larger than it may be.
    TooLarge,
    /// It could not be written, or not in time.
    Write,
}

/// A body on its way.
#[derive(Debug)]
pub(super) struct Transfer {
    reader: BodyReader,
    sink: Sink,
    /// What the recipient has not yet taken.
    pending: BytesMut,
    /// Whether something was written that the connection's buffer may still hold.
    is_unflushed: bool,
    /// What was read after the body's end.
    excess: BytesMut,
    /// Bytes of the body that were read, without their framing.
    moved: u64,
    /// Whether anything was read from the connection, beyond what came with the head.
    has_read: bool,
    /// The most that is read at a time, in bytes.
    step: usize,
    /// The most bytes of the body.
    most: u64,
}

impl Transfer {
    pub(super) fn new(reader: BodyReader, sink: Sink) -> Self {
        Self {
            reader,
            sink,
            pending: BytesMut::new(),
            is_unflushed: false,
            excess: BytesMut::new(),
            moved: 0,
            has_read: false,
            step: SCRATCH,
            most: u64::MAX,
        }
    }

    /// The same for a body of which so many bytes are held already, and stay held: a read leaves room for them.
    pub(super) fn beside(self, held: usize) -> Self {
        Self { step: MOST_HELD.saturating_sub(held).clamp(SCRATCH / 8, SCRATCH), ..self }
    }

    /// The same for a body that has so many bytes at most.
    pub(super) const fn limited(mut self, most: u64) -> Self {
        self.most = most;
        self
    }

    /// Whether the whole body was read.
    pub(super) const fn has_ended(&self) -> bool {
        self.reader.has_ended()
    }

    /// Whether the whole body was read and written.
    pub(super) fn is_done(&self) -> bool {
        self.has_ended() && self.pending.is_empty() && !self.is_unflushed
    }

    /// Whether the recipient has yet to take what was read.
    pub(super) fn is_writing(&self) -> bool {
        !self.pending.is_empty() || (self.has_ended() && self.is_unflushed)
    }

    /// Bytes of the body that were read.
    pub(super) const fn moved(&self) -> u64 {
        self.moved
    }

    /// Whether bytes were read that cannot be read again.
    pub(super) const fn has_read(&self) -> bool {
        self.has_read
    }

    /// What was read after the body's end: the next message.
    pub(super) fn into_excess(self) -> BytesMut {
        self.excess
    }

    /// The same, of a body that is not moved any more.
    pub(super) fn take_excess(&mut self) -> BytesMut {
        std::mem::take(&mut self.excess)
    }

    /// Takes the bytes that came with a head, and returns those that can be written as they are. What must be framed is appended
    /// to `framed`, to be written before them. The second value is how many bytes belonged to the body.
    pub(super) fn begin<'b>(
        &mut self,
        bytes: &'b [u8],
        framed: &mut BytesMut,
    ) -> Result<(&'b [u8], usize), TransferError> {
        if self.sink == Sink::Plain && self.reader.left().is_some() {
            let Piece { data, .. } = self.reader.next(bytes).map_err(TransferError::Broken)?;
            self.count(data)?;
            return Ok((bytes.get(..data).unwrap_or(bytes), data));
        }
        let consumed = self.frame(bytes, framed)?;
        Ok((&[], consumed))
    }

    /// Frames input for the recipient. Returns how much of it belonged to the body.
    fn frame(&mut self, input: &[u8], out: &mut BytesMut) -> Result<usize, TransferError> {
        let mut consumed = 0;
        while let Some(rest) = input.get(consumed..).filter(|rest| !rest.is_empty() && !self.has_ended()) {
            let Piece { framing, data } = self.reader.next(rest).map_err(TransferError::Broken)?;
            self.append(rest.get(framing..framing + data).unwrap_or_default(), out)?;
            consumed += framing + data;
            if self.has_ended() {
                self.end(out);
            }
        }
        Ok(consumed)
    }

    /// Counts bytes before they go on: what is too large must not end as a whole body.
    fn count(&mut self, data: usize) -> Result<(), TransferError> {
        self.moved += data as u64;
        if self.moved > self.most { Err(TransferError::TooLarge) } else { Ok(()) }
    }

    fn append(&mut self, data: &[u8], out: &mut BytesMut) -> Result<(), TransferError> {
        let Some(size) = NonZeroUsize::new(data.len()) else { return Ok(()) };
        self.count(data.len())?;
        if self.sink == Sink::Chunked {
            out.extend_from_slice(chunk_head(size, &mut [0; 18]));
        }
        out.extend_from_slice(data);
        if self.sink == Sink::Chunked {
            out.extend_from_slice(b"\r\n");
        }
        Ok(())
    }

    fn end(&self, out: &mut BytesMut) {
        if self.sink == Sink::Chunked {
            out.extend_from_slice(LAST_CHUNK);
        }
    }

    /// Reads once or writes once. Ready when something moved.
    pub(super) fn poll_step<F: AsyncRead + Unpin, T: AsyncWrite + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        from: &mut F,
        to: &mut T,
    ) -> Poll<Result<(), TransferError>> {
        if !self.pending.is_empty() {
            let written =
                ready!(Pin::new(&mut *to).poll_write(context, &self.pending)).map_err(|_| TransferError::Write)?;
            if written == 0 {
                return Poll::Ready(Err(TransferError::Write));
            }
            self.pending.advance(written);
            self.is_unflushed = true;
            return Poll::Ready(self.settle(context, to));
        }
        if self.has_ended() {
            return self.poll_flush(context, to);
        }
        let most = match self.reader.left() {
            Some(left) => usize::try_from(left).unwrap_or(self.step).min(self.step),
            // The body is framed anew, which needs some room of its own.
            None => self.step / 2,
        };
        match poll_read(from, context, most, |bytes, context| self.pass(bytes, context, to)) {
            Poll::Ready(Ok(passed)) => Poll::Ready(passed),
            Poll::Ready(Err(error)) => Poll::Ready(Err(TransferError::Read(error))),
            // While no more is here to read, what was written leaves, however little it is.
            Poll::Pending => match self.poll_flush(context, to) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            },
        }
    }

    /// Ready once everything that was written has left.
    fn poll_flush<T: AsyncWrite + Unpin>(
        &mut self,
        context: &mut Context<'_>,
        to: &mut T,
    ) -> Poll<Result<(), TransferError>> {
        if self.is_unflushed {
            ready!(Pin::new(to).poll_flush(context)).map_err(|_| TransferError::Write)?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Passes on what was read: to the recipient where it takes it, else into memory.
    fn pass<T: AsyncWrite + Unpin>(
        &mut self,
        bytes: &[u8],
        context: &mut Context<'_>,
        to: &mut T,
    ) -> Result<(), TransferError> {
        self.has_read = true;
        let mut framed = BytesMut::new();
        if bytes.is_empty() {
            self.reader.close().map_err(TransferError::Broken)?;
            self.end(&mut framed);
            self.pending = framed;
            return Ok(());
        }
        let (plain, _) = if self.sink == Sink::Plain && self.reader.left().is_some() {
            self.begin(bytes, &mut framed)?
        } else {
            framed.reserve(bytes.len() + 64);
            let consumed = self.frame(bytes, &mut framed)?;
            self.excess.extend_from_slice(bytes.get(consumed..).unwrap_or_default());
            (&[][..], 0)
        };
        let out = if framed.is_empty() { plain } else { &framed };
        if out.is_empty() {
            return Ok(());
        }
        let written = match Pin::new(&mut *to).poll_write(context, out) {
            Poll::Ready(written) => written.map_err(|_| TransferError::Write)?,
            Poll::Pending => 0,
        };
        self.is_unflushed |= written > 0;
        self.pending.extend_from_slice(out.get(written..).unwrap_or_default());
        self.settle(context, to)
    }

    /// Flushes the end of a body at once where it can: nothing more is read that could push it out.
    fn settle<T: AsyncWrite + Unpin>(&mut self, context: &mut Context<'_>, to: &mut T) -> Result<(), TransferError> {
        if !self.has_ended() || !self.pending.is_empty() {
            return Ok(());
        }
        match self.poll_flush(context, to) {
            Poll::Ready(flushed) => flushed,
            Poll::Pending => Ok(()),
        }
    }

    /// Moves the rest of the body. The sender may take `read` for each read, the recipient `write` for each write.
    pub(super) async fn run<F: AsyncRead + Unpin, T: AsyncWrite + Unpin>(
        &mut self,
        from: &mut F,
        to: &mut T,
        timer: &mut Timer,
        (read, write): (Duration, Duration),
    ) -> Result<(), TransferError> {
        let mut turns = Turns::default();
        while !self.is_done() {
            turns.pass(self.moved).await;
            let is_reading = !self.is_writing();
            let limit = if is_reading { read } else { write };
            let step = timer.within(limit, poll_fn(|context| self.poll_step(context, from, to))).await;
            step.map_err(|error| if is_reading { TransferError::Read(error) } else { TransferError::Write })??;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3cors_http1::body_length::ResponseBody::{self, Chunked, Length, UntilClose};

    fn begun(body: ResponseBody, sink: Sink, bytes: &[u8]) -> (String, String, usize, bool) {
        let (mut transfer, mut framed) = (Transfer::new(BodyReader::of_response(body), sink), BytesMut::new());
        let (plain, consumed) = transfer.begin(bytes, &mut framed).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&framed), text(plain), consumed, transfer.has_ended())
    }

    #[test]
    fn what_comes_with_a_head_is_passed_on_as_far_as_it_is_body() {
        for (body, sink, bytes, framed, plain, consumed, has_ended) in [
            (Length(0), Sink::Plain, "next", "", "", 0, true),
            (Length(3), Sink::Plain, "abcnext", "", "abc", 3, true),
            (Length(9), Sink::Plain, "abc", "", "abc", 3, false),
            (Chunked, Sink::Chunked, "3\r\nabc\r\n", "3\r\nabc\r\n", "", 8, false),
            (Chunked, Sink::Chunked, "3;x=y\r\nabc\r\n0\r\nt: v\r\n\r\nnext", "3\r\nabc\r\n0\r\n\r\n", "", 23, true),
            (Chunked, Sink::Plain, "3\r\nabc\r\n0\r\n\r\nnext", "abc", "", 13, true),
            (UntilClose, Sink::Chunked, "abc", "3\r\nabc\r\n", "", 3, false),
            (UntilClose, Sink::Plain, "abc", "abc", "", 3, false),
        ] {
            let case = format!("{body:?} {sink:?} {bytes:?}");
            let begun = begun(body, sink, bytes.as_bytes());
            assert_eq!(begun, (framed.to_owned(), plain.to_owned(), consumed, has_ended), "{case}");
        }
    }
}
