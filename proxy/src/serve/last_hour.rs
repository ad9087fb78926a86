//! The numbers of the last hour: what they are read from, and the service that reads them once a minute.

use crate::observe::{LastHour, Rejections, RequestCounts};
use crate::telemetry::Metrics;
use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use std::sync::Arc;

/// Begins the last hour of a process with these counters.
pub(super) fn last_hour(metrics: &Arc<Metrics>, rejections: &Arc<Rejections>) -> Arc<LastHour> {
    let (metrics, rejections) = (Arc::clone(metrics), Arc::clone(rejections));
    Arc::new(LastHour::new(move || RequestCounts {
        by_outcome: metrics.buckets.by_outcome(),
        rejected: rejections.total(None),
        by_duration: metrics.http.durations(),
    }))
}

/// Reads the counters at the beginning of each minute.
pub(super) struct EachMinute(pub(super) Arc<LastHour>);

#[async_trait]
impl BackgroundService for EachMinute {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        loop {
            let rest = self.0.note();
            tokio::select! {
                _ = shutdown.changed() => return,
                () = tokio::time::sleep(rest) => {}
            }
        }
    }
}
