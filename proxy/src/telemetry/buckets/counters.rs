//! The counters of one bucket.

use s3_cors::{CompiledRule, Decision, Outcome, Reason, RequestKind};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The kinds of request that are decided about.
pub(super) const KINDS: [RequestKind; 2] = [RequestKind::Preflight, RequestKind::Actual];

/// Decisions by kind and reason, in the order of [`KINDS`] and [`Reason::ALL`].
pub(super) type ByReason<T> = [[T; Reason::ALL.len()]; KINDS.len()];

/// The counters of one bucket. Those of the same bucket with other rules go on with the same numbers.
pub(super) struct BucketCounters {
    decisions: Arc<ByReason<AtomicU64>>,
    /// In the rules' order.
    rules: Box<[RuleCounter]>,
    /// Whether the bucket has series of its own; unknown before its first request.
    is_shown: OnceLock<bool>,
}

/// How often a rule has granted.
pub(super) struct RuleCounter {
    rule: Arc<CompiledRule>,
    hits: Arc<AtomicU64>,
}

impl BucketCounters {
    /// The counters for these rules, after those that the bucket had until now.
    pub(super) fn following(old: Option<&Arc<Self>>, rules: &[Arc<CompiledRule>]) -> Arc<Self> {
        let Some(old) = old else {
            let rules = rules.iter().map(|rule| RuleCounter { rule: Arc::clone(rule), hits: Arc::default() });
            return Arc::new(Self { decisions: Arc::default(), rules: rules.collect(), is_shown: OnceLock::new() });
        };
        let is_same = |(old, new): (&RuleCounter, &Arc<CompiledRule>)| Arc::ptr_eq(&old.rule, new);
        if old.rules.len() == rules.len() && old.rules.iter().zip(rules).all(is_same) {
            return Arc::clone(old);
        }
        // A rule goes on where one of its name was, in the order of those that share a name.
        let mut hits: HashMap<&str, Vec<&Arc<AtomicU64>>> = HashMap::new();
        old.rules.iter().rev().for_each(|counter| hits.entry(counter.rule.name()).or_default().push(&counter.hits));
        let rules = rules.iter().map(|rule| {
            let last = hits.get_mut(rule.name()).and_then(Vec::pop);
            RuleCounter { rule: Arc::clone(rule), hits: last.map(Arc::clone).unwrap_or_default() }
        });
        let rules = rules.collect();
        Arc::new(Self { decisions: Arc::clone(&old.decisions), rules, is_shown: old.is_shown.clone() })
    }

    pub(super) fn is_shown(&self) -> Option<bool> {
        self.is_shown.get().copied()
    }

    /// Says whether the bucket has series of its own; returns whether that was not said before.
    pub(super) fn show(&self, is_shown: bool) -> bool {
        self.is_shown.set(is_shown).is_ok()
    }

    pub(super) const fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Counts a decision.
    pub(super) fn count(&self, decision: &Decision) {
        if let Some(counter) = self.decision(decision.kind, decision.reason()) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(hits) = decision.rule().and_then(|rule| self.hits_of(rule)) {
            hits.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn decision(&self, kind: RequestKind, reason: Reason) -> Option<&AtomicU64> {
        let (kind, reason) = (KINDS.iter().position(|each| *each == kind)?, reason as usize);
        self.decisions.get(kind)?.get(reason)
    }

    /// The counter of a rule: at its place, or wherever a rule of its name is now.
    fn hits_of(&self, rule: &CompiledRule) -> Option<&AtomicU64> {
        let at = self.rules.get(rule.number().saturating_sub(1));
        let found = at.filter(|counter| std::ptr::eq(&*counter.rule, rule));
        let found = found.or_else(|| self.rules.iter().find(|counter| counter.rule.name() == rule.name()))?;
        Some(&found.hits)
    }

    /// The decisions so far.
    pub(super) fn decisions(&self) -> ByReason<u64> {
        let read = |counters: &[AtomicU64; Reason::ALL.len()]| {
            counters.each_ref().map(|counter| counter.load(Ordering::Relaxed))
        };
        self.decisions.each_ref().map(read)
    }

    /// The rules, each with its name and how often it has granted.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&str, u64)> {
        self.rules.iter().map(|counter| (counter.rule.name(), counter.hits.load(Ordering::Relaxed)))
    }

    /// How often those rules have granted that have no counter there.
    pub(super) fn hits_not_in(&self, next: &Self) -> u64 {
        let goes_on = |hits: &Arc<AtomicU64>| next.rules.iter().any(|counter| Arc::ptr_eq(&counter.hits, hits));
        self.rules
            .iter()
            .filter(|counter| !goes_on(&counter.hits))
            .map(|counter| counter.hits.load(Ordering::Relaxed))
            .sum()
    }
}

/// The outcome that goes with a reason.
pub(super) const fn outcome_of(reason: Reason) -> Outcome {
    match reason {
        Reason::None => Outcome::Allowed,
        Reason::NoRules => Outcome::NoRules,
        _ => Outcome::Denied,
    }
}
