//! The windows of a connection's uploads (RFC 9113 §5.2).
//!
//! A byte counts against its stream's window and the connection's until an upstream has it. So uploads whose upstreams do not read
//! hold the connection's window, and would stop all others. Here the connection's window grows by what is held, so that a step of it is
//! always left, and streams get small windows once much is held. A client can make the proxy hold no more than [`MOST`].

use super::frame_head::{FrameHead, WINDOW_UPDATE};
use bytes::{Buf, Bytes, BytesMut};
use h2::server::Connection;
use tokio::io::{AsyncRead, AsyncWrite};

/// The window of a stream and, while nothing is held, of the connection, in bytes. The protocol's default of 64 KiB would cap a round
/// trip.
pub const WINDOW: u32 = 1024 * 1024;
/// Once so much is held, streams get windows of [`SMALL`].
const MUCH: u32 = 8 * WINDOW;
const SMALL: u32 = 64 * 1024;
/// The most that all the streams of a connection hold: [`MUCH`], what was on its way then, and a small window each.
const MOST: u32 = 32 * WINDOW;
/// The window of each connection before the first frame (RFC 9113 §6.9.2).
const INITIAL: u64 = 65_535;

/// The bytes that a client may have sent, by the frames that went to it.
#[derive(Default)]
pub(super) struct Granted {
    /// The bytes of a frame that are yet to come.
    left: usize,
    begun: BytesMut,
    bytes: u64,
}

impl Granted {
    /// Follows bytes on their way to the client.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let here = self.left.min(bytes.len());
                self.left -= here;
                bytes.advance(here);
                continue;
            }
            let wanted = FrameHead::SIZE + self.update();
            let here = wanted.saturating_sub(self.begun.len()).min(bytes.len());
            self.begun.extend_from_slice(bytes.get(..here).unwrap_or_default());
            bytes.advance(here);
            if self.begun.len() == FrameHead::SIZE + self.update() {
                self.end_of_frame();
            }
        }
    }

    /// The bytes that are put together beyond the head of a frame: the payload of a WINDOW_UPDATE.
    fn update(&self) -> usize {
        if self.begun.get(3) == Some(&WINDOW_UPDATE) { 4 } else { 0 }
    }

    fn end_of_frame(&mut self) {
        let mut begun = self.begun.split();
        let Some(head) = FrameHead::of(&begun) else { return };
        begun.advance(FrameHead::SIZE);
        if head.kind != WINDOW_UPDATE {
            self.left = head.length;
        } else if head.stream == 0 {
            self.bytes += u64::from(begun.get_u32());
        }
    }

    /// The bytes beyond these that the client may send now.
    pub(super) fn beyond(&self, received: u64) -> u64 {
        (INITIAL + self.bytes).saturating_sub(received)
    }
}

/// The windows as they were set last.
pub(super) struct Windows {
    connection: u32,
    is_small: bool,
}

impl Default for Windows {
    fn default() -> Self {
        Self { connection: WINDOW, is_small: false }
    }
}

impl Windows {
    /// Sets the windows anew; `open` is how much the client may send now.
    pub(super) fn adjust<W: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        connection: &mut Connection<W, Bytes>,
        open: u64,
    ) {
        // The crate opens what was given back once it is half of the window: where less is open, the rest is held.
        if open < u64::from(WINDOW / 4) && self.connection < MOST {
            self.connection += WINDOW;
            connection.set_target_window_size(self.connection);
        } else if self.connection > WINDOW && open > u64::from(self.connection - WINDOW / 4) {
            self.connection = WINDOW;
            connection.set_target_window_size(self.connection);
        }
        let is_small = self.connection > MUCH;
        let size = if is_small { SMALL } else { WINDOW };
        // An error says that the client has not acknowledged the last change yet.
        if is_small != self.is_small && connection.set_initial_window_size(size).is_ok() {
            self.is_small = is_small;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_granted_is_found_wherever_the_bytes_are_cut() {
        let frame = |kind: u8, stream: u32, payload: &[u8]| {
            let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
            [&length[1..], &[kind, 0], &stream.to_be_bytes(), payload].concat()
        };
        let update = |stream, size: u32| frame(WINDOW_UPDATE, stream, &size.to_be_bytes());
        let sent = [
            frame(4, 0, &[0; 12]),
            update(0, 1000),
            frame(0, 1, &[8; 300]),
            update(1, 50),
            frame(6, 0, &[0; 8]),
            update(0, 7),
        ];
        let sent = sent.concat();
        for size in 1..sent.len() {
            let mut granted = Granted::default();
            sent.chunks(size).for_each(|piece| granted.follow(piece));
            assert_eq!((granted.bytes, granted.beyond(2)), (1007, INITIAL + 1005), "{size}");
        }
    }
}
