//! A log line about a page that asks for a bucket without rules: which document would be read, and which bucket may have been meant.

use crate::observe::Denied;
use crate::rules::Store;
use crate::telemetry::printable;
use foldhash::fast::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The most lines of a minute, whatever names clients send.
const PLACES: usize = 32;

/// Writes one line a minute for each bucket, as far as the places suffice: names that share a place share its line. The hasher is seeded,
/// so that no client can aim at the place of another's bucket.
pub(super) struct MissingRulesLog {
    started: Instant,
    hasher: RandomState,
    /// The second in which the last line of each place was written, from 1; 0 is never.
    last: [AtomicU64; PLACES],
}

impl Default for MissingRulesLog {
    fn default() -> Self {
        Self { started: Instant::now(), hasher: RandomState::default(), last: Default::default() }
    }
}

impl MissingRulesLog {
    const SECONDS: u64 = 60;

    pub(super) fn write(&self, rules: &Store, denied: &Denied<'_>) {
        let bucket = denied.group();
        if !self.allows_at(self.started.elapsed().as_secs() + 1, bucket) {
            return;
        }
        let Some(missing) = rules.missing(denied.bucket) else { return };
        let file = missing.file.map(|file| printable(file.as_os_str().as_encoded_bytes()).into_owned());
        tracing::info!(
            request_id = denied.request_id,
            bucket = &*printable(bucket.as_bytes()),
            origin = &*printable(denied.origin),
            file,
            near = missing.near.as_deref(),
            "a page asks for a bucket that has no rules"
        );
    }

    fn allows_at(&self, second: u64, bucket: &str) -> bool {
        let is_due = |last| (last == 0 || second >= last + Self::SECONDS).then_some(second);
        let last = self.last.get(self.hasher.hash_one(bucket) as usize % PLACES);
        last.is_some_and(|last| last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_due).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_has_one_line_a_minute_and_all_of_them_a_bounded_number() {
        let log = MissingRulesLog::default();
        let allowed = [(1, true), (1, false), (60, false), (61, true), (62, false)];
        assert!(allowed.iter().all(|(second, expected)| log.allows_at(*second, "avatars") == *expected));
        let lines = (0..10_000).filter(|number| log.allows_at(62, &format!("bucket-{number}"))).count();
        assert!((PLACES - 1..=PLACES).contains(&lines), "{lines}");
    }
}
