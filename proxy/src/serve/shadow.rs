//! The shadow rules of a process, where there are some.

use crate::config::Config;
use crate::observe::{Direction, ShadowDecisions};
use crate::rules::{Directory, ShadowRules, Snapshot, Store};
use crate::telemetry::{Exported, Metrics, MetricsError, Row};
use std::sync::Arc;

/// The candidate set, and what it would decide otherwise.
#[derive(Clone)]
pub(super) struct Shadow {
    pub(super) rules: Arc<ShadowRules>,
    pub(super) decisions: Arc<ShadowDecisions>,
}

impl Shadow {
    /// What the configuration has of it, compared with the live rules.
    pub(super) fn of(config: &Config, live: &Store) -> Option<Self> {
        let source = Directory::new(config.rules.shadow.clone()?);
        let decisions = Arc::new(ShadowDecisions::new(config.metrics_buckets));
        let changed = Arc::clone(&decisions);
        let rules = ShadowRules::of(Box::new(source), config.cors.credentials.into(), move |candidate| {
            changed.begin_again(candidate.all().map(|bucket| &*bucket.label));
        });
        let shadow = Self { rules: Arc::new(rules), decisions };
        shadow.begin_again(&live.live());
        Some(shadow)
    }

    /// The rules on one side are others.
    pub(super) fn begin_again(&self, live: &Snapshot) {
        let candidate = self.rules.store().live();
        self.decisions.begin_again(live.all().chain(candidate.all()).map(|bucket| &*bucket.label));
    }

    /// Shows the changes as a metric.
    pub(super) fn export(&self, metrics: &Metrics) -> Result<(), MetricsError> {
        let decisions = Arc::clone(&self.decisions);
        metrics.export(Exported::counters(
            "s3cors_shadow_decisions_total",
            "CORS decisions that the shadow rules would make otherwise, by bucket and direction.",
            &["bucket", "direction"],
            move || decisions.series().into_iter().flat_map(rows).collect(),
        ))
    }
}

fn rows((bucket, counts): (String, [u64; Direction::ALL.len()])) -> impl Iterator<Item = Row> {
    let directions = Direction::ALL.into_iter().map(Direction::as_str);
    directions.zip(counts).map(move |(direction, count)| (vec![bucket.clone(), direction.to_owned()], count))
}
