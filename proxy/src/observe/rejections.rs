//! Who is turned away: by bucket and origin, and never more origins than there are places, whatever is sent.

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest origin that is shown, in bytes: a DNS name has at most 253.
const MAX_ORIGIN: usize = 300;
/// What the origins without a place are counted as.
const OTHER: &str = "_other";

/// An origin that is turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The bucket's label.
    pub bucket: String,
    /// The origin.
    pub origin: String,
    /// How often.
    pub count: u64,
}

/// The counts by bucket and origin, for at most a fixed number of origins in the whole process.
///
/// The first origins take the places. A full table only counts under `_other`: reading it takes no lock, and a lock is taken at most
/// once for each place.
pub struct Rejections {
    places: usize,
    shown: ArcSwap<Shown>,
    adding: Mutex<()>,
}

#[derive(Clone, Default)]
struct Shown {
    by_bucket: HashMap<Box<str>, Origins, RandomState>,
    taken: usize,
}

#[derive(Clone, Default)]
struct Origins {
    named: HashMap<Box<str>, Arc<AtomicU64>>,
    other: Arc<AtomicU64>,
}

impl Rejections {
    /// A table with so many places.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self { places, shown: ArcSwap::default(), adding: Mutex::new(()) }
    }

    /// Makes room for these buckets, so that their `_other` is there with 0 from the start.
    pub fn prepare<'b>(&self, buckets: impl Iterator<Item = &'b str>) {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = self.shown.load();
        let new: Vec<_> = buckets.filter(|bucket| !shown.by_bucket.contains_key(*bucket)).collect();
        if !new.is_empty() {
            let mut next = Shown::clone(&shown);
            next.by_bucket.extend(new.into_iter().map(|bucket| (bucket.into(), Origins::default())));
            self.shown.store(Arc::new(next));
        }
    }

    /// Counts a rejected request. An origin that no browser could have sent gets no place.
    pub fn count(&self, bucket: &str, origin: Option<&[u8]>) {
        let origin = origin.and_then(|origin| str::from_utf8(origin).ok()).filter(|origin| presentable(origin));
        let shown = self.shown.load();
        let known = shown.by_bucket.get(bucket);
        let count = origin.and_then(|origin| known?.named.get(origin));
        match (count, known, origin) {
            (Some(count), ..) => add(count),
            (None, Some(known), None) => add(&known.other),
            (None, Some(known), Some(_)) if shown.taken >= self.places => add(&known.other),
            _ => {
                drop(shown);
                add(&self.place(bucket, origin));
            }
        }
    }

    /// The count of an origin, which takes a place if there is one.
    fn place(&self, bucket: &str, origin: Option<&str>) -> Arc<AtomicU64> {
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Shown::clone(&self.shown.load());
        let has_place = next.taken < self.places;
        let origins = next.by_bucket.entry(bucket.into()).or_default();
        let count = match origin {
            Some(origin) => match origins.named.get(origin) {
                Some(count) => Arc::clone(count),
                None if has_place => {
                    next.taken += 1;
                    Arc::clone(origins.named.entry(origin.into()).or_default())
                }
                None => Arc::clone(&origins.other),
            },
            None => Arc::clone(&origins.other),
        };
        self.shown.store(Arc::new(next));
        count
    }

    /// The origins that have a place; most often rejected first.
    #[must_use]
    pub fn top(&self) -> Vec<Rejection> {
        let mut rows = Vec::new();
        for (bucket, origins) in &self.shown.load().by_bucket {
            rows.extend(origins.named.iter().map(|(origin, count)| row(bucket, origin, count)));
        }
        rows.sort_unstable_by(|a, b| {
            b.count.cmp(&a.count).then_with(|| (&a.bucket, &a.origin).cmp(&(&b.bucket, &b.origin)))
        });
        rows
    }

    /// Every series of the metric: the origins that have a place, and each bucket's `_other`.
    #[must_use]
    pub fn series(&self) -> Vec<Rejection> {
        let mut rows = self.top();
        rows.extend(self.shown.load().by_bucket.iter().map(|(bucket, origins)| row(bucket, OTHER, &origins.other)));
        rows
    }
}

fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

fn row(bucket: &str, origin: &str, count: &AtomicU64) -> Rejection {
    Rejection { bucket: bucket.to_owned(), origin: origin.to_owned(), count: count.load(Ordering::Relaxed) }
}

fn presentable(origin: &str) -> bool {
    !origin.is_empty() && origin.len() <= MAX_ORIGIN && origin.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_origins_come_only_so_many_are_shown() {
        let rejections = Rejections::new(3);
        rejections.prepare(["b"].into_iter());
        for number in 0..1000 {
            rejections.count("b", Some(format!("https://{number}.test").as_bytes()));
        }
        for odd in [None, Some(&b""[..]), Some(b"\xff"), Some(b"a b"), Some(&[b'a'; 301])] {
            rejections.count("b", odd);
        }
        rejections.count("b", Some(b"https://1.test"));
        let rows =
            |rows: Vec<Rejection>| rows.into_iter().map(|row| (row.bucket, row.origin, row.count)).collect::<Vec<_>>();
        let named = |origin: &str, count| ("b".to_owned(), origin.to_owned(), count);
        let top = [named("https://1.test", 2), named("https://0.test", 1), named("https://2.test", 1)];
        assert_eq!(rows(rejections.top()), top);
        let all = [&top[..], &[named(OTHER, 997 + 5)]].concat();
        assert_eq!(rows(rejections.series()), all);
    }
}
