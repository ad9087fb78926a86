//! One exchange: a request and its response (RFC 9110 §3.4), and everything that is decided about it.
//!
//! Decides: which rules apply, whether the proxy answers itself, what the upstream and the client see of each other's heads, what
//! a failure looks like, what is counted and logged. Must not know: sessions, sockets, or the library that moves the bytes. A driver
//! asks at the fixed points of a request's life: [`judge`](Exchange::judge), [`response_additions`](Exchange::response_additions) or
//! [`fail`](Exchange::fail), and at the end [`record`](Exchange::record).

mod bucket_cors;
mod connection_options;
mod context;
mod count;
mod failure;
mod forwarding;
mod head;
mod health;
mod peer;
mod presigned_head;
mod record;
mod reply;
mod request;
mod response;
mod shadow;
mod short_text;
mod signature_cause;
mod signature_mismatch;
mod upstream_head;

pub use bucket_cors::{
    AfterConfirmation, AfterUpstream, BucketCors, Confirmed, ConfirmedWrite, ForgedRequest, Response, Unconfirmed,
    Writing,
};
pub use context::Context;
pub use count::{Count, Counted};
pub use failure::Failure;
pub use head::RequestHead;
pub use peer::Peer;
pub use presigned_head::{AsHead, Whole};
pub use record::{CLIENT_GONE, Ended};
pub use reply::{Refusal, Reply};
pub use request::{RequestEdits, may_be_in_host};
pub use response::{Additions, is_removed};

pub use crate::s3::placed_signature::{PlacedSignature, SignaturePlace};

use crate::config::{BucketHosts, Config, Cors, Forwarded, PresignedHead, UpstreamHost};
use crate::observe::{RecentDenials, Rejections, ShadowDecisions};
use crate::rules::{ShadowRules, Store};
use crate::s3::bucket_cors::Operation;
use crate::s3::domain::Domain;
use crate::s3::identity::HostId;
use crate::telemetry::{AccessLog, Metrics};
use bucket_cors::Api;
use health::HealthPaths;
use shadow::Shadow;
use signature_mismatch::LogLimiter;
use std::sync::Arc;

/// What every exchange needs. One for the process, shared by all drivers.
pub struct Exchange {
    rules: Arc<Store>,
    /// `None` without shadow rules.
    shadow: Option<Shadow>,
    rejections: Arc<Rejections>,
    /// `None` where denials are not kept.
    recent_denials: Option<Arc<RecentDenials>>,
    metrics: Arc<Metrics>,
    domains: Vec<Domain>,
    hosts: BucketHosts,
    forwarded: Forwarded,
    cors: Cors,
    upstream_host: UpstreamHost,
    presigned_head: PresignedHead,
    access_log: Option<AccessLog>,
    host_id: HostId,
    signature_log: LogLimiter,
    in_flight: Count,
    /// `None` where no listener has a health path.
    health: Option<HealthPaths>,
    /// `None` where the CORS of buckets is the upstream's alone.
    api: Option<Api>,
}

impl Exchange {
    /// Puts the parts together.
    #[must_use]
    pub fn new(config: &Config, rules: Arc<Store>, rejections: Arc<Rejections>, metrics: Arc<Metrics>) -> Self {
        let api = Api::of(config);
        if api.is_some() {
            metrics.bucket_cors.prepare(Operation::ALL.map(Operation::as_str));
        }
        Self {
            rules,
            shadow: None,
            rejections,
            recent_denials: None,
            metrics,
            domains: config.domains.clone(),
            hosts: config.hosts.clone(),
            forwarded: config.forwarded.clone(),
            cors: config.cors,
            upstream_host: config.upstream_host.clone(),
            presigned_head: config.presigned.head,
            access_log: None,
            host_id: HostId::random(),
            signature_log: LogLimiter::default(),
            in_flight: Count::default(),
            health: None,
            api,
        }
    }

    /// Writes an access line for each exchange from now on, if there is a log for it.
    #[must_use]
    pub fn with_access_log(self, access_log: Option<AccessLog>) -> Self {
        Self { access_log, ..self }
    }

    /// Keeps denials from now on.
    #[must_use]
    pub fn with_recent_denials(self, recent: Arc<RecentDenials>) -> Self {
        Self { recent_denials: Some(recent), ..self }
    }

    /// Compares every decision from now on with that of these rules.
    #[must_use]
    pub fn with_shadow(self, rules: Arc<ShadowRules>, decisions: Arc<ShadowDecisions>) -> Self {
        Self { shadow: Some(Shadow { rules, decisions }), ..self }
    }

    /// Begins an exchange.
    #[must_use]
    pub fn begin(&self) -> Context {
        Context::new(self.in_flight.enter())
    }

    /// How many exchanges have begun and not ended.
    #[must_use]
    pub fn in_flight(&self) -> &Count {
        &self.in_flight
    }
}
