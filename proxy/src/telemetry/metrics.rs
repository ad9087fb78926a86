//! Every metric of the process, in a registry of its own.

use super::bucket_cors::BucketCorsCounters;
use super::buckets::Buckets;
use super::exported::Exported;
use super::grants::GrantCounters;
use super::http::HttpCounters;
use super::registry::register;
use super::signatures::SignatureCounters;
use super::uploads::UploadCounters;
use super::upstreams::UpstreamCounters;
use prometheus::{Encoder, Gauge, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A metric could not be registered or written: a fault of this program.
#[derive(Debug, thiserror::Error)]
#[error("metrics: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// The label of a reload's outcome, and whether everything that was read was valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadOutcome {
    /// The label.
    pub label: &'static str,
    /// Whether nothing was rejected.
    pub is_successful: bool,
}

/// All metrics.
pub struct Metrics {
    registry: Registry,
    /// Requests, bytes and times.
    pub http: HttpCounters,
    /// Signatures that an upstream rejects.
    pub signatures: SignatureCounters,
    /// Requests for the CORS of a bucket.
    pub bucket_cors: BucketCorsCounters,
    /// Uploads that a limit refuses.
    pub uploads: UploadCounters,
    /// Responses of each upstream, and fallbacks.
    pub upstreams: UpstreamCounters,
    /// Folders that playlists open.
    pub grants: GrantCounters,
    /// Decisions, rule hits and reads that are signed here.
    pub buckets: Arc<Buckets>,
    reload_successful: IntGauge,
    reload_timestamp: Gauge,
    rules_loaded: IntGauge,
    reloads: IntCounterVec,
}

impl Metrics {
    /// Registers everything, known label sets at 0. So many buckets may have series of their own.
    ///
    /// # Errors
    /// [`MetricsError`] when a name is taken or not valid.
    pub fn new(buckets: usize) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        build_info(&registry)?;
        let buckets = Arc::new(Buckets::new(buckets));
        for family in buckets.families() {
            registry.register(Box::new(family?))?;
        }
        let gauge = |name, help| -> prometheus::Result<_> { register(&registry, IntGauge::new(name, help)?) };
        Ok(Self {
            http: HttpCounters::new(&registry)?,
            signatures: SignatureCounters::new(&registry)?,
            bucket_cors: BucketCorsCounters::new(&registry)?,
            uploads: UploadCounters::new(&registry)?,
            upstreams: UpstreamCounters::new(&registry)?,
            grants: GrantCounters::new(&registry)?,
            buckets,
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
        })
    }

    /// Adds a family whose state someone else owns.
    ///
    /// # Errors
    /// [`MetricsError`] when its name is taken.
    pub fn export(&self, exported: prometheus::Result<Exported>) -> Result<(), MetricsError> {
        Ok(self.registry.register(Box::new(exported?))?)
    }

    /// The rules are live for the first time; `outcomes` are the labels that reloads can have.
    pub fn rules_started(&self, rules: usize, outcomes: impl IntoIterator<Item = &'static str>) {
        for label in outcomes {
            let _ = self.reloads.with_label_values(&[label]);
        }
        self.set_rules(rules, true);
    }

    /// A reload has ended; `rules` is the number of rules that are live now.
    pub fn reloaded(&self, outcome: ReloadOutcome, rules: usize) {
        self.reloads.with_label_values(&[outcome.label]).inc();
        self.set_rules(rules, outcome.is_successful);
    }

    fn set_rules(&self, rules: usize, is_successful: bool) {
        self.rules_loaded.set(i64::try_from(rules).unwrap_or(i64::MAX));
        self.reload_successful.set(is_successful.into());
        if is_successful {
            self.reload_timestamp.set(now());
        }
    }

    /// The Prometheus text of this moment.
    ///
    /// # Errors
    /// [`MetricsError`] when a family cannot be written.
    pub fn render(&self) -> Result<Vec<u8>, MetricsError> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

fn build_info(registry: &Registry) -> prometheus::Result<()> {
    let labels = ["version", "revision", "rustc"];
    let family = IntGaugeVec::new(Opts::new("s3cors_build_info", "The running build; always 1."), &labels)?;
    let values = [env!("CARGO_PKG_VERSION"), env!("S3CORS_REVISION"), env!("S3CORS_RUSTC")];
    register(registry, family)?.with_label_values(&values).set(1);
    Ok(())
}

/// Seconds since 1970; 0 where the clock is before that.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
