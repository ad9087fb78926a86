//! Writes that were signed in the same second as the last one of their bucket.
//!
//! A signature's time has whole seconds (SigV4), so two writes of one second have no order but that of their arrival. One that comes a
//! second time after another was applied is a replay: it would bring an old document back.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// How many buckets are remembered; past it the one whose last write was signed first is forgotten.
const MAX_BUCKETS: usize = 1024;
/// How many writes of one bucket and second are remembered.
const MAX_WRITES: usize = 64;

/// The writes of the last second of each bucket.
#[derive(Debug, Default)]
pub(super) struct Replays(Mutex<HashMap<Box<str>, Latest>>);

#[derive(Debug)]
struct Latest {
    signed_at: SystemTime,
    /// The signatures in the order in which they were applied, as bytes: each has several spellings.
    signatures: Vec<Box<[u8]>>,
}

/// No other write is applied while this lives.
pub(super) struct Applying<'r>(MutexGuard<'r, HashMap<Box<str>, Latest>>);

impl Replays {
    /// Begins a write; blocks while another one lasts.
    pub(super) fn begin(&self) -> Applying<'_> {
        Applying(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Applying<'_> {
    /// Returns true if every write of this bucket and second came through here. Not so after a restart, of a bucket that was forgotten, or
    /// where another process writes: then only a later second can be judged.
    pub(super) fn knows(&self, bucket: &str, signed_at: SystemTime) -> bool {
        self.latest(bucket, signed_at).is_some()
    }

    fn latest(&self, bucket: &str, signed_at: SystemTime) -> Option<&Latest> {
        self.0.get(bucket).filter(|latest| latest.signed_at == signed_at)
    }

    /// Returns true if a write was applied before and another one after it. The last one may come again: that is a retry.
    pub(super) fn is_replay(&self, bucket: &str, signed_at: SystemTime, signature: &[u8]) -> bool {
        self.latest(bucket, signed_at).is_some_and(|latest| {
            let older = latest.signatures.split_last().map_or(&[][..], |(_, older)| older);
            // More than are remembered: any may have been applied.
            older.iter().any(|applied| **applied == *signature) || latest.signatures.len() >= MAX_WRITES
        })
    }

    /// Remembers a write that was applied, or may have been.
    pub(super) fn applied(&mut self, bucket: &str, signed_at: SystemTime, signature: &[u8]) {
        let is_new = !self.0.contains_key(bucket);
        if is_new && self.0.len() >= MAX_BUCKETS {
            let oldest = self.0.iter().min_by_key(|(_, latest)| latest.signed_at).map(|(name, _)| name.clone());
            oldest.and_then(|name| self.0.remove(&name));
        }
        let latest = self.0.entry(bucket.into()).or_insert_with(|| Latest { signed_at, signatures: Vec::new() });
        if latest.signed_at != signed_at {
            *latest = Latest { signed_at, signatures: Vec::new() };
        }
        if latest.signatures.last().is_none_or(|last| **last != *signature) {
            latest.signatures.push(signature.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_write_that_another_has_followed_in_its_second_is_a_replay() {
        let replays = Replays::default();
        let (one, two) = (UNIX_EPOCH, UNIX_EPOCH + Duration::from_secs(1));
        let mut applying = replays.begin();
        for (bucket, signed_at, signature, is_replay) in [
            ("b", one, "x", false),
            ("b", one, "x", false),
            ("b", one, "y", false),
            ("b", one, "x", true),
            ("b", one, "y", false),
            ("other", one, "x", false),
            ("b", two, "x", false),
            ("b", two, "z", false),
            ("b", two, "x", true),
        ] {
            let bytes = signature.as_bytes();
            assert_eq!(applying.is_replay(bucket, signed_at, bytes), is_replay, "{bucket} {signature}");
            if !is_replay {
                applying.applied(bucket, signed_at, bytes);
            }
        }
        for (bucket, second, known) in [("b", one, false), ("b", two, true), ("other", one, true), ("new", one, false)]
        {
            assert_eq!(applying.knows(bucket, second), known, "{bucket}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let replays = Replays::default();
        let mut applying = replays.begin();
        for number in 0..=MAX_BUCKETS as u64 {
            applying.applied(&format!("b{number}"), UNIX_EPOCH + Duration::from_secs(number), b"x");
        }
        assert_eq!(applying.0.len(), MAX_BUCKETS);
        assert!(!applying.knows("b0", UNIX_EPOCH), "the oldest goes, and its second is no longer known");
        for number in 0..MAX_WRITES {
            applying.applied("many", UNIX_EPOCH, number.to_string().as_bytes());
        }
        assert!(
            applying.is_replay("many", UNIX_EPOCH, b"new"),
            "past the bound no write of that second is told from a replay"
        );
    }
}
