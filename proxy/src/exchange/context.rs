//! What is known about one exchange while it lasts.

use super::count::Counted;
use super::forwarding::Chain;
use super::upstream_head::UpstreamId;
use crate::config::BucketHost;
use crate::rules::Bucket;
use crate::s3::identity::RequestId;
use crate::s3::operation::Scope;
use crate::telemetry::ByGet;
use http::StatusCode;
use s3_cors::{Decision, ResourceType};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// One exchange.
pub struct Context {
    pub(super) started: Instant,
    pub(super) id: RequestId,
    /// The rules that the request is judged by, from the one snapshot that it read; `None` before that.
    pub(super) bucket: Option<Arc<Bucket>>,
    pub(super) resource: ResourceType,
    /// The scope that the request's path names; `None` where servers differ about it.
    pub(super) scope: Option<Scope>,
    /// Of a host that is a bucket's name, what is configured.
    pub(super) bucket_host: Option<Arc<BucketHost>>,
    /// The client itself, before all proxies that are believed; port 0 is one that is not known.
    pub(super) client: Option<SocketAddr>,
    /// The version of TLS that the connection with it has.
    pub(super) tls: Option<&'static str>,
    /// Whether the request has lines about those before it.
    pub(super) is_forwarded: bool,
    /// What they say, of a peer that is believed.
    pub(super) chain: Option<Chain>,
    pub(super) decision: Decision,
    upstream_started: Option<Instant>,
    /// The address that the request was last sent to, or was to be.
    pub(super) upstream: Option<SocketAddr>,
    /// What the upstream calls the request, where someone will want to know.
    pub(super) upstream_id: Option<UpstreamId>,
    pub(super) upstream_time: Option<Duration>,
    /// Whether the response may report a failed signature.
    pub(super) may_be_mismatch: bool,
    /// The time of such a response by the upstream's clock.
    pub(super) upstream_clock: Option<SystemTime>,
    /// What came of a presigned HEAD that is asked again as GET; `None` while it is not.
    pub(super) by_get: Option<ByGet>,
    /// Whether the request only asks whether the process is ready.
    pub(super) is_health_check: bool,
    _in_flight: Counted,
}

impl Context {
    pub(super) fn new(in_flight: Counted) -> Self {
        Self {
            started: Instant::now(),
            id: RequestId::random(),
            bucket: None,
            resource: ResourceType::Bucket,
            scope: None,
            bucket_host: None,
            client: None,
            tls: None,
            is_forwarded: false,
            chain: None,
            decision: Decision::not_cors(),
            upstream_started: None,
            upstream: None,
            upstream_id: None,
            upstream_time: None,
            may_be_mismatch: false,
            upstream_clock: None,
            by_get: None,
            is_health_check: false,
            _in_flight: in_flight,
        }
    }

    /// The request is on its way to an upstream's address.
    pub fn sent_upstream(&mut self, address: SocketAddr) {
        self.upstream = Some(address);
        self.upstream_started = Some(Instant::now());
    }

    /// The head of the upstream's response is here: not a 1xx, but the final one.
    pub fn upstream_answered(&mut self, status: StatusCode) {
        self.upstream_time = self.upstream_started.map(|started| started.elapsed());
        // S3 reports a failed signature with 403 only. That of a GET that the client did not ask for is not about its request.
        self.may_be_mismatch = status == StatusCode::FORBIDDEN && self.by_get.is_none();
    }

    /// Notes the time by the upstream's clock, of a response that may report a failed signature.
    pub(super) fn note_clock(&mut self, date: &[u8]) {
        self.upstream_clock = str::from_utf8(date).ok().and_then(|date| httpdate::parse_http_date(date).ok());
    }

    /// Whether the first bytes of the response's body are to be examined.
    #[must_use]
    pub const fn examines_body(&self) -> bool {
        self.may_be_mismatch
    }

    /// What was decided.
    #[must_use]
    pub const fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The bucket's label; empty before the request was judged.
    pub(super) fn label(&self) -> &str {
        self.bucket.as_ref().map_or("", |bucket| &bucket.label)
    }

    pub(super) fn has_rules(&self) -> bool {
        self.bucket.as_ref().is_some_and(|bucket| bucket.rules.is_some())
    }

    /// Names the exchange in replies and logs.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.id.as_str()
    }
}
