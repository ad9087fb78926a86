//! Who is turned away and why: the heaviest rejections, and never more of them than there are places, whatever is sent.

use super::denial::{Denied, OTHER};
use super::group::{GroupedRequest, Groups, PLACES, RequestGroup, presentable_origin};
use super::heavy_hitters::{Counted, HeavyHitters};
use foldhash::fast::RandomState;
use s3_cors::Reason;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How often an origin is turned away, since it has a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginCount {
    /// The bucket's label.
    pub bucket: Box<str>,
    /// The origin, or `_other`.
    pub origin: Box<str>,
    /// How often.
    pub count: u64,
}

/// The heaviest rejections, and exact counts for each bucket.
#[derive(Debug)]
pub struct Rejections(Mutex<Tables>);

#[derive(Debug)]
struct Tables {
    causes: Groups<()>,
    /// The origins that have a series of their own.
    series: HeavyHitters<OriginCount>,
    buckets: HashMap<Box<str>, BucketCount, RandomState>,
    /// All rejections, those of buckets without rules too. Clients choose the names of these, so that none is counted by itself.
    total: u64,
}

/// The rejections of a bucket.
#[derive(Clone, Copy, Debug, Default)]
struct BucketCount {
    total: u64,
    /// Those that no series of an origin counts.
    other: u64,
}

impl Rejections {
    /// Tables with series for so many origins.
    #[must_use]
    pub fn new(series: usize) -> Self {
        Self(Mutex::new(Tables {
            causes: HeavyHitters::new(PLACES),
            series: HeavyHitters::new(series),
            buckets: HashMap::default(),
            total: 0,
        }))
    }

    /// Makes room for these buckets, so that their `_other` is there with 0 from the start.
    pub fn prepare<'b>(&self, buckets: impl Iterator<Item = &'b str>) {
        let mut tables = self.lock();
        buckets.for_each(|bucket| tables.in_bucket(bucket, |_| ()));
    }

    /// Counts a denied request. An origin that no browser could have sent is counted as none. One for a bucket without rules is in no
    /// series: no rule turned it away.
    pub fn count(&self, denied: &Denied<'_>) {
        let mut tables = self.lock();
        tables.total += 1;
        if denied.reason != Reason::NoRules {
            tables.in_bucket(denied.label, |bucket| bucket.total += 1);
            tables.count_origin(denied.label, presentable_origin(denied.origin));
        }
        GroupedRequest::from(denied).count_in(&mut tables.causes, [""; 2], || ());
    }

    /// The rejections, the heaviest first.
    #[must_use]
    pub fn top(&self) -> Vec<RequestGroup> {
        self.lock().causes.iter().map(RequestGroup::of).collect()
    }

    /// The heaviest rejections, at most so many, and how many the table has.
    #[must_use]
    pub fn heaviest(&self, most: usize) -> (Vec<RequestGroup>, usize) {
        let tables = self.lock();
        (tables.causes.iter().take(most).map(RequestGroup::of).collect(), tables.causes.iter().count())
    }

    /// Returns how many requests were rejected, of one bucket or of all. Of a bucket while it had no rules, those that the table knows.
    #[must_use]
    pub fn total(&self, bucket: Option<&str>) -> u64 {
        let tables = self.lock();
        let Some(bucket) = bucket else { return tables.total };
        let is_without_rules = |group: &RequestGroup| group.reason == Reason::NoRules && &*group.bucket == bucket;
        let without_rules = tables.causes.iter().filter(|held| is_without_rules(&held.value.0)).map(|held| held.count);
        tables.buckets.get(bucket).map_or(0, |bucket| bucket.total) + without_rules.sum::<u64>()
    }

    /// Every series of the metric: the heaviest origins, and each bucket's `_other`. Each rejection is counted in one of them. That of
    /// an origin counts from when it took its place; an origin that loses it to a heavier one leaves its count to `_other`, so that no
    /// sum over the series shrinks.
    #[must_use]
    pub fn series(&self) -> Vec<OriginCount> {
        let tables = self.lock();
        let others = tables.buckets.iter();
        let others = others.map(|(bucket, count)| OriginCount::new(bucket, OTHER, count.other));
        tables.series.iter().map(|held| held.value.clone()).chain(others).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn count_origin(&mut self, label: &str, origin: &str) {
        if origin.is_empty() {
            return self.in_bucket(label, |bucket| bucket.other += 1);
        }
        let Counted { held, displaced } = self.series.count(&[label, origin], || OriginCount::new(label, origin, 0));
        let has_place = held.map(|series| series.count += 1).is_some();
        if let Some(displaced) = displaced {
            self.in_bucket(&displaced.bucket, |bucket| bucket.other += displaced.count);
        }
        if !has_place {
            self.in_bucket(label, |bucket| bucket.other += 1);
        }
    }

    /// Changes what is counted for a bucket. Buckets are prepared, so that this allocates only in the moment of a reload.
    fn in_bucket(&mut self, label: &str, change: impl FnOnce(&mut BucketCount)) {
        match self.buckets.get_mut(label) {
            Some(bucket) => change(bucket),
            None => change(self.buckets.entry(label.into()).or_default()),
        }
    }
}

