//! What is known about one request while it lasts.

use super::counted::Counted;
use crate::rules::Bucket;
use crate::s3::identity::RequestId;
use crate::telemetry::BucketCounters;
use crate::upstream::InFlight;
use prometheus::IntGauge;
use s3_cors::{RequestKind, ResourceType, Verdict};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One request.
pub struct Context {
    pub(super) started: Instant,
    /// The rules that this request is judged by, from the one snapshot that it read; `None` before that.
    pub(super) bucket: Option<Arc<Bucket<BucketCounters>>>,
    pub(super) kind: RequestKind,
    pub(super) resource: ResourceType,
    pub(super) verdict: Verdict,
    /// The client's wish for its connection, in seconds; `None` is close.
    pub(super) keepalive: Option<u64>,
    /// Whose turn it is among the upstreams; `None` before the first was chosen.
    pub(super) turn: Option<usize>,
    /// How many upstreams could not be connected to.
    pub(super) unreachable: usize,
    pub(super) upstream_started: Option<Instant>,
    pub(super) upstream_time: Option<Duration>,
    /// The peer that has the request, or had it.
    pub(super) upstream: Option<InFlight>,
    /// Whether the first bytes of the answer's body are to be looked at for S3's code of a signature that does not match.
    pub(super) may_be_mismatch: bool,
    pub(super) id: RequestId,
    _in_flight: Counted,
}

impl Context {
    pub(super) fn new(in_flight: &IntGauge) -> Self {
        Self {
            started: Instant::now(),
            bucket: None,
            kind: RequestKind::NoOrigin,
            resource: ResourceType::Bucket,
            verdict: Verdict::NotCors,
            keepalive: None,
            turn: None,
            unreachable: 0,
            upstream_started: None,
            upstream_time: None,
            upstream: None,
            may_be_mismatch: false,
            id: RequestId::random(),
            _in_flight: Counted::new(in_flight),
        }
    }

    /// The head of the upstream's answer is here.
    pub(super) fn upstream_answered(&mut self) {
        self.upstream_time = self.upstream_started.map(|started| started.elapsed());
    }

    pub(super) fn has_rules(&self) -> bool {
        self.bucket.as_ref().is_some_and(|bucket| bucket.rules.is_some())
    }
}
