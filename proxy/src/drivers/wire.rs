//! Reading and writing without buffers of a connection's own: what is there is read into the thread's scratch memory.

use super::timer::Timer;
use bytes::BytesMut;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::io::{ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most that is read at a time, in bytes, and so the most that a slow recipient makes a transfer hold.
pub(super) const SCRATCH: usize = 128 * 1024;

thread_local! {
    /// Borrowed within one poll only, never while a task waits.
    static MEMORY: RefCell<Vec<u8>> = RefCell::new(vec![0; SCRATCH]);
}

/// Reads what is there, at most `most` bytes, and hands it to `take`; 0 bytes are the end.
pub(crate) fn poll_read<S: AsyncRead + Unpin, T>(
    stream: &mut S,
    context: &mut Context<'_>,
    most: usize,
    take: impl FnOnce(&[u8], &mut Context<'_>) -> T,
) -> Poll<io::Result<T>> {
    MEMORY.with_borrow_mut(|memory| {
        let Some(memory) = memory.get_mut(..most.min(SCRATCH)) else { return Poll::Pending };
        let mut buffer = ReadBuf::new(memory);
        ready!(Pin::new(stream).poll_read(context, &mut buffer))?;
        Poll::Ready(Ok(take(buffer.filled(), context)))
    })
}

/// Reads what is there, at most `most` bytes; nothing is the end.
pub(in crate::drivers) fn poll_read_some<S: AsyncRead + Unpin>(
    stream: &mut S,
    context: &mut Context<'_>,
    most: usize,
) -> Poll<io::Result<BytesMut>> {
    poll_read(stream, context, most, |bytes, _| BytesMut::from(bytes))
}

/// Writes all parts, in as few writes as the system takes, and flushes. A recipient may take `limit` for each write.
pub(in crate::drivers) async fn write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    parts: &[&[u8]],
    timer: &mut Timer,
    limit: Duration,
) -> io::Result<()> {
    let total: usize = parts.iter().map(|part| part.len()).sum();
    let mut done = 0;
    while done < total {
        let written = poll_fn(|context| {
            let slices = unwritten(parts, done);
            Pin::new(&mut *stream).poll_write_vectored(context, &slices)
        });
        match timer.within(limit, written).await?? {
            0 => return Err(ErrorKind::WriteZero.into()),
            written => done += written,
        }
    }
    timer.within(limit, poll_fn(|context| Pin::new(&mut *stream).poll_flush(context))).await?
}

/// What of the parts is not yet written. There are never more than four.
fn unwritten<'p>(parts: &[&'p [u8]], done: usize) -> [IoSlice<'p>; 4] {
    let mut slices = [IoSlice::new(&[]); 4];
    let mut skipped = done;
    let left = parts.iter().filter_map(|part| {
        let skip = skipped.min(part.len());
        skipped -= skip;
        part.get(skip..).filter(|left| !left.is_empty())
    });
    for (slice, left) in slices.iter_mut().zip(left) {
        *slice = IoSlice::new(left);
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::unwritten;

    #[test]
    fn parts_are_continued_where_a_write_stopped() {
        let parts = [&b"ab"[..], b"", b"cde"];
        for (done, left) in [(0, "ab|cde"), (1, "b|cde"), (2, "cde"), (4, "e"), (5, "")] {
            let slices = unwritten(&parts, done);
            let slices: Vec<_> = slices.iter().filter(|slice| !slice.is_empty()).collect();
            let text: Vec<_> = slices.iter().map(|slice| str::from_utf8(slice).unwrap()).collect();
            assert_eq!(text.join("|"), left, "{done}");
        }
    }
}