impl OriginCount {
    fn new(bucket: &str, origin: &str, count: u64) -> Self {
        Self { bucket: bucket.into(), origin: origin.into(), count }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::denial::tests::denied;
    use s3_cors::RequestKind;

    /// The series of the bucket, but for those of single rejections.
    fn series(rejections: &Rejections) -> Vec<(String, u64)> {
        let rows = rejections.series().into_iter().filter(|row| row.count > 1);
        rows.map(|row| (row.origin.into(), row.count)).collect()
    }

    #[test]
    fn origins_that_come_once_hide_no_real_one_and_each_rejection_is_in_one_series() {
        let rejections = Rejections::new(3);
        rejections.prepare(["b"].into_iter());
        assert_eq!(rejections.series(), [OriginCount::new("b", OTHER, 0)]);
        for number in 0..1_000 {
            rejections.count(&denied(&format!("https://{number}.test")));
        }
        for odd in [&b""[..], b"\xff", b"a b", &[b'a'; 301], "https://ü".as_bytes()] {
            rejections.count(&Denied { origin: odd, ..denied("") });
        }
        for _ in 0..100 {
            rejections.count(&denied("https://real.test"));
        }
        let heaviest = &rejections.top()[0];
        assert_eq!((&*heaviest.origin, heaviest.bucket.as_ref()), ("https://real.test", "b"));
        assert!(heaviest.count >= 100 && heaviest.count - heaviest.error <= 100, "{heaviest:?}");
        let sum: u64 = rejections.series().iter().map(|row| row.count).sum();
        assert_eq!((sum, rejections.total(None), rejections.total(Some("b"))), (1_105, 1_105, 1_105));
        assert_eq!(rejections.total(Some("c")), 0);
        let named = series(&rejections);
        // One rejection made room for it: two are equal until then.
        assert!(
            matches!(&*named, [(real, 98..=100), (other, 1_000..=1_010)] if real.contains("real") && other == OTHER)
        );
    }

    #[test]
    fn no_sum_of_the_series_shrinks_when_an_origin_loses_its_place() {
        let rejections = Rejections::new(1);
        let mut before = 0;
        for (origin, times) in [("https://a", 3), ("https://b", 9), ("https://a", 20)] {
            for _ in 0..times {
                rejections.count(&denied(origin));
                let now: u64 = rejections.series().iter().map(|row| row.count).sum();
                assert_eq!(now, before + 1);
                before = now;
            }
        }
        assert_eq!(rejections.series().len(), 2);
    }

    #[test]
    fn buckets_without_rules_are_told_by_name_and_counted_in_no_series() {
        fn of(bucket: &str) -> Denied<'_> {
            Denied { bucket: Some(bucket), label: OTHER, reason: Reason::NoRules, ..denied("https://a") }
        }
        let rejections = Rejections::new(10);
        for bucket in ["Avatars", "Avatars", "photos"] {
            rejections.count(&of(bucket));
        }
        rejections.count(&denied("https://a"));
        let rows: Vec<_> = rejections.top().into_iter().map(|row| (row.bucket, row.reason, row.count)).collect();
        assert_eq!(rows[0], ("Avatars".into(), Reason::NoRules, 2));
        assert_eq!(rows.len(), 3);
        assert_eq!([None, Some("Avatars"), Some("b"), Some("c")].map(|bucket| rejections.total(bucket)), [4, 2, 1, 0]);
        assert_eq!(rejections.series().iter().map(|row| row.count).sum::<u64>(), 1);
        // A stranger's names have no more room than anything else.
        let names: Vec<_> = (0..3 * PLACES).map(|number| format!("bucket-{number}")).collect();
        names.iter().for_each(|name| rejections.count(&of(name)));
        let tables = rejections.lock();
        assert_eq!((tables.causes.iter().count(), tables.buckets.len()), (PLACES, 1));
    }

    #[test]
    fn causes_are_told_apart_and_the_last_request_is_their_example() {
        let rejections = Rejections::new(0);
        let put = denied("https://a");
        let (later, header) = (put.at + std::time::Duration::from_secs(9), Some("x-other"));
        for denied in [
            put,
            Denied { kind: RequestKind::Actual, ..put },
            Denied { method: b"GET", ..put },
            Denied { reason: Reason::Header, detail: header, ..put },
            Denied { label: "c", ..put },
            Denied { at: later, request_id: "00000000000000FF", bucket: None, path: "/c", ..put },
        ] {
            rejections.count(&denied);
        }
        let rows = rejections.top();
        assert_eq!((rows.len(), rows[0].count, rows[0].error, &*rows[0].request_id), (5, 2, 0, "00000000000000FF"));
        assert_eq!((rows[0].first_seen, rows[0].last_seen), (put.at, later));
        assert!(rows.iter().any(|row| row.detail.as_deref() == header), "{rows:?}");
        let (heaviest, all) = rejections.heaviest(2);
        assert_eq!((heaviest.as_slice(), all), (&rows[..2], 5));
    }
}
