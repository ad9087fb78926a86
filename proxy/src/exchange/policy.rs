//! The state that all exchanges share.

use super::bucket_cors::api::{Api, SignatureCheck};
use super::count::Count;
use super::forwarding::Forwarding;
use super::head::RequestHead;
use super::health::{HealthPaths, WhyNotReady};
use super::known::Known;
use super::log_limiter::LogLimiter;
use super::missing_rules_log::MissingRulesLog;
use super::peer::ClientPeer;
use super::reply_contents::Replies;
use super::shadow::Shadow;
use crate::config::{BucketHost, BucketHosts, Config, PresignedHead, UpstreamHost};
use crate::observe::{RecentDenials, Rejections, ShadowDecisions};
use crate::rules::{ShadowRules, Store};
use crate::s3::address::Address;
use crate::s3::bucket_cors::Operation;
use crate::s3::domain::Domain;
use crate::telemetry::{AccessLog, Metrics};
use std::net::SocketAddr;
use std::sync::Arc;

/// The settings and the state of all exchanges. One for the process, shared by all drivers.
pub struct Policy {
    pub(super) rules: Arc<Store>,
    pub(super) shadow: Option<Shadow>,
    pub(super) rejections: Arc<Rejections>,
    pub(super) recent_denials: Option<Arc<RecentDenials>>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) domains: Vec<Domain>,
    pub(super) hosts: BucketHosts,
    pub(super) forwarding: Forwarding,
    pub(super) upstream_host: UpstreamHost,
    pub(super) presigned_head: PresignedHead,
    pub(super) access_log: Option<AccessLog>,
    pub(super) replies: Replies,
    pub(super) signature_log: LogLimiter,
    pub(super) missing_rules_log: MissingRulesLog,
    /// `None` where no listener has a health path.
    pub(super) health: Option<HealthPaths>,
    /// `None` where the CORS of buckets is the upstream's alone.
    pub(super) api: Option<Api>,
    in_flight: Count,
}

/// The parts of the process that exchanges ask or tell.
pub struct Parts {
    /// The live rules.
    pub rules: Arc<Store>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Denials by origin.
    pub rejections: Arc<Rejections>,
    /// The last denials; `None` where they are not kept.
    pub recent_denials: Option<Arc<RecentDenials>>,
    /// `None` where no access line is written.
    pub access_log: Option<AccessLog>,
    /// Rules that every decision is compared with, and where a difference is counted.
    pub shadow: Option<(Arc<ShadowRules>, Arc<ShadowDecisions>)>,
    /// Asked by requests for a listener's health path.
    pub why_not_ready: Option<WhyNotReady>,
}

impl Policy {
    /// Puts the parts together.
    #[must_use]
    pub fn new(config: &Config, parts: Parts) -> Self {
        let Parts { rules, metrics, rejections, recent_denials, access_log, shadow, why_not_ready } = parts;
        let api = Api::of(config);
        if api.is_some() {
            metrics.bucket_cors.prepare(Operation::ALL.map(Operation::as_str));
        }
        Self {
            rules,
            shadow: shadow.map(|(rules, decisions)| Shadow { rules, decisions }),
            rejections,
            recent_denials,
            metrics,
            domains: config.domains.clone(),
            hosts: config.hosts.clone(),
            forwarding: Forwarding::of(&config.forwarded),
            upstream_host: config.upstream.host.clone(),
            presigned_head: config.presigned.head,
            access_log,
            replies: Replies::new(config.cors),
            signature_log: LogLimiter::default(),
            missing_rules_log: MissingRulesLog::default(),
            health: why_not_ready.and_then(|why_not| HealthPaths::of(&config.listen, why_not)),
            api,
            in_flight: Count::default(),
        }
    }

    /// The client at this address, where it is known, on a connection to the address that `local` returns. `is_tls`: it spoke TLS, with us
    /// or with the proxy that says so in the PROXY protocol.
    pub fn peer(
        &self,
        address: Option<SocketAddr>,
        is_tls: bool,
        local: impl FnOnce() -> Option<SocketAddr>,
    ) -> ClientPeer {
        let listener = self.health.as_ref().and_then(|health| health.listener_at(local()?));
        self.forwarding.peer(address, is_tls, listener)
    }

    /// Counts the exchanges that have begun and not ended.
    #[must_use]
    pub const fn in_flight(&self) -> &Count {
        &self.in_flight
    }

    /// Returns the check whether upstreams judge signatures; `None` where the CORS of buckets is not served here.
    #[must_use]
    pub fn signature_check(&self) -> Option<&SignatureCheck> {
        self.api.as_ref().map(|api| &api.check)
    }

    /// The bucket and the key that a request is for.
    pub(super) fn address<'r>(&self, head: &'r impl RequestHead, bucket_host: Option<&'r BucketHost>) -> Address<'r> {
        match bucket_host {
            Some(named) => Address::in_bucket(&named.bucket, head.path()),
            None => Address::of(head.host(), head.path(), &self.domains),
        }
    }

    /// The `Host` that the upstream sees; `None`: the client's own, which is part of what the client signs.
    pub(super) fn host_for_upstream<'r>(&'r self, known: &'r Known) -> Option<&'r str> {
        let of_bucket = known.bucket_host.as_ref().map(|named| &named.upstream_host);
        match of_bucket.and_then(Option::as_ref).unwrap_or(&self.upstream_host) {
            UpstreamHost::Preserve => None,
            UpstreamHost::Name(name) => Some(name),
        }
    }
}
