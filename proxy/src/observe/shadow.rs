//! What shadow rules would decide otherwise: by bucket and direction, with the heaviest cases as examples.

use super::denied::{MAX_DETAIL, MAX_METHOD, bounded};
use super::heavy_hitters::HeavyHitters;
use super::rejections::presentable_origin;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// How many changes are told apart.
const PLACES: usize = 1_000;
/// What the buckets without a series are counted as.
const OTHER: &str = "_other";

/// From what to what a decision would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The live rules grant the request, the shadow rules do not.
    AllowedToDenied,
    /// The shadow rules grant the request, the live rules do not.
    DeniedToAllowed,
    /// Both grant it, with other headers.
    OtherGrant,
}

impl Direction {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::AllowedToDenied, Self::DeniedToAllowed, Self::OtherGrant];

    /// The name, as the metric's label and the JSON have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllowedToDenied => "allowed_to_denied",
            Self::DeniedToAllowed => "denied_to_allowed",
            Self::OtherGrant => "other_grant",
        }
    }
}

/// How many requests would be decided otherwise, in the order of [`Direction::ALL`].
pub type ByDirection = [u64; Direction::ALL.len()];

/// A request that the shadow rules would decide otherwise, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Changed<'c> {
    /// When.
    pub at: SystemTime,
    /// `x-amz-request-id` of its response.
    pub request_id: &'c str,
    /// The label of the bucket.
    pub label: &'c str,
    /// What the request is to CORS.
    pub kind: &'static str,
    /// The Origin.
    pub origin: Option<&'c [u8]>,
    /// The method that the rules are asked about.
    pub method: &'c [u8],
    /// From what to what.
    pub direction: Direction,
    /// The clause that denies it, of the rules that do; `none` where both grant.
    pub reason: &'static str,
    /// What the clause refuses, or the first header of the grant that would be another.
    pub detail: Option<&'c str>,
    /// The rule that grants it: the shadow rules' own, if they do.
    pub rule: &'c str,
}

/// Requests that would be decided otherwise for the same cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShadowChange {
    /// The label of the bucket.
    pub bucket: Box<str>,
    /// The origin; empty where there was none that a browser could have sent.
    pub origin: Box<str>,
    /// What the requests were to CORS.
    pub kind: &'static str,
    /// The method that the rules were asked about.
    pub method: Box<str>,
    /// From what to what.
    pub direction: Direction,
    /// The clause that denies them.
    pub reason: &'static str,
    /// What the clause refuses, or which header of the grant would be another.
    pub detail: Option<Box<str>>,
    /// The rule that grants them, the shadow rules' own if they do.
    pub rule: Box<str>,
    /// How often, at most.
    pub count: u64,
    /// By how much `count` can be too high.
    pub error: u64,
    /// The first of those that are counted one by one.
    pub first_seen: SystemTime,
    /// The last one.
    pub last_seen: SystemTime,
    /// The request id of the last one.
    pub request_id: String,
}

/// The changes that shadow rules would make, since these are compared with these live rules.
#[derive(Clone, Debug)]
pub struct ShadowReport {
    /// Since when.
    pub since: SystemTime,
    /// How many requests were compared.
    pub compared: u64,
    /// How many would be decided otherwise, of each bucket that has such requests.
    pub buckets: Vec<(Box<str>, ByDirection)>,
    /// The heaviest causes, the heaviest first.
    pub changes: Vec<ShadowChange>,
}

/// What shadow rules would decide otherwise.
#[derive(Debug)]
pub struct ShadowDecisions {
    compared: AtomicU64,
    /// How many buckets may have series of their own.
    series: usize,
    tables: Mutex<Tables>,
}

#[derive(Debug)]
struct Tables {
    since: SystemTime,
    changes: HeavyHitters<ShadowChange>,
    buckets: HashMap<Box<str>, BucketChanges, RandomState>,
    /// How many buckets have series of their own.
    shown: usize,
    /// The key that is looked up, kept so that a known one allocates nothing.
    key: String,
}

/// The changes of one bucket.
#[derive(Debug)]
struct BucketChanges {
    /// Whether it has series of its own; what was once shown under `_other` stays there.
    is_shown: bool,
    /// Since the start of the process.
    ever: ByDirection,
    /// Since these rules are compared.
    now: ByDirection,
}

impl ShadowDecisions {
    /// Nothing is compared yet. So many buckets may have series of their own.
    #[must_use]
    pub fn new(series: usize) -> Self {
        let tables = Tables {
            since: SystemTime::now(),
            changes: HeavyHitters::new(PLACES),
            buckets: HashMap::default(),
            shown: 0,
            key: String::new(),
        };
        Self { compared: AtomicU64::new(0), series, tables: Mutex::new(tables) }
    }

