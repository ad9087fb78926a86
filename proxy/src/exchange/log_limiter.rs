//! The rate of log lines about failed signatures.

use crate::telemetry::SignatureCause;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Allows one log line a minute: without it a client with a wrong key fills the log.
pub(super) struct OncePerMinute {
    started: Instant,
    /// The second in which the last line was written, from 1; 0 is never.
    last: AtomicU64,
}

impl Default for OncePerMinute {
    fn default() -> Self {
        Self { started: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl OncePerMinute {
    const SECONDS: u64 = 60;

    pub(super) fn allows(&self) -> bool {
        self.allows_at(self.started.elapsed().as_secs() + 1)
    }

    fn allows_at(&self, second: u64) -> bool {
        let is_due = |last| (last == 0 || second >= last + Self::SECONDS).then_some(second);
        self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_due).is_ok()
    }
}

/// Allows one log line a minute for each cause.
#[derive(Default)]
pub(super) struct LogLimiter([OncePerMinute; SignatureCause::ALL.len()]);

impl LogLimiter {
    pub(super) fn allows(&self, cause: SignatureCause) -> bool {
        self.0.get(cause as usize).is_some_and(OncePerMinute::allows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_line_a_minute() {
        let limit = OncePerMinute::default();
        for (second, is_allowed) in
            [(1, true), (1, false), (59, false), (60, false), (61, true), (120, false), (121, true)]
        {
            assert_eq!(limit.allows_at(second), is_allowed, "second {second}");
        }
    }

    #[test]
    fn each_cause_has_a_line_of_its_own() {
        let limiter = LogLimiter::default();
        for (cause, is_allowed) in [
            (SignatureCause::HostReplaced, true),
            (SignatureCause::Unknown, true),
            (SignatureCause::HostReplaced, false),
            (SignatureCause::Expired, true),
        ] {
            assert_eq!(limiter.allows(cause), is_allowed, "{cause:?}");
        }
    }
}
