//! Every metric of the process, in a registry of its own.

use super::bucket::{BucketCounters, BucketFamilies};
use super::http::HttpCounters;
use super::registry::register;
use super::rejected::RejectedOrigins;
use crate::rules::{Outcome, Report};
use prometheus::{Encoder, Gauge, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
use s3_cors::RuleTable;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A metric could not be registered or written: a fault of this program.
#[derive(Debug, thiserror::Error)]
#[error("metrics: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// All metrics.
pub struct Metrics {
    registry: Registry,
    /// Requests, bytes and times.
    pub http: HttpCounters,
    buckets: BucketFamilies,
    rejected: Arc<RejectedOrigins>,
    upstream_up: IntGaugeVec,
    reload_successful: IntGauge,
    reload_timestamp: Gauge,
    rules_loaded: IntGauge,
    reloads: IntCounterVec,
}

impl Metrics {
    /// Registers everything, known label sets at 0.
    ///
    /// # Errors
    /// [`MetricsError`] when a name is taken or not valid.
    pub fn new(rejected_origins: usize) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let build = register(
            &registry,
            IntGaugeVec::new(
                Opts::new("s3cors_build_info", "The running build; always 1."),
                &["version", "revision", "rustc"],
            )?,
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), env!("S3CORS_REVISION"), env!("S3CORS_RUSTC")]).set(1);
        let gauge = |name, help| -> prometheus::Result<_> { register(&registry, IntGauge::new(name, help)?) };
        let metrics = Self {
            http: HttpCounters::new(&registry)?,
            buckets: BucketFamilies::new(&registry)?,
            rejected: Arc::new(RejectedOrigins::new(&registry, rejected_origins)?),
            upstream_up: register(
                &registry,
                IntGaugeVec::new(
                    Opts::new(
                        "s3cors_upstream_up",
                        "Whether an address of the upstream could be reached when last tried.",
                    ),
                    &["upstream"],
                )?,
            )?,
            reload_successful: gauge(
                "s3cors_config_last_reload_successful",
                "Whether everything on disk was valid when last read.",
            )?,
            reload_timestamp: register(
                &registry,
                Gauge::new(
                    "s3cors_config_last_reload_success_timestamp_seconds",
                    "When the rules were last read without an error.",
                )?,
            )?,
            rules_loaded: gauge("s3cors_rules_loaded", "CORS rules that are live, of all buckets together.")?,
            reloads: register(
                &registry,
                IntCounterVec::new(
                    Opts::new("s3cors_config_reloads_total", "Reloads of the rules, by what they came to."),
                    &["result"],
                )?,
            )?,
            registry,
        };
        for outcome in Outcome::ALL {
            let _ = metrics.reloads.with_label_values(&[outcome.as_str()]);
        }
        Ok(metrics)
    }

    /// The counters of a bucket with these rules: at 0 where they are new, going on where they are not.
    #[must_use]
    pub fn bucket(&self, label: &str, rules: Option<&RuleTable>) -> BucketCounters {
        self.buckets.prepare(label, rules, &self.rejected)
    }

    /// Who is turned away, as far as there are places: bucket, origin, how often; most often first.
    #[must_use]
    pub fn rejected_origins(&self) -> Vec<(String, String, u64)> {
        self.rejected.top()
    }

    /// The gauge of an upstream.
    #[must_use]
    pub fn upstream_up(&self, upstream: &str) -> IntGauge {
        self.upstream_up.with_label_values(&[upstream])
    }

    /// The rules are live for the first time.
    pub fn rules_started(&self, rules: usize) {
        self.rules_loaded.set(i64::try_from(rules).unwrap_or(i64::MAX));
        self.reload_successful.set(1);
        self.reload_timestamp.set(now());
    }

    /// A reload came to something; `rules` is the number of rules that are live now.
    pub fn reloaded(&self, report: &Report, rules: usize) {
        self.reloads.with_label_values(&[report.outcome.as_str()]).inc();
        self.rules_loaded.set(i64::try_from(rules).unwrap_or(i64::MAX));
        let successful = report.outcome != Outcome::Rejected;
        self.reload_successful.set(successful.into());
        if successful {
            self.reload_timestamp.set(now());
        }
    }

    /// The Prometheus text of this moment.
    ///
    /// # Errors
    /// [`MetricsError`] when a family can not be written.
    pub fn render(&self) -> Result<Vec<u8>, MetricsError> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
