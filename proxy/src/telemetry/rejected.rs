//! Who is turned away: origins as labels, and never more of them than there are places, whatever is sent.

use super::registry::register;
use arc_swap::ArcSwap;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The longest origin that is shown, in bytes: a name of DNS has at most 253.
const MAX_ORIGIN: usize = 300;
const OTHER: &str = "_other";

/// The counters by bucket and origin, at most a fixed number of origins in the whole process.
///
/// The first that come get the places. A table that is full only counts under `_other`: reading it takes no lock, and a lock is
/// taken at most once for each place.
pub(super) struct RejectedOrigins {
    family: IntCounterVec,
    places: usize,
    shown: ArcSwap<Shown>,
    adding: Mutex<()>,
}

#[derive(Clone, Default)]
struct Shown {
    by_bucket: HashMap<Box<str>, HashMap<Box<str>, IntCounter>>,
    taken: usize,
}

impl Shown {
    fn get(&self, bucket: &str, origin: &str) -> Option<&IntCounter> {
        self.by_bucket.get(bucket)?.get(origin)
    }
}

impl RejectedOrigins {
    pub(super) fn new(registry: &Registry, places: usize) -> prometheus::Result<Self> {
        let help =
            "Requests that no rule grants, by bucket and Origin; origins beyond the configured number are _other.";
        let family = IntCounterVec::new(Opts::new("s3cors_rejected_origins_total", help), &["bucket", "origin"])?;
        Ok(Self { family: register(registry, family)?, places, shown: ArcSwap::default(), adding: Mutex::new(()) })
    }

    /// The counter of a bucket's other origins, visible at 0 from the start.
    pub(super) fn other(&self, bucket: &str) -> IntCounter {
        self.family.with_label_values(&[bucket, OTHER])
    }

    /// Counts a rejected request; an origin that no browser could have sent has no name here.
    pub(super) fn count(&self, bucket: &str, other: &IntCounter, origin: Option<&[u8]>) {
        let origin = origin.and_then(|origin| std::str::from_utf8(origin).ok()).filter(|origin| presentable(origin));
        match origin {
            Some(origin) => self.count_named(bucket, other, origin),
            None => other.inc(),
        }
    }

    fn count_named(&self, bucket: &str, other: &IntCounter, origin: &str) {
        let shown = self.shown.load();
        if let Some(counter) = shown.get(bucket, origin) {
            counter.inc();
        } else if shown.taken >= self.places {
            other.inc();
        } else {
            drop(shown);
            self.take_place(bucket, origin).as_ref().unwrap_or(other).inc();
        }
    }

    fn take_place(&self, bucket: &str, origin: &str) -> Option<IntCounter> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = self.shown.load_full();
        if let Some(counter) = shown.get(bucket, origin) {
            return Some(counter.clone());
        }
        if shown.taken >= self.places {
            return None;
        }
        let counter = self.family.with_label_values(&[bucket, origin]);
        let mut next = Shown::clone(&shown);
        next.by_bucket.entry(bucket.into()).or_default().insert(origin.into(), counter.clone());
        next.taken += 1;
        self.shown.store(Arc::new(next));
        Some(counter)
    }

    /// The places that are taken: bucket, origin and how often it was rejected; most often first.
    pub(super) fn top(&self) -> Vec<(String, String, u64)> {
        let shown = self.shown.load();
        let mut rows = Vec::new();
        for (bucket, origins) in &shown.by_bucket {
            rows.extend(
                origins.iter().map(|(origin, counter)| (bucket.to_string(), origin.to_string(), counter.get())),
            );
        }
        rows.sort_unstable_by(|a, b| b.2.cmp(&a.2).then_with(|| (&a.0, &a.1).cmp(&(&b.0, &b.1))));
        rows
    }
}

fn presentable(origin: &str) -> bool {
    !origin.is_empty() && origin.len() <= MAX_ORIGIN && origin.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_origins_come_only_so_many_are_shown() {
        let registry = Registry::new();
        let rejected = RejectedOrigins::new(&registry, 3).unwrap();
        let other = rejected.other("b");
        for number in 0..1000 {
            rejected.count("b", &other, Some(format!("https://{number}.test").as_bytes()));
        }
        for odd in [None, Some(&b""[..]), Some(b"\xff"), Some(b"a b"), Some(&[b'a'; 301])] {
            rejected.count("b", &other, odd);
        }
        rejected.count("b", &other, Some(b"https://1.test"));
        assert_eq!(
            rejected.top(),
            [
                ("b".into(), "https://1.test".into(), 2),
                ("b".into(), "https://0.test".into(), 1),
                ("b".into(), "https://2.test".into(), 1)
            ]
        );
        assert_eq!(other.get(), 997 + 5);
        assert_eq!(registry.gather()[0].get_metric().len(), 4);
    }
}
