//! Operations on the CORS of buckets, by what they came to.

use super::registry::register;
use prometheus::{IntCounterVec, Opts, Registry};

/// What an operation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationResult {
    /// The proxy served it from its rules.
    Served,
    /// The client got the upstream's response.
    Relayed,
    /// The proxy rejected it.
    Rejected,
    /// It could not be carried out.
    Failed,
}

names!(OperationResult: Served = "served", Relayed = "relayed", Rejected = "rejected", Failed = "failed");

/// The counters.
pub struct BucketCorsCounters(IntCounterVec);

impl BucketCorsCounters {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let options = Opts::new(
            "s3cors_bucket_cors_requests_total",
            "Requests for the CORS of a bucket with rules.api on, by what they came to.",
        );
        Ok(Self(register(registry, IntCounterVec::new(options, &["operation", "result"])?)?))
    }

    /// Makes the series of these operations.
    pub fn prepare(&self, operations: impl IntoIterator<Item = &'static str>) {
        for operation in operations {
            for result in OperationResult::ALL {
                let _ = self.0.with_label_values(&[operation, result.as_str()]);
            }
        }
    }

    /// Counts a request.
    pub fn count(&self, operation: &'static str, result: OperationResult) {
        self.0.with_label_values(&[operation, result.as_str()]).inc();
    }
}
