//! A request's body on its way from a stream to an upstream.
//!
//! Decides: how the body is framed for HTTP/1.1, and how much of it is held. A byte counts against the client's window until the upstream
//! has taken it.

use crate::drivers::upstream::UploadError;
use crate::exchange::RequestFault;
use crate::upstream::Connection;
use bytes::{Buf, Bytes, BytesMut};
use h2::RecvStream;
use s3cors_http1::body_length::BodyLength;
use s3cors_http1::chunked::{LAST_CHUNK, chunk_head};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;

/// How many frames are written at a time at most.
const FRAMES: usize = 8;
/// Into how many pieces a frame is cut at most: the line before a chunk, its data, the line after it.
const PIECES: usize = 3;
const CRLF: Bytes = Bytes::from_static(b"\r\n");

/// How much of a body is to come.
#[derive(Debug)]
enum Left {
    Length(u64),
    Chunked,
    Nothing,
}

/// A body on its way.
pub(super) struct Upload {
    /// `None` once it has no reader any more.
    body: Option<RecvStream>,
    left: Left,
    /// The frames from before the first attempt, kept for a second one.
    first: Vec<Bytes>,
    /// The bytes that the upstream has yet to take.
    pending: VecDeque<Bytes>,
    /// Whether something was written and not flushed.
    is_unflushed: bool,
    /// Bytes of the client's window that go back once the upstream has them.
    held: usize,
    moved: u64,
    has_read: bool,
    /// The most bytes of the body.
    most: u64,
}

impl Upload {
    pub(super) fn new(body: RecvStream, length: BodyLength) -> Self {
        let left = match length {
            BodyLength::None | BodyLength::Length(0) => Left::Nothing,
            BodyLength::Length(length) => Left::Length(length),
            BodyLength::Chunked => Left::Chunked,
        };
        let (first, pending) = (Vec::new(), VecDeque::new());
        Self {
            body: Some(body),
            left,
            first,
            pending,
            is_unflushed: false,
            held: 0,
            moved: 0,
            has_read: false,
            most: u64::MAX,
        }
    }

    /// Whether the whole body was read and written.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.left, Left::Nothing) && !self.is_writing()
    }

    /// Whether the upstream has yet to take what was read.
    pub(super) fn is_writing(&self) -> bool {
        self.is_unflushed || !self.pending.is_empty()
    }

    /// Bytes of the body that were read.
    pub(super) const fn moved(&self) -> u64 {
        self.moved
    }

    /// Whether bytes were read that cannot be sent again.
    pub(super) const fn has_read(&self) -> bool {
        self.has_read
    }

    /// Takes the body out, to be read in another way.
    pub(super) fn take_body(&mut self) -> Option<RecvStream> {
        self.body.take()
    }

    /// The rest of the body has no reader: what comes of it does not count against the connection's window.
    pub(super) fn discard(&mut self) {
        self.body = None;
        self.first = Vec::new();
        self.pending.clear();
    }

    /// The body is not sent.
    pub(super) fn abandon(&mut self) {
        self.left = Left::Nothing;
        self.is_unflushed = false;
        self.discard();
    }

    /// Reads more of the beginning of a body, which is kept for the attempts. Ready with the bytes that are here.
    pub(super) fn poll_beginning(&mut self, context: &mut Context<'_>) -> Poll<Result<Vec<u8>, UploadError>> {
        let before = std::mem::take(&mut self.first);
        let read = self.poll_read(context);
        self.first = before;
        self.first.extend(self.pending.drain(..));
        self.has_read = false;
        ready!(read)?;
        Poll::Ready(Ok(self.first.iter().flatten().copied().collect()))
    }

    /// Begins an attempt with this head, and with as much of the body as is here already.
    pub(super) fn begin(&mut self, head: BytesMut, most: u64, context: &mut Context<'_>) -> Result<(), UploadError> {
        self.most = most;
        self.pending.clear();
        if self.first.is_empty() && !self.has_read {
            if let Poll::Ready(read) = self.poll_read(context) {
                read?;
            }
            self.first.extend(self.pending.iter().cloned());
            // What is kept can be sent again.
            self.has_read = false;
        } else {
            self.pending.extend(self.first.iter().cloned());
        }
        self.pending.push_front(head.freeze());
        Ok(())
    }

    /// Reads the frames that are here. Ready when there are some, or when the body has ended.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<(), UploadError>> {
        let Some(body) = &mut self.body else { return Poll::Pending };
        for frame in 0..FRAMES {
            if matches!(self.left, Left::Nothing) {
                break;
            }
            let data = match body.poll_data(context) {
                Poll::Pending if frame == 0 => return Poll::Pending,
                Poll::Pending => break,
                Poll::Ready(Some(data)) => data.map_err(|_| UploadError::Client)?,
                Poll::Ready(None) => {
                    end(&mut self.left, &mut self.pending)?;
                    break;
                }
            };
            if !std::mem::replace(&mut self.has_read, true) {
                self.first = Vec::new();
            }
            self.held += data.len();
            self.moved += data.len() as u64;
            if self.moved > self.most {
                return Poll::Ready(Err(UploadError::TooLarge));
            }
            append(data, &mut self.left, &mut self.pending)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Reads or writes. Ready when something moved.
    pub(super) fn poll_step(
        &mut self,
        context: &mut Context<'_>,
        upstream: &mut Connection,
    ) -> Poll<Result<(), UploadError>> {
        if !self.is_writing() {
            ready!(self.poll_read(context))?;
            // What is waited for now is the upstream, which the caller is to know.
            if let Poll::Ready(written) = self.poll_write(context, upstream) {
                return Poll::Ready(written);
            }
            return Poll::Ready(Ok(()));
        }
        self.poll_write(context, upstream)
    }

    /// Writes what was read. Ready when the upstream has it all.
    fn poll_write(&mut self, context: &mut Context<'_>, upstream: &mut Connection) -> Poll<Result<(), UploadError>> {
        while !self.pending.is_empty() {
            let mut slices = [IoSlice::new(&[]); FRAMES * PIECES + 1];
            for (slice, piece) in slices.iter_mut().zip(&self.pending) {
                *slice = IoSlice::new(piece);
            }
            let used = slices.get(..self.pending.len()).unwrap_or(&slices);
            let written = ready!(Pin::new(&mut *upstream).poll_write_vectored(context, used));
            match written {
                Ok(written) if written > 0 => self.advance(written),
                _ => return Poll::Ready(Err(UploadError::Upstream)),
            }
        }
        ready!(Pin::new(upstream).poll_flush(context)).map_err(|_| UploadError::Upstream)?;
        self.is_unflushed = false;
        if let Some(body) = &mut self.body {
            // It is an error only where more is given back than was held.
            let _ = body.flow_control().release_capacity(std::mem::take(&mut self.held));
        }
        Poll::Ready(Ok(()))
    }

    /// So many bytes were written.
    fn advance(&mut self, mut written: usize) {
        self.is_unflushed = true;
        while let Some(piece) = self.pending.front_mut() {
            if written < piece.len() {
                piece.advance(written);
                return;
            }
            written -= piece.len();
            self.pending.pop_front();
        }
    }
}