    /// Begins again, because the rules on one side are others: what was found about the old ones says nothing about these. Only the
    /// series go on. Buckets with these labels have series from the start, where there is room for all of them.
    pub fn begin_again<'l>(&self, labels: impl Iterator<Item = &'l str>) {
        let mut tables = self.lock();
        tables.since = SystemTime::now();
        tables.changes = HeavyHitters::new(PLACES);
        tables.buckets.values_mut().for_each(|bucket| bucket.now = ByDirection::default());
        self.compared.store(0, Ordering::Relaxed);
        let labels: Vec<_> = labels.filter(|label| !tables.buckets.contains_key(*label)).collect();
        if tables.shown + labels.len() <= self.series {
            for label in labels {
                tables.bucket(label, self.series);
            }
        }
    }

    /// Counts a request that was compared.
    pub fn count_compared(&self) {
        self.compared.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that would be decided otherwise.
    pub fn count(&self, changed: &Changed<'_>) {
        self.lock().count(changed, self.series);
    }

    /// What was found about the present rules.
    #[must_use]
    pub fn report(&self) -> ShadowReport {
        let tables = self.lock();
        let with_changes = tables.buckets.iter().filter(|(_, bucket)| bucket.now != ByDirection::default());
        let mut buckets: Vec<_> = with_changes.map(|(label, bucket)| (label.clone(), bucket.now)).collect();
        buckets.sort_unstable();
        let changes = tables.changes.iter();
        let changes =
            changes.map(|held| ShadowChange { count: held.count, error: held.error, ..held.value.clone() }).collect();
        ShadowReport { since: tables.since, compared: self.compared.load(Ordering::Relaxed), buckets, changes }
    }

    /// The series of the metric, by bucket: none of them ever shrinks.
    #[must_use]
    pub fn series(&self) -> Vec<(String, ByDirection)> {
        let tables = self.lock();
        let mut other = ByDirection::default();
        let mut series = Vec::with_capacity(tables.shown + 1);
        for (label, bucket) in &tables.buckets {
            if bucket.is_shown {
                series.push((label.to_string(), bucket.ever));
            } else {
                other.iter_mut().zip(bucket.ever).for_each(|(sum, count)| *sum += count);
            }
        }
        series.push((OTHER.to_owned(), other));
        series
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn count(&mut self, changed: &Changed<'_>, series: usize) {
        let direction = changed.direction as usize;
        let bucket = self.bucket(changed.label, series);
        for counts in [&mut bucket.ever, &mut bucket.now] {
            counts.get_mut(direction).into_iter().for_each(|count| *count += 1);
        }
        let origin = presentable_origin(changed.origin);
        let (method, _) = bounded(changed.method, MAX_METHOD);
        let (detail, _) = bounded(changed.detail.unwrap_or_default().as_bytes(), MAX_DETAIL);
        self.key.clear();
        let direction = changed.direction.as_str();
        // None of them has a 0 byte in it, but perhaps the detail, which is last.
        for part in [changed.label, origin, changed.kind, &method, direction, changed.reason, changed.rule, &detail] {
            self.key.push_str(part);
            self.key.push('\0');
        }
        let counted = self.changes.count(&self.key, || ShadowChange {
            bucket: changed.label.into(),
            origin: origin.into(),
            kind: changed.kind,
            method: method.into(),
            direction: changed.direction,
            reason: changed.reason,
            detail: changed.detail.map(|_| detail.into()),
            rule: changed.rule.into(),
            count: 0,
            error: 0,
            first_seen: changed.at,
            last_seen: changed.at,
            request_id: String::new(),
        });
        if let Some(change) = counted.held {
            change.last_seen = changed.at;
            change.request_id.clear();
            change.request_id.push_str(changed.request_id);
        }
    }

    /// The counts of a bucket. Labels are names of documents, so that operators decide how many there are, never a request.
    fn bucket(&mut self, label: &str, series: usize) -> &mut BucketChanges {
        if !self.buckets.contains_key(label) {
            let is_shown = label != OTHER && self.shown < series;
            self.shown += usize::from(is_shown);
            let none = BucketChanges { is_shown, ever: ByDirection::default(), now: ByDirection::default() };
            self.buckets.insert(label.into(), none);
        }
        #[expect(clippy::expect_used, reason = "inserted above where it was missing")]
        self.buckets.get_mut(label).expect("the bucket")
    }
}

#[cfg(test)]
mod tests;
