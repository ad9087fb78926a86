//! Decisions and rule hits: the counters of a bucket are made when its rules are loaded, so that a request only adds to them.

use super::registry::register;
use super::rejected::RejectedOrigins;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};
use s3_cors::{Reason, RuleTable, Verdict};
use std::sync::Arc;

/// What was decided about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An OPTIONS request.
    Preflight,
    /// Any other request with an Origin.
    Actual,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Preflight, Self::Actual];

    /// The label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Actual => "actual",
        }
    }
}

/// What was decided, as labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A rule grants it.
    Allowed,
    /// No rule does, or it can not be judged.
    Denied(Reason),
}

impl Decision {
    const ALL: [Self; 6] = [
        Self::Allowed,
        Self::Denied(Reason::Origin),
        Self::Denied(Reason::Method),
        Self::Denied(Reason::Header),
        Self::Denied(Reason::NoRules),
        Self::Denied(Reason::Malformed),
    ];

    /// The decision of a verdict; `None` where CORS had no part.
    #[must_use]
    pub const fn of(verdict: &Verdict) -> Option<Self> {
        match verdict {
            Verdict::NotCors => None,
            Verdict::Granted(_) => Some(Self::Allowed),
            Verdict::Denied(denial) => Some(Self::Denied(denial.reason())),
        }
    }

    /// The label `outcome`.
    #[must_use]
    pub const fn outcome(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied(Reason::NoRules) => "no_rules",
            Self::Denied(_) => "denied",
        }
    }

    /// The label `reason`.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Allowed => "none",
            Self::Denied(reason) => reason.as_str(),
        }
    }

    /// Whether this can happen where there are rules, or where there are none.
    fn possible(self, has_rules: bool) -> bool {
        match self {
            Self::Denied(Reason::NoRules) => !has_rules,
            Self::Denied(Reason::Malformed) => true,
            _ => has_rules,
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Allowed => 0,
            Self::Denied(Reason::Origin) => 1,
            Self::Denied(Reason::Method) => 2,
            Self::Denied(Reason::Header) => 3,
            Self::Denied(Reason::NoRules) => 4,
            Self::Denied(Reason::Malformed) => 5,
        }
    }
}

/// The families that have a bucket as label.
#[derive(Clone)]
pub(super) struct BucketFamilies {
    decisions: IntCounterVec,
    rule_hits: IntCounterVec,
}

impl BucketFamilies {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            decisions: register(
                registry,
                IntCounterVec::new(
                    Opts::new(
                        "s3cors_decisions_total",
                        "CORS decisions, by bucket, kind of request, outcome and reason.",
                    ),
                    &["bucket", "kind", "outcome", "reason"],
                )?,
            )?,
            rule_hits: register(
                registry,
                IntCounterVec::new(
                    Opts::new("s3cors_rule_hits_total", "Requests that a rule granted, by bucket and rule."),
                    &["bucket", "rule"],
                )?,
            )?,
        })
    }

    /// The counters of a bucket with these rules, at 0 where they are new. Which buckets there are, operators decide by the
    /// rules that they write, never a request.
    pub(super) fn prepare(
        &self,
        label: &str,
        rules: Option<&RuleTable>,
        rejected: &Arc<RejectedOrigins>,
    ) -> BucketCounters {
        let decision = |kind: Kind, decision: Decision| {
            decision.possible(rules.is_some()).then(|| {
                self.decisions.with_label_values(&[label, kind.as_str(), decision.outcome(), decision.reason()])
            })
        };
        let rules = rules.map(RuleTable::rules).unwrap_or_default();
        BucketCounters {
            label: label.into(),
            rejected: Arc::clone(rejected),
            rejected_other: rejected.other(label),
            decisions: Kind::ALL.map(|kind| Decision::ALL.map(|each| decision(kind, each))),
            rules: rules
                .iter()
                .map(|rule| self.rule_hits.with_label_values(&[label, &rule_label(&rule.name())]))
                .collect(),
        }
    }
}

/// The longest rule ID that is shown as a label, in characters: S3 takes IDs of any length.
const MAX_RULE_LABEL: usize = 128;

fn rule_label(name: &str) -> String {
    name.chars().take(MAX_RULE_LABEL).collect()
}

/// The counters of one bucket.
pub struct BucketCounters {
    label: Box<str>,
    decisions: [[Option<IntCounter>; 6]; 2],
    rules: Box<[IntCounter]>,
    rejected: Arc<RejectedOrigins>,
    rejected_other: IntCounter,
}

impl BucketCounters {
    /// Counts a verdict on a request with this Origin; nothing where CORS had no part.
    pub fn count(&self, kind: Kind, verdict: &Verdict, origin: Option<&[u8]>) {
        let Some(decision) = Decision::of(verdict) else { return };
        let of_kind = self.decisions.get(kind as usize);
        if let Some(Some(counter)) = of_kind.and_then(|counters| counters.get(decision.index())) {
            counter.inc();
        }
        match (verdict, decision) {
            (Verdict::Granted(grant), _) => {
                if let Some(hits) = self.rules.get(grant.rule().number() - 1) {
                    hits.inc();
                }
            }
            // Where there are no rules nobody is turned away by them.
            (_, Decision::Denied(Reason::NoRules)) => {}
            _ => self.rejected.count(&self.label, &self.rejected_other, origin),
        }
    }
}
