//! The rate of log lines about requests that were asked more than once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The requests a minute that are asked again before the log says so. Each kind should be asked again once, when it is first seen.
const MOST_A_MINUTE: u64 = 60;
/// The bits of the count; the minute has the others.
const COUNT_BITS: u32 = 32;

/// Counts the requests of each minute that were asked again.
pub(super) struct HealingLog {
    started: Instant,
    /// The minute, from 0, and the requests in it.
    minute: AtomicU64,
}

impl Default for HealingLog {
    fn default() -> Self {
        Self { started: Instant::now(), minute: AtomicU64::new(0) }
    }
}

impl HealingLog {
    /// Counts a request. Returns true once a minute, where there are many to warn of.
    pub(super) fn counts(&self) -> bool {
        self.counts_in(self.started.elapsed().as_secs() / 60)
    }

    fn counts_in(&self, minute: u64) -> bool {
        let next = |last: u64| if last >> COUNT_BITS == minute { last + 1 } else { minute << COUNT_BITS | 1 };
        let last = self.minute.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        next(last.unwrap_or_default()) & u64::from(u32::MAX) == MOST_A_MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_in_one_minute_are_said_once() {
        let log = HealingLog::default();
        let said = |minute, times: u64| (0..times).filter(|_| log.counts_in(minute)).count();
        for (minute, times, expected) in
            [(0, MOST_A_MINUTE - 1, 0), (1, MOST_A_MINUTE - 1, 0), (1, 1, 1), (1, 500, 0), (2, 60, 1)]
        {
            assert_eq!(said(minute, times), expected, "{times} in minute {minute}");
        }
    }
}
