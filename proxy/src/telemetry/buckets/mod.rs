//! Decisions, rule hits and signed reads by bucket, and which buckets have series of their own.
//!
//! Every bucket is counted; a bounded number of them is shown. A bucket has series from its first request on, or from the start where
//! all buckets have room. The others are shown together as `_other`, where the requests for buckets without rules are counted too.

mod counters;
mod rows;

use super::exported::{Exported, Row};
use arc_swap::ArcSwap;
use counters::BucketCounters;
use foldhash::fast::RandomState;
use s3_cors::{Decision, RuleTable};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What buckets without series of their own are shown as, and the rules of such a bucket.
const OTHER: &str = "_other";

/// The counters of all buckets.
pub struct Buckets {
    /// How many buckets may have series of their own.
    places: usize,
    live: ArcSwap<Live>,
    shown: Mutex<Shown>,
}

/// The counters of the buckets that a request can get, by label.
type Live = HashMap<Box<str>, Arc<BucketCounters>, RandomState>;

/// What is known about the series.
#[derive(Default)]
struct Shown {
    /// How many buckets have series of their own.
    taken: usize,
    /// What buckets without series counted that are gone: the sum that is shown must not shrink.
    gone: rows::Sum,
    /// The counts of buckets with series of their own that are gone: no series has it, the sum by outcome does.
    left: rows::Sum,
}

impl Buckets {
    pub(super) fn new(places: usize) -> Self {
        Self { places, live: ArcSwap::default(), shown: Mutex::default() }
    }

    /// Makes the counters of these buckets: at 0 where they are new, going on where they are not. Operators decide by the rules
    /// that they write which buckets there are, never a request.
    pub fn prepare<'b>(&self, buckets: impl Iterator<Item = (&'b str, Option<&'b RuleTable>)>) {
        let mut shown = self.lock();
        let old = self.live.load();
        let counters = buckets.map(|(label, rules)| {
            (
                Box::from(label),
                BucketCounters::following(old.get(label), rules.map(RuleTable::rules).unwrap_or_default()),
            )
        });
        let live: Live = counters.collect();
        for (label, bucket) in &**old {
            shown.leave(bucket, live.get(label));
        }
        // All of them have room: each is there with 0 before its first request.
        if live.values().filter(|bucket| bucket.has_rules()).count() <= self.places {
            live.values().for_each(|bucket| shown.decide(bucket, self.places));
        }
        self.live.store(Arc::new(live));
    }

    /// Counts a decision about a request for this bucket; nothing where CORS had no part.
    pub fn count(&self, label: &str, decision: &Decision) {
        if decision.outcome().is_none() {
            return;
        }
        self.count_in(label, |bucket| bucket.count(decision));
    }

    /// Counts a read of this bucket that is signed here.
    pub fn count_signed_read(&self, label: &str) {
        self.count_in(label, BucketCounters::count_signed_read);
    }

    fn count_in(&self, label: &str, count: impl FnOnce(&BucketCounters)) {
        let live = self.live.load();
        // The bucket's rules may have been removed while the request was on its way.
        let Some(bucket) = live.get(label).or_else(|| live.get(OTHER)) else { return };
        // Before it is counted: what was once shown under `_other` stays there.
        if bucket.is_shown().is_none() {
            self.lock().decide(bucket, self.places);
        }
        count(bucket);
    }

    /// The label under which a bucket is shown.
    #[must_use]
    pub fn shown_as<'l>(&self, label: &'l str) -> &'l str {
        let is_shown = self.live.load().get(label).is_some_and(|bucket| bucket.is_shown() == Some(true));
        if is_shown { label } else { OTHER }
    }

    /// How often each rule of a bucket has granted, in the rules' order: for people to read, no decision does.
    #[must_use]
    pub fn hits(&self, label: &str) -> Vec<u64> {
        self.live.load().get(label).map(|bucket| bucket.rules().map(|(_, hits)| hits).collect()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The families that have a bucket as label.
    pub(super) fn families(self: &Arc<Self>) -> [prometheus::Result<Exported>; 3] {
        let family = |name, help, labels, rows: fn(&Self) -> Vec<Row>| {
            let buckets = Arc::clone(self);
            Exported::counters(name, help, labels, move || rows(&buckets))
        };
        [
            family(
                "s3cors_decisions_total",
                "CORS decisions, by bucket, kind of request, outcome and reason.",
                &["bucket", "kind", "outcome", "reason"],
                Self::decision_rows,
            ),
            family(
                "s3cors_rule_hits_total",
                "Requests that a rule granted, by bucket and rule.",
                &["bucket", "rule"],
                Self::hit_rows,
            ),
            family(
                "s3cors_signed_reads_total",
                "Requests without a signature that were signed here, by bucket.",
                &["bucket"],
                Self::signed_read_rows,
            ),
        ]
    }
}

impl Shown {
    /// Gives a bucket with rules series of its own if there is a place; what was decided once stays.
    fn decide(&mut self, bucket: &BucketCounters, places: usize) {
        let has_place = bucket.has_rules() && self.taken < places;
        if bucket.show(has_place) {
            self.taken += usize::from(has_place);
        }
    }

    /// A bucket's counters are replaced by others, or by none.
    fn leave(&mut self, bucket: &Arc<BucketCounters>, next: Option<&Arc<BucketCounters>>) {
        match (bucket.is_shown(), next) {
            (_, Some(next)) if Arc::ptr_eq(bucket, next) => {}
            (Some(false), Some(next)) => self.gone.add_rules_not_in(bucket, next),
            (Some(false), None) => self.gone.add(bucket),
            (Some(true), None) => {
                self.taken = self.taken.saturating_sub(1);
                self.left.add(bucket);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
