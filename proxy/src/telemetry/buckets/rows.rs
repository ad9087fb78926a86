//! The series: rows of the buckets that have some, and the sum of all others.

use super::counters::{BucketCounters, ByResult, KINDS, results};
use super::{Buckets, OTHER};
use crate::telemetry::exported::Row;
use s3_cors::{Outcome, Reason, RequestKind};
use std::collections::BTreeMap;

/// The longest rule ID that is shown as a label, in characters: S3 takes IDs of any length.
const MAX_RULE_LABEL: usize = 128;

/// What several buckets counted together.
#[derive(Clone, Copy, Default)]
pub(super) struct Sum {
    decisions: ByResult<u64>,
    hits: u64,
    signed_reads: u64,
}

impl Sum {
    pub(super) fn add(&mut self, bucket: &BucketCounters) {
        for (sums, counts) in self.decisions.iter_mut().zip(bucket.decisions()) {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        self.hits += bucket.rules().map(|(_, hits)| hits).sum::<u64>();
        self.signed_reads += bucket.signed_reads();
    }

    /// Adds the hits of rules that the bucket no longer has.
    pub(super) fn add_rules_not_in(&mut self, bucket: &BucketCounters, next: &BucketCounters) {
        self.hits += bucket.hits_not_in(next);
    }
}

impl Buckets {
    /// The decisions about all buckets, those that are gone too, in the order of [`Outcome::ALL`]. Not one of them ever shrinks.
    #[must_use]
    pub fn by_outcome(&self) -> [u64; Outcome::ALL.len()] {
        // Held to the end: a bucket that goes meanwhile would be counted twice or not at all.
        let shown = self.lock();
        let mut sum = shown.gone;
        sum.decisions
            .iter_mut()
            .flatten()
            .zip(shown.left.decisions.iter().flatten())
            .for_each(|(sum, left)| *sum += left);
        self.live.load().values().for_each(|bucket| sum.add(bucket));
        drop(shown);
        let of = |outcome| {
            let by_kind = sum.decisions.iter().flat_map(|counts| results().zip(counts));
            by_kind.filter(|((of, _), _)| *of == outcome).map(|(_, count)| count).sum()
        };
        Outcome::ALL.map(of)
    }

    pub(super) fn decision_rows(&self) -> Vec<Row> {
        let (mut rows, mut other) = (Vec::new(), self.lock().gone);
        let mut others_have_rules = false;
        for (label, bucket) in &**self.live.load() {
            if bucket.is_shown() == Some(true) {
                push_decisions(&mut rows, label, &bucket.decisions(), |reason| possible(reason, true));
            } else {
                others_have_rules |= bucket.has_rules();
                other.add(bucket);
            }
        }
        push_decisions(&mut rows, OTHER, &other.decisions, |reason| others_have_rules || possible(reason, false));
        rows
    }

    pub(super) fn hit_rows(&self) -> Vec<Row> {
        let (mut rows, mut other) = (Vec::new(), self.lock().gone);
        let mut others_have_rules = false;
        for (label, bucket) in &**self.live.load() {
            if bucket.is_shown() == Some(true) {
                push_hits(&mut rows, label, bucket);
            } else {
                others_have_rules |= bucket.has_rules();
                other.add(bucket);
            }
        }
        if others_have_rules {
            rows.push((vec![OTHER.to_owned(), OTHER.to_owned()], other.hits));
        }
        rows
    }

    pub(super) fn signed_read_rows(&self) -> Vec<Row> {
        let (mut rows, mut other) = (Vec::new(), self.lock().gone);
        for (label, bucket) in &**self.live.load() {
            if bucket.is_shown() == Some(true) {
                rows.push((vec![label.to_string()], bucket.signed_reads()));
            } else {
                other.add(bucket);
            }
        }
        rows.push((vec![OTHER.to_owned()], other.signed_reads));
        rows
    }
}

fn push_decisions(rows: &mut Vec<Row>, label: &str, counts: &ByResult<u64>, is_shown: impl Fn(Reason) -> bool) {
    for (kind, counts) in KINDS.iter().zip(counts) {
        for ((outcome, reason), count) in results().zip(counts) {
            // No preflight is one of the same origin.
            let is_possible = outcome != Outcome::SameOrigin || *kind == RequestKind::Actual;
            if is_possible && is_shown(reason) {
                let labels = [label, kind.as_str(), outcome.as_str(), reason.as_str()];
                rows.push((labels.map(str::to_owned).to_vec(), *count));
            }
        }
    }
}

/// Rules whose names look the same are one series.
fn push_hits(rows: &mut Vec<Row>, label: &str, bucket: &BucketCounters) {
    let mut by_name = BTreeMap::new();
    for (name, hits) in bucket.rules() {
        *by_name.entry(name.chars().take(MAX_RULE_LABEL).collect::<String>()).or_insert(0) += hits;
    }
    rows.extend(by_name.into_iter().map(|(name, hits)| (vec![label.to_owned(), name], hits)));
}

/// Whether a decision for this reason can happen where there are rules, or where there are none.
const fn possible(reason: Reason, has_rules: bool) -> bool {
    match reason {
        Reason::NoRules => !has_rules,
        Reason::Malformed => true,
        _ => has_rules,
    }
}
