//! The rate of log lines about failed signatures.

use crate::telemetry::SignatureCause;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Allows one log line a minute for each cause: without it a client with a wrong key fills the log.
pub(super) struct LogLimiter {
    started: Instant,
    /// The second in which the last line about each cause was written, from 1; 0 is never.
    last: [AtomicU64; SignatureCause::ALL.len()],
}

impl Default for LogLimiter {
    fn default() -> Self {
        Self { started: Instant::now(), last: Default::default() }
    }
}

impl LogLimiter {
    const SECONDS: u64 = 60;

    pub(super) fn allows(&self, cause: SignatureCause) -> bool {
        self.allows_at(self.started.elapsed().as_secs() + 1, cause)
    }

    fn allows_at(&self, second: u64, cause: SignatureCause) -> bool {
        let is_due = |last| (last == 0 || second >= last + Self::SECONDS).then_some(second);
        let last = self.last.get(cause as usize);
        last.is_some_and(|last| last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_due).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_line_a_minute_for_each_cause() {
        let limiter = LogLimiter::default();
        let (host, key) = (SignatureCause::HostReplaced, SignatureCause::Unknown);
        for (second, cause, is_allowed) in [
            (1, host, true),
            (1, host, false),
            (1, key, true),
            (59, host, false),
            (60, host, false),
            (61, host, true),
            (90, key, true),
            (120, host, false),
            (121, host, true),
        ] {
            assert_eq!(limiter.allows_at(second, cause), is_allowed, "second {second}, {cause:?}");
        }
        assert!(!limiter.allows(key) && limiter.allows(SignatureCause::Expired));
    }
}