/// Takes the data of one frame.
fn append(data: Bytes, left: &mut Left, pending: &mut VecDeque<Bytes>) -> Result<(), UploadError> {
    let Some(size) = NonZeroUsize::new(data.len()) else { return Ok(()) };
    match left {
        Left::Length(length) => {
            *length = length.checked_sub(size.get() as u64).ok_or(UploadError::Invalid(RequestFault::BodyLength))?;
            pending.push_back(data);
            if *length == 0 {
                *left = Left::Nothing;
            }
        }
        Left::Chunked => {
            pending.push_back(Bytes::copy_from_slice(chunk_head(size, &mut [0; 18])));
            pending.push_back(data);
            pending.push_back(CRLF);
        }
        Left::Nothing => return Err(UploadError::Invalid(RequestFault::BodyLength)),
    }
    Ok(())
}

/// The stream's end is the body's end (RFC 9113 §8.1.1).
fn end(left: &mut Left, pending: &mut VecDeque<Bytes>) -> Result<(), UploadError> {
    match std::mem::replace(left, Left::Nothing) {
        Left::Length(_) => Err(UploadError::Invalid(RequestFault::BodyLength)),
        Left::Chunked => {
            pending.push_back(Bytes::from_static(LAST_CHUNK));
            Ok(())
        }
        Left::Nothing => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an upstream gets of these frames.
    fn framed(mut left: Left, frames: &[&'static str]) -> Result<String, UploadError> {
        let mut pending = VecDeque::new();
        for frame in frames {
            append(Bytes::from_static(frame.as_bytes()), &mut left, &mut pending)?;
        }
        end(&mut left, &mut pending)?;
        let bytes: Vec<u8> = pending.iter().flatten().copied().collect();
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_body_is_as_long_as_was_said_or_comes_in_chunks() {
        for (left, frames, expected) in [
            (Left::Length(3), &["a", "bc"][..], Ok("abc")),
            (Left::Length(3), &["a", "", "bc", ""], Ok("abc")),
            (Left::Length(3), &["ab"], Err(UploadError::Invalid(RequestFault::BodyLength))),
            (Left::Length(3), &["ab", "cd"], Err(UploadError::Invalid(RequestFault::BodyLength))),
            (Left::Nothing, &["a"], Err(UploadError::Invalid(RequestFault::BodyLength))),
            (Left::Nothing, &[], Ok("")),
            (Left::Chunked, &[], Ok("0\r\n\r\n")),
            (Left::Chunked, &[""], Ok("0\r\n\r\n")),
            (Left::Chunked, &["abc", "defghijklmnopqrs"], Ok("3\r\nabc\r\n10\r\ndefghijklmnopqrs\r\n0\r\n\r\n")),
        ] {
            let case = format!("{left:?} {frames:?}");
            assert_eq!(framed(left, frames), expected.map(str::to_owned), "{case}");
        }
    }
}
