//! The credentials of requests that are signed here: the service that renews them, and the metrics of their state.

use super::Parts;
use crate::admin::NamedCredentials;
use crate::credentials::Renewal;
use crate::telemetry::{Exported, MetricsError};
use async_trait::async_trait;
use pingora::server::ShutdownWatch;
use pingora::services::background::BackgroundService;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{SystemTime, UNIX_EPOCH};

/// Renews credentials until the process ends.
pub(super) struct RenewCredentials {
    pub(super) renewal: Arc<Renewal>,
    /// Is told after the first attempt, which the start waits for.
    pub(super) tried: Sender<()>,
}

#[async_trait]
impl BackgroundService for RenewCredentials {
    /// A process that drains still signs, so this ends with its runtime.
    async fn start(&self, _: ShutdownWatch) {
        let tried = self.tried.clone();
        let tell = move || {
            // The receiver is gone where the start was given up.
            let _ = tried.send(());
        };
        self.renewal.run(tell).await;
    }
}

impl Parts {
    /// Exports whether there are credentials, and when they expire; with the name of their upstream where there are several.
    pub(super) fn export_credentials(&self, states: &[NamedCredentials]) -> Result<(), MetricsError> {
        let is_named = states.iter().any(|each| each.upstream.is_some());
        let labels = if is_named { &["upstream"][..] } else { &[] };
        let name = |each: &NamedCredentials| each.upstream.iter().map(ToString::to_string).collect::<Vec<_>>();
        let states: Arc<[NamedCredentials]> = states.into();
        let available = Arc::clone(&states);
        self.metrics.export(Exported::gauges(
            "s3cors_credentials_available",
            "Whether there are AWS credentials to sign requests with.",
            labels,
            move || {
                let row =
                    |each: &NamedCredentials| (name(each), each.state.snapshot(SystemTime::now()).is_available.into());
                available.iter().map(row).collect()
            },
        ))?;
        let end = move |each: &NamedCredentials| {
            let end = each.state.snapshot(SystemTime::now()).end?.duration_since(UNIX_EPOCH).ok()?;
            Some((name(each), end.as_secs()))
        };
        self.metrics.export(Exported::gauges(
            "s3cors_credentials_expiry_timestamp_seconds",
            "When the AWS credentials expire, in seconds since 1970. Absent for those that do not.",
            labels,
            move || states.iter().filter_map(end).collect(),
        ))
    }
}
