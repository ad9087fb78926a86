//! What shadow rules would decide otherwise: by bucket and direction, with the heaviest cases as examples.

use super::denial::{OTHER, name};
use super::group::{GroupedRequest, Groups, PLACES, RequestGroup};
use foldhash::fast::RandomState;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

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

names! {
    Direction: AllowedToDenied = "allowed_to_denied", DeniedToAllowed = "denied_to_allowed",
    OtherGrant = "other_grant",
}

/// How many requests would be decided otherwise, in the order of [`Direction::ALL`].
pub type ByDirection = [u64; Direction::ALL.len()];

/// A request that the shadow rules would decide otherwise, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Changed<'c> {
    /// The request; its reason is that of the rules that deny it.
    pub request: GroupedRequest<'c>,
    /// From what to what.
    pub direction: Direction,
    /// The rule that grants it: the shadow rules' own, if they do.
    pub rule: &'c str,
}

/// Requests that would be decided otherwise for the same cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ShadowChange {
    /// The requests; their reason is that of the rules that deny them.
    #[serde(flatten)]
    pub requests: RequestGroup,
    /// From what to what.
    #[serde(serialize_with = "name")]
    pub direction: Direction,
    /// The rule that grants them, the shadow rules' own if they do.
    pub rule: Box<str>,
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
    /// With the direction and the rule that grants.
    changes: Groups<(Direction, Box<str>)>,
    buckets: HashMap<Box<str>, BucketChanges, RandomState>,
    /// How many buckets have series of their own.
    shown: usize,
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
        let tables =
            Tables { since: SystemTime::now(), changes: Groups::new(PLACES), buckets: HashMap::default(), shown: 0 };
        Self { compared: AtomicU64::new(0), series, tables: Mutex::new(tables) }
    }

    /// Begins again, because the rules on one side are others: what was found about the old ones says nothing about these. Only the
    /// series go on. Buckets with these labels have series from the start, where there is room for all of them.
    pub fn begin_again<'l>(&self, labels: impl Iterator<Item = &'l str>) {
        let mut tables = self.lock();
        tables.since = SystemTime::now();
        tables.changes = Groups::new(PLACES);
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
        let changes = tables.changes.iter().map(|held| {
            let (_, (direction, rule)) = &held.value;
            ShadowChange { requests: RequestGroup::of(held), direction: *direction, rule: rule.clone() }
        });
        let changes = changes.collect();
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
        let Changed { request, direction, rule } = changed;
        let bucket = self.bucket(request.label, series);
        for counts in [&mut bucket.ever, &mut bucket.now] {
            counts.get_mut(*direction as usize).into_iter().for_each(|count| *count += 1);
        }
        request.count_in(&mut self.changes, [direction.as_str(), rule], || (*direction, (*rule).into()));
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
