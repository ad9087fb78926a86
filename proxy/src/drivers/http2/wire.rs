//! A connection whose small writes leave together, and whose frames are followed in both directions.
//!
//! The `h2` crate flushes after each frame with data and before each request that it hands over: a system call for each. Here a flush
//! of its waits until everything that there was to do on the connection is done. What is larger than a TLS record is written at once.

use super::frames::Frames;
use super::rejected::{HeadFault, Note};
use super::windows::Granted;
use bytes::{Buf, BytesMut};
use h2::Reason;
use pingora::protocols::Stream;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// The most that waits, in bytes: the data of one TLS record (RFC 8446 §5.1).
const MOST: usize = 16 * 1024;
/// How many slices of one write are passed on.
const SLICES: usize = 8;

/// One half for the `h2` crate, one for the code that sends what waits. Only one task has both: no lock is waited for.
#[derive(Clone)]
pub(super) struct Wire(Arc<Mutex<Inner>>);

struct Inner<S = Stream> {
    stream: S,
    waiting: BytesMut,
    frames: Frames,
    granted: Granted,
    /// Set while the crate has read all that it was handed.
    is_drained: bool,
}

/// The state of a connection, beyond its requests.
pub(super) struct Look {
    /// The error that ends it.
    pub(super) fault: Option<Reason>,
    /// When the head that is still being read has begun, and the memory that it takes.
    pub(super) unfinished: Option<(Instant, usize)>,
    /// Bytes of bodies that the client may send now.
    pub(super) open: u64,
    /// Set when there is more to read than the crate was handed.
    pub(super) has_more: bool,
}

impl Wire {
    /// A connection whose heads may have so many bytes.
    pub(super) fn new(stream: Stream, head_size: usize) -> Self {
        Self(Arc::new(Mutex::new(Inner::new(stream, head_size))))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at what came and went, when the crate has no request to hand over.
    pub(super) fn look(&self) -> Look {
        self.inner().look()
    }

    /// When the head that is still being read has begun.
    pub(super) fn unfinished(&self) -> Option<Instant> {
        self.inner().frames.unfinished().map(|(since, _)| since)
    }

    /// Takes the note about a request.
    pub(super) fn take_note(&self, stream: u32) -> Option<Note> {
        self.inner().frames.take_note(stream)
    }

    /// Rejects the head that is still being read. It is the connection's last.
    pub(super) fn give_up(&self, fault: HeadFault) {
        let Inner { frames, is_drained, .. } = &mut *self.inner();
        frames.give_up(fault);
        *is_drained = false;
    }

    /// Sends what waits.
    pub(super) fn poll_send(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_send(context)
    }
}

impl<S> Inner<S> {
    fn new(stream: S, head_size: usize) -> Self {
        let (waiting, frames, granted) = (BytesMut::new(), Frames::new(head_size), Granted::default());
        Self { stream, waiting, frames, granted, is_drained: false }
    }

    fn look(&mut self) -> Look {
        let open = self.granted.beyond(self.frames.received());
        let has_more = self.is_drained && self.frames.drop_notes();
        Look { fault: self.frames.take_fault(), unfinished: self.frames.unfinished(), open, has_more }
    }

    /// Follows so many bytes of these on their way.
    fn follow(&mut self, slices: &[IoSlice<'_>], written: usize) {
        let mut left = written;
        for slice in slices {
            let here = left.min(slice.len());
            self.granted.follow(slice.get(..here).unwrap_or_default());
            left -= here;
        }
        self.frames.sent(written);
    }
}

impl<S: AsyncRead + Unpin> Inner<S> {
    fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // The crate asks for more once it is done with what it has.
        let read = self.poll_read_more(context, buffer);
        self.is_drained = read.is_pending();
        read
    }

