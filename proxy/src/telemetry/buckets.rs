//! Decisions and rule hits: the counters of a bucket are made when its rules are loaded, so that a request only adds to them.

use super::registry::register;
use arc_swap::ArcSwap;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};
use s3_cors::{Decision, Outcome, Reason, RequestKind, RuleTable};
use std::collections::HashMap;
use std::sync::Arc;

/// The kinds of request that are decided about.
const KINDS: [RequestKind; 2] = [RequestKind::Preflight, RequestKind::Actual];

/// The families that have a bucket as label, and the counters of each bucket.
pub struct Buckets {
    decisions: IntCounterVec,
    rule_hits: IntCounterVec,
    counters: ArcSwap<HashMap<Box<str>, Arc<BucketCounters>>>,
}

/// The counters of one bucket.
struct BucketCounters {
    /// By kind and reason; `None` for what cannot happen to this bucket.
    decisions: [[Option<IntCounter>; Reason::ALL.len()]; KINDS.len()],
    /// In the rules' order, each with its name: a request may have been granted by rules that are replaced by now.
    rules: Box<[(Box<str>, IntCounter)]>,
}

impl Buckets {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let decisions =
            Opts::new("s3cors_decisions_total", "CORS decisions, by bucket, kind of request, outcome and reason.");
        let hits = Opts::new("s3cors_rule_hits_total", "Requests that a rule granted, by bucket and rule.");
        Ok(Self {
            decisions: register(registry, IntCounterVec::new(decisions, &["bucket", "kind", "outcome", "reason"])?)?,
            rule_hits: register(registry, IntCounterVec::new(hits, &["bucket", "rule"])?)?,
            counters: ArcSwap::default(),
        })
    }

    /// Makes the counters of these buckets: at 0 where they are new, going on where they are not. Operators decide by the rules
    /// that they write which buckets there are, never a request.
    pub fn prepare<'b>(&self, buckets: impl Iterator<Item = (&'b str, Option<&'b RuleTable>)>) {
        let counters = buckets.map(|(label, rules)| (label.into(), Arc::new(self.bucket(label, rules))));
        self.counters.store(Arc::new(counters.collect()));
    }

    fn bucket(&self, label: &str, rules: Option<&RuleTable>) -> BucketCounters {
        let decision = |kind: RequestKind, reason: Reason| {
            possible(reason, rules.is_some()).then(|| self.decision(label, kind, reason))
        };
        let rules = rules.map(RuleTable::rules).unwrap_or_default();
        BucketCounters {
            decisions: KINDS.map(|kind| Reason::ALL.map(|reason| decision(kind, reason))),
            rules: rules.iter().map(|rule| (rule.name().into(), self.rule(label, rule.name()))).collect(),
        }
    }

    fn decision(&self, label: &str, kind: RequestKind, reason: Reason) -> IntCounter {
        let outcome = outcome_of(reason);
        self.decisions.with_label_values(&[label, kind.as_str(), outcome.as_str(), reason.as_str()])
    }

    fn rule(&self, label: &str, name: &str) -> IntCounter {
        self.rule_hits.with_label_values(&[label, &name.chars().take(MAX_RULE_LABEL).collect::<String>()])
    }

    /// Counts a decision about a request for this bucket; nothing where CORS had no part.
    pub fn count(&self, label: &str, decision: &Decision) {
        if decision.outcome().is_none() {
            return;
        }
        let (kind, reason) = (decision.kind, decision.reason());
        let all = self.counters.load();
        let bucket = all.get(label);
        match bucket.and_then(|bucket| bucket.decision(kind, reason)) {
            Some(counter) => counter.inc(),
            // The bucket's rules were replaced while the request was on its way.
            None => self.decision(label, kind, reason).inc(),
        }
        if let Some(rule) = decision.rule() {
            match bucket.and_then(|bucket| bucket.rule(rule.number(), rule.name())) {
                Some(counter) => counter.inc(),
                None => self.rule(label, rule.name()).inc(),
            }
        }
    }

    /// How often each rule of a bucket has granted, by the rule's name.
    #[must_use]
    pub fn hits(&self, label: &str, rule: &str) -> u64 {
        self.counters.load().get(label).and_then(|bucket| bucket.named(rule)).map_or(0, IntCounter::get)
    }
}

impl BucketCounters {
    /// The counter of a rule: at its place, or wherever its name is now.
    fn rule(&self, number: usize, name: &str) -> Option<&IntCounter> {
        let at = self.rules.get(number.saturating_sub(1)).filter(|(here, _)| **here == *name);
        at.map(|(_, counter)| counter).or_else(|| self.named(name))
    }

    fn named(&self, name: &str) -> Option<&IntCounter> {
        self.rules.iter().find_map(|(here, counter)| (**here == *name).then_some(counter))
    }

    fn decision(&self, kind: RequestKind, reason: Reason) -> Option<&IntCounter> {
        let by_kind =
            KINDS.iter().zip(&self.decisions).find_map(|(each, counters)| (*each == kind).then_some(counters))?;
        Reason::ALL.iter().zip(by_kind).find_map(|(each, counter)| (*each == reason).then_some(counter))?.as_ref()
    }
}

/// The outcome that goes with a reason.
const fn outcome_of(reason: Reason) -> Outcome {
    match reason {
        Reason::None => Outcome::Allowed,
        Reason::NoRules => Outcome::NoRules,
        _ => Outcome::Denied,
    }
}

/// Whether a decision for this reason can happen where there are rules, or where there are none.
fn possible(reason: Reason, has_rules: bool) -> bool {
    match reason {
        Reason::NoRules => !has_rules,
        Reason::Malformed => true,
        _ => has_rules,
    }
}

/// The longest rule ID that is shown as a label, in characters: S3 takes IDs of any length.
const MAX_RULE_LABEL: usize = 128;
