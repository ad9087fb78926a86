//! The state that all exchanges share.

use super::asked_upstream::KnownUpstream;
use super::bucket_cors::api::{Api, SignatureCheck, Writing};
use super::count::Count;
use super::forwarding::Forwarding;
use super::grants::GrantKeys;
use super::head::RequestHead;
use super::healing_log::HealingLog;
use super::health::{HealthPaths, WhyNotReady};
use super::known::Known;
use super::log_limiter::LogLimiter;
use super::missing_rules_log::MissingRulesLog;
use super::names::{KnownNames, NamedHost, SignedNames};
use super::peer::ClientPeer;
use super::questions::Healing;
use super::reply_contents::Replies;
use super::shadow::Shadow;
use super::signed_reads::reads::{SignedReads, SigningParts};
use super::uploads::UploadLimits;
use crate::config::{Config, EachUpstream, PresignedHead, Routes, Switch};
use crate::observe::{RecentDenials, RefusedSignatures, Rejections, ShadowDecisions};
use crate::rules::{ShadowRules, Store};
use crate::s3::address::Address;
use crate::s3::bucket_cors::Operation;
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
    pub(super) names: KnownNames,
    pub(super) forwarding: Forwarding,
    pub(super) routes: Routes,
    pub(super) upstreams: EachUpstream<KnownUpstream>,
    pub(super) presigned_head: PresignedHead,
    pub(super) no_vary_search: Switch,
    /// `None` where each request has one question only.
    pub(super) healing: Option<Healing>,
    pub(super) healing_log: HealingLog,
    /// `None` where no upload is limited.
    pub(super) uploads: Option<UploadLimits>,
    /// `None` where strangers read nothing that has to be signed.
    pub(super) reads: Option<SignedReads>,
    pub(super) access_log: Option<AccessLog>,
    pub(super) replies: Replies,
    pub(super) signature_log: LogLimiter,
    pub(super) refused_signatures: Arc<RefusedSignatures>,
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
    /// The signer of reads and the keys of grants; `None` where the proxy signs for no one.
    pub signing: Option<SigningParts>,
}

impl Policy {
    /// Puts the parts together.
    #[must_use]
    pub fn new(config: &Config, parts: Parts) -> Self {
        let Parts { rules, metrics, rejections, recent_denials, access_log, shadow, why_not_ready, signing } = parts;
        let api = Api::of(config);
        if api.is_some() {
            metrics.bucket_cors.prepare(Operation::ALL.map(Operation::as_str));
        }
        Self {
            rules,
            shadow: shadow.map(|(rules, decisions)| Shadow { rules, decisions }),
            rejections,
            recent_denials,
            names: KnownNames::of(config),
            forwarding: Forwarding::of(&config.forwarded),
            routes: config.routes.clone(),
            upstreams: config.upstreams.map(|upstream| KnownUpstream::of(upstream, &metrics)),
            presigned_head: config.presigned.head,
            no_vary_search: config.presigned.no_vary_search,
            healing: Healing::of(config),
            healing_log: HealingLog::default(),
            uploads: UploadLimits::of(&config.uploads),
            reads: SignedReads::of(config, signing),
            access_log,
            replies: Replies::new(config.cors),
            signature_log: LogLimiter::default(),
            refused_signatures: Arc::default(),
            missing_rules_log: MissingRulesLog::default(),
            health: why_not_ready.and_then(|why_not| HealthPaths::of(&config.listen, why_not)),
            api,
            in_flight: Count::default(),
            metrics,
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

    /// The latest requests whose signature was refused.
    #[must_use]
    pub const fn refused_signatures(&self) -> &Arc<RefusedSignatures> {
        &self.refused_signatures
    }

    /// Accepts and makes the tokens of grants with other keys from now on.
    pub fn replace_grant_keys(&self, keys: GrantKeys) {
        if let Some(reads) = &self.reads {
            reads.replace_keys(keys);
        }
    }

    /// Returns the check of each upstream whether it judges signatures; `None` where the CORS of buckets is not served here.
    #[must_use]
    pub fn signature_checks(&self) -> Option<&EachUpstream<SignatureCheck>> {
        self.api.as_ref().map(|api| &api.checks)
    }

    /// Returns the state of writes: the worst of all upstreams; `None` where the CORS of buckets is not served here.
    #[must_use]
    pub fn writing(&self) -> Option<Writing> {
        let each = || self.signature_checks().into_iter().flat_map(EachUpstream::iter).map(SignatureCheck::writing);
        [Writing::Disabled, Writing::Unproven, Writing::Allowed]
            .into_iter()
            .find(|state| each().any(|one| one == *state))
    }

    /// The bucket and the key that a request is for.
    pub(super) fn address<'r>(&self, head: &'r impl RequestHead, host: &'r NamedHost) -> Address<'r> {
        self.names.address(head.host(), host.inner(head.path()), host.get())
    }

    /// The names that a request may have been signed for.
    pub(super) fn signed_names<'r>(&'r self, known: &'r Known) -> &'r SignedNames {
        self.names.signed(known.host.get(), known.asked.index)
    }

    /// The `Host` that the upstream sees; `None`: the client's own, which is part of what the client signs.
    pub(super) fn host_for_upstream<'r>(&'r self, known: &'r Known) -> Option<&'r str> {
        self.signed_names(known).host(known.questions.name())
    }
}
