//! Frames that cost work and carry nothing, and the number of them that a client may send.
//!
//! None of them is wrong, and each is answered or looked at: PING (CVE-2019-9512), SETTINGS (CVE-2019-9515), PRIORITY (CVE-2019-9513),
//! resets (CVE-2023-44487), empty DATA (CVE-2019-9518). A client that pings, cancels and changes its settings does so a few times a
//! second. WINDOW_UPDATE is usual beside a download, so what was sent allows more of them.

use super::frame_head::{CONTINUATION, DATA, END_STREAM, FrameHead, HEADERS, RST_STREAM, SETTINGS};
use tokio::time::Instant;

/// The most frames at once: a browser that leaves a page resets all its streams.
const MOST: u64 = 2000 * UNIT;
/// The frames of a second, for as long as a connection lasts.
const EACH_SECOND: u64 = 200 * UNIT;
/// The bytes sent to the client that allow one more frame. Clients acknowledge 4 KiB or more at a time, twice: for the stream and for the
/// connection.
const UNIT: u64 = 1024;

/// A frame of a head that has fewer bytes is not needed for a large head.
const SMALL: usize = 1024;

/// The frames that a client may still send.
pub(super) struct Allowance {
    left: u64,
    since: Instant,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { left: MOST, since: Instant::now() }
    }
}

impl Allowance {
    /// Returns false if a frame is one too many.
    pub(super) fn spend(&mut self, head: FrameHead) -> bool {
        let cost = match head.kind {
            DATA if head.length > 0 || head.has(END_STREAM) => return true,
            HEADERS => return true,
            CONTINUATION if head.length >= SMALL => return true,
            // They make the proxy do more.
            RST_STREAM | SETTINGS | CONTINUATION => 2 * UNIT,
            _ => UNIT,
        };
        if self.left < cost {
            let now = Instant::now();
            let passed = now.duration_since(self.since).as_millis();
            let earned = u64::try_from(passed).unwrap_or(u64::MAX).saturating_mul(EACH_SECOND) / 1000;
            self.left = self.left.saturating_add(earned).min(MOST);
            self.since = now;
        }
        let left = self.left.checked_sub(cost);
        self.left = left.unwrap_or_default();
        left.is_some()
    }

    /// Allows more, since so many bytes were sent.
    pub(super) fn earn(&mut self, bytes: usize) {
        self.left = self.left.saturating_add(bytes as u64).min(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame_head::WINDOW_UPDATE;
    use super::*;
    use std::time::Duration;
    use tokio::time::advance;

    const PING: u8 = 6;

    const fn frame(kind: u8, flags: u8, length: usize) -> FrameHead {
        FrameHead { kind, flags, stream: 1, length }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_has_an_end_and_a_rate_has_none() {
        for (kind, most) in [(PING, 2000), (WINDOW_UPDATE, 2000), (RST_STREAM, 1000), (SETTINGS, 1000), (DATA, 2000)] {
            let mut allowance = Allowance::default();
            assert_eq!((0..10_000).take_while(|_| allowance.spend(frame(kind, 0, 0))).count(), most, "{kind}");
            for _ in 0..10_000 {
                advance(Duration::from_millis(10)).await;
                assert!(allowance.spend(frame(kind, 0, 0)), "{kind}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_carries_something_is_free() {
        let mut allowance = Allowance::default();
        for _ in 0..10_000 {
            assert!(allowance.spend(frame(DATA, 0, 1)) && allowance.spend(frame(DATA, END_STREAM, 0)));
            assert!(allowance.spend(frame(HEADERS, 0, 0)) && allowance.spend(frame(CONTINUATION, 0, SMALL)));
            // A download whose client acknowledges each 4 KiB twice.
            allowance.earn(4096);
            assert!(allowance.spend(frame(WINDOW_UPDATE, 0, 4)) && allowance.spend(frame(WINDOW_UPDATE, 0, 4)));
        }
    }
}
