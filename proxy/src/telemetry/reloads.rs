//! Reloads of the rules, wherever they come from: each is counted and logged in the same words.

use super::{BucketCounters, Metrics};
use crate::rules::{Outcome, Report, Store};
use s3_cors::RuleTable;
use std::sync::Arc;

/// The rules with the counters of each bucket beside them.
pub type Rules = Store<BucketCounters>;

/// The rules and the metrics that tell of them.
#[derive(Clone)]
pub struct Reloader {
    rules: Arc<Rules>,
    metrics: Arc<Metrics>,
}

impl Reloader {
    /// Puts them together, and tells that the rules are live.
    #[must_use]
    pub fn new(rules: Arc<Rules>, metrics: Arc<Metrics>) -> Self {
        let reloader = Self { rules, metrics };
        reloader.metrics.rules_started(reloader.rule_count());
        reloader
    }

    /// Reads the rules again because somebody asked for it. Blocks on file I/O.
    #[must_use]
    pub fn reload(&self) -> Report {
        let report = self.rules.reload();
        self.record(&report);
        report
    }

    /// Counts and logs a reload.
    pub fn record(&self, report: &Report) {
        let rules = self.rule_count();
        self.metrics.reloaded(report, rules);
        let changed = report.changed.join(", ");
        match report.outcome {
            Outcome::Applied => tracing::info!(changed, rules, "rules reloaded"),
            Outcome::Unchanged => tracing::info!(rules, "rules unchanged"),
            Outcome::Rejected => {
                for error in &report.errors {
                    tracing::error!(%error, changed, "rules rejected; the last good ones stay");
                }
            }
        }
    }

    /// How many rules are live.
    #[must_use]
    pub fn rule_count(&self) -> usize {
        let live = self.rules.live();
        live.with_rules().iter().filter_map(|bucket| bucket.rules.as_ref()).map(|table| table.rules().len()).sum()
    }
}

/// What is prepared for each bucket when its rules are loaded: its counters.
pub fn prepare(metrics: Arc<Metrics>) -> crate::rules::Prepare<BucketCounters> {
    Box::new(move |label: &str, rules: Option<&RuleTable>| metrics.bucket(label, rules))
}