    fn poll_read_more(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let out = self.frames.out();
            if !out.is_empty() {
                let here = out.len().min(buffer.remaining());
                buffer.put_slice(&out.split_to(here));
                return Poll::Ready(Ok(()));
            }
            // An idle connection holds no buffer.
            *out = BytesMut::new();
            if self.frames.is_shut() || self.frames.is_held() {
                // The code that polls takes a request or looks next, and polls again or ends the connection.
                return Poll::Pending;
            }
            let before = buffer.filled().len();
            ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
            let read = buffer.filled().get(before..).unwrap_or_default();
            if read.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let passing = self.frames.follow(read);
            buffer.set_filled(before + passing);
            if passing > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Inner<S> {
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(context, &self.waiting))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                written => self.waiting.advance(written),
            }
        }
        // An idle connection holds no buffer.
        self.waiting = BytesMut::new();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_write(&mut self, context: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let total: usize = slices.iter().map(|slice| slice.len()).sum();
        if self.waiting.len() + total <= MOST {
            self.waiting.reserve(total);
            slices.iter().for_each(|slice| self.waiting.extend_from_slice(slice));
            self.follow(slices, total);
            return Poll::Ready(Ok(total));
        }
        loop {
            let mut all = [IoSlice::new(&[]); SLICES];
            let parts = std::iter::once(&*self.waiting).chain(slices.iter().map(|slice| &**slice));
            let parts = parts.filter(|part| !part.is_empty());
            let used = all.iter_mut().zip(parts).map(|(slot, part)| *slot = IoSlice::new(part)).count();
            let all = all.get(..used).unwrap_or_default();
            let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, all))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            let waited = written.min(self.waiting.len());
            self.waiting.advance(waited);
            if written > waited {
                self.follow(slices, written - waited);
                return Poll::Ready(Ok(written - waited));
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.inner().poll_write(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Waits for [`Wire::poll_send`].
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.inner();
        ready!(inner.poll_send(context))?;
        Pin::new(&mut inner.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// GET of `/` at `h`, with a field of 3000 bytes that the table keeps, and then with the same field in a byte.
    fn requests(count: u32) -> Vec<u8> {
        const GET: &[u8] = b"\x82\x86\x84\x01\x01h";
        let field = [&b"\x40\x01a\x7f\xb9\x16"[..], &[b'v'; 3000]].concat();
        let request = |number: u32| {
            let block = [GET, if number == 0 { &field } else { b"\xbe" }].concat();
            let length = u32::try_from(block.len()).unwrap().to_be_bytes();
            // HEADERS with END_STREAM and END_HEADERS.
            [&length[1..], &[1, 5], &(number * 2 + 1).to_be_bytes(), &block].concat()
        };
        std::iter::once(vec![b'P'; 24]).chain((0..count).map(request)).flatten().collect()
    }

    #[tokio::test]
    async fn a_few_bytes_that_become_many_wait_for_the_crate() {
        let (stream, mut other) = duplex(4 * MOST);
        let mut inner = Inner::new(stream, 4096);
        other.write_all(&requests(500)).await.unwrap();
        let (mut memory, mut passed, mut most) = ([0; 4096], 0, 0);
        loop {
            let mut buffer = ReadBuf::new(&mut memory);
            let read = poll_fn(|context| Poll::Ready(inner.poll_read(context, &mut buffer))).await;
            passed += buffer.filled().len();
            most = most.max(inner.frames.noted());
            // The crate hands over none of them: it has rejected them all.
            if read.is_pending() && !inner.look().has_more {
                break;
            }
        }
        // The preface, and of each request the head of a frame and six bytes.
        assert_eq!((passed, inner.frames.noted()), (24 + 500 * 15, 0));
        assert!(most < 100_000, "{most}");
    }

    #[tokio::test]
    async fn small_writes_leave_together_and_large_ones_with_what_waited() {
        let (stream, mut other) = duplex(4 * MOST);
        let mut inner = Inner::new(stream, 1024);
        for part in ["a", "bc", ""] {
            let slices = [IoSlice::new(part.as_bytes()), IoSlice::new(b"-")];
            assert_eq!(poll_fn(|context| inner.poll_write(context, &slices)).await.unwrap(), part.len() + 1);
        }
        assert!(!inner.waiting.is_empty());
        poll_fn(|context| inner.poll_send(context)).await.unwrap();
        let mut read = vec![0; 6];
        assert_eq!((other.read_exact(&mut read).await.unwrap(), &read[..]), (6, &b"a-bc--"[..]));

        poll_fn(|context| inner.poll_write(context, &[IoSlice::new(b"head")])).await.unwrap();
        let large = vec![b'x'; MOST];
        let written = poll_fn(|context| inner.poll_write(context, &[IoSlice::new(&large)])).await.unwrap();
        let mut read = vec![0; 4 + written];
        other.read_exact(&mut read).await.unwrap();
        assert!(written > 0 && read.starts_with(b"headx") && inner.waiting.is_empty());
    }

    #[tokio::test]
    async fn a_recipient_that_takes_little_gets_every_byte_once() {
        let (stream, mut other) = duplex(1000);
        let mut inner = Inner::new(stream, 1024);
        let sent: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        let expected = sent.clone();
        let writing = async move {
            let mut done = 0;
            while done < sent.len() {
                let slices = [IoSlice::new(&sent[done..sent.len().min(done + 7_000)])];
                done += poll_fn(|context| inner.poll_write(context, &slices)).await.unwrap();
            }
            poll_fn(|context| inner.poll_send(context)).await.unwrap();
            drop(inner);
        };
        let mut read = Vec::new();
        let (_, length) = tokio::join!(writing, other.read_to_end(&mut read));
        assert_eq!((length.unwrap(), read == expected), (expected.len(), true));
    }
}
