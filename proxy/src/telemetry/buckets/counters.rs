//! The counters of one bucket.

use s3_cors::{CompiledRule, Decision, Outcome, Reason, RequestKind};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// The kinds of request that are decided about.
pub(super) const KINDS: [RequestKind; 2] = [RequestKind::Preflight, RequestKind::Actual];

/// How many results are told apart: a reason has one outcome, but for `none`, which two have.
const RESULTS: usize = Reason::ALL.len() + 1;

/// Decisions by kind and result, in the order of [`KINDS`] and [`results`].
pub(super) type ByResult<T> = [[T; RESULTS]; KINDS.len()];

/// Counts that go on when the rules change.
#[derive(Default)]
struct LastingCounts {
    decisions: ByResult<AtomicU64>,
    signed_reads: AtomicU64,
}

/// The counters of one bucket. Those of the same bucket with other rules go on with the same numbers.
pub(super) struct BucketCounters {
    counted: Arc<LastingCounts>,
    rules: Box<[Arc<CompiledRule>]>,
    /// How often each rule has granted, in the rules' order; made with the first grant, which most of many buckets never see.
    hits: OnceLock<Hits>,
    /// Whether the bucket has series of its own; unknown before its first request.
    is_shown: OnceLock<bool>,
}

type Hits = Box<[Arc<AtomicU64>]>;

impl BucketCounters {
    /// The counters for these rules, after those that the bucket had until now.
    pub(super) fn following(old: Option<&Arc<Self>>, rules: &[Arc<CompiledRule>]) -> Arc<Self> {
        let Some(old) = old else {
            let (counted, hits, is_shown) = (Arc::default(), OnceLock::new(), OnceLock::new());
            return Arc::new(Self { counted, rules: rules.into(), hits, is_shown });
        };
        if old.rules.len() == rules.len() && old.rules.iter().zip(rules).all(|(old, new)| Arc::ptr_eq(old, new)) {
            return Arc::clone(old);
        }
        let hits = old.hits.get().map(|hits| carried(&old.rules, hits, rules));
        let (counted, hits) = (Arc::clone(&old.counted), hits.map_or_else(OnceLock::new, OnceLock::from));
        Arc::new(Self { counted, rules: rules.into(), hits, is_shown: old.is_shown.clone() })
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
        if let Some(counter) = self.decision(decision) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(rule) = decision.rule()
            && let Some(hits) = self.place_of(rule).and_then(|place| self.hits().get(place))
        {
            hits.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a read that is signed here.
    pub(super) fn count_signed_read(&self) {
        self.counted.signed_reads.fetch_add(1, Ordering::Relaxed);
    }

    fn hits(&self) -> &Hits {
        self.hits.get_or_init(|| self.rules.iter().map(|_| Arc::default()).collect())
    }

    fn decision(&self, decision: &Decision) -> Option<&AtomicU64> {
        let kind = KINDS.iter().position(|each| *each == decision.kind)?;
        let is_same_origin = decision.outcome() == Some(Outcome::SameOrigin);
        let result = if is_same_origin { Reason::ALL.len() } else { decision.reason() as usize };
        self.counted.decisions.get(kind)?.get(result)
    }

    /// Where a rule is: at its own place, or wherever one of its name is now.
    fn place_of(&self, rule: &CompiledRule) -> Option<usize> {
        let own = rule.number().saturating_sub(1);
        let is_there = self.rules.get(own).is_some_and(|there| std::ptr::eq(&**there, rule));
        if is_there { Some(own) } else { self.rules.iter().position(|there| there.name() == rule.name()) }
    }

    /// The decisions so far.
    pub(super) fn decisions(&self) -> ByResult<u64> {
        self.counted.decisions.each_ref().map(|counters| counters.each_ref().map(read))
    }

    /// The reads so far that were signed here.
    pub(super) fn signed_reads(&self) -> u64 {
        read(&self.counted.signed_reads)
    }

    /// The rules, each with its name and how often it has granted.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&str, u64)> {
        let hits = self.hits.get();
        let hits = move |place| hits.and_then(|hits| hits.get(place)).map_or(0, |hits: &Arc<AtomicU64>| read(hits));
        self.rules.iter().enumerate().map(move |(place, rule)| (rule.name(), hits(place)))
    }

    /// How often those rules have granted that have no counter there.
    pub(super) fn hits_not_in(&self, next: &Self) -> u64 {
        let next = next.hits.get().map(|hits| &**hits).unwrap_or_default();
        let goes_on = |hits: &Arc<AtomicU64>| next.iter().any(|next| Arc::ptr_eq(next, hits));
        self.hits.get().into_iter().flatten().filter(|hits| !goes_on(hits)).map(|hits| read(hits)).sum()
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// The counters of these rules: a rule goes on where one of its name was, in the order of those that share a name.
fn carried(old_rules: &[Arc<CompiledRule>], old: &Hits, rules: &[Arc<CompiledRule>]) -> Hits {
    let mut by_name: HashMap<&str, Vec<&Arc<AtomicU64>>> = HashMap::new();
    for (rule, hits) in old_rules.iter().zip(old).rev() {
        by_name.entry(rule.name()).or_default().push(hits);
    }
    let last = |rule: &Arc<CompiledRule>| by_name.get_mut(rule.name()).and_then(Vec::pop);
    rules.iter().map(last).map(|hits| hits.map(Arc::clone).unwrap_or_default()).collect()
}

/// Outcome and reason of each result.
pub(super) fn results() -> impl Iterator<Item = (Outcome, Reason)> {
    let by_reason = Reason::ALL.into_iter().map(|reason| (outcome_of(reason), reason));
    by_reason.chain([(Outcome::SameOrigin, Reason::None)])
}

const fn outcome_of(reason: Reason) -> Outcome {
    match reason {
        Reason::None => Outcome::Allowed,
        Reason::NoRules => Outcome::NoRules,
        _ => Outcome::Denied,
    }
}
