//! Why a request is or is not granted, rule by rule, by the very checks that decide it.

use super::asked::Asked;
use super::denial::Denial;
use super::evaluate::Question;
use super::request::CorsRequest;
use super::table::{CompiledRule, RuleTable};
use super::verdict::{Decision, Verdict};
use super::vocabulary::Clause;

/// What one clause of a rule says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClauseFinding {
    /// It holds.
    Holds,
    /// It does not; for the headers, these names are not allowed (at most [`MAX_NAMED`] of them are listed).
    Fails(Vec<String>),
}

/// The most header names that a finding lists.
pub const MAX_NAMED: usize = 32;

impl ClauseFinding {
    /// Whether the clause holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        matches!(self, Self::Holds)
    }
}

/// What one rule says to a request: each clause by itself, though S3 stops at the first that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleFinding {
    /// The rule's place in the document, from 1.
    pub number: usize,
    /// The rule's ID, if it has one.
    pub id: Option<String>,
    /// `AllowedOrigin`
    pub origin: ClauseFinding,
    /// `AllowedMethod`
    pub method: ClauseFinding,
    /// `AllowedHeader`
    pub headers: ClauseFinding,
}

impl RuleFinding {
    /// The finding on one clause.
    #[must_use]
    pub const fn clause(&self, clause: Clause) -> &ClauseFinding {
        match clause {
            Clause::Origin => &self.origin,
            Clause::Method => &self.method,
            Clause::Header => &self.headers,
        }
    }

    /// The first clause that fails, in S3's order; `None` is a match.
    #[must_use]
    pub fn blamed(&self) -> Option<Clause> {
        self.failed().next()
    }

    fn failed(&self) -> impl Iterator<Item = Clause> {
        Clause::ALL.into_iter().filter(|clause| !self.clause(*clause).holds())
    }

    fn new(rule: &CompiledRule, allows_origin: bool, asked: &Asked<'_>) -> Self {
        let terms = &rule.terms;
        let finding = |holds: bool, names| if holds { ClauseFinding::Holds } else { ClauseFinding::Fails(names) };
        let refused_headers = terms.refused_headers(asked).take(MAX_NAMED).map(shown).collect();
        Self {
            number: rule.number(),
            id: rule.id().map(str::to_owned),
            origin: finding(allows_origin, Vec::new()),
            method: finding(terms.allows_method(asked.method), Vec::new()),
            headers: finding(terms.allows_headers(asked), refused_headers),
        }
    }
}

/// A name that was asked for, as S3 repeats it.
fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).to_ascii_lowercase()
}

/// A decision and how it came about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// What [`evaluate`](super::evaluate::evaluate) returns.
    pub decision: Decision,
    /// Every rule's finding, in document order; empty where no rule was asked.
    pub rules: Vec<RuleFinding>,
}

impl Explanation {
    /// Of a denial, the rule to change: the one with the fewest clauses that fail, the first of them.
    #[must_use]
    pub fn nearest(&self) -> Option<&RuleFinding> {
        let refused = matches!(self.decision.verdict, Verdict::Denied(Denial::Refused { .. }));
        refused.then(|| self.rules.iter().min_by_key(|rule| rule.failed().count())).flatten()
    }
}

/// Explains what [`evaluate`](super::evaluate::evaluate) returns for the same arguments.
#[must_use]
pub fn explain(rules: Option<&RuleTable>, request: &CorsRequest<'_>) -> Explanation {
    match Question::read(rules, request) {
        Question::Closed(decision) => Explanation { decision, rules: Vec::new() },
        Question::Open(open) => Explanation {
            rules: (open.rules.rules().iter().enumerate())
                .map(|(place, rule)| RuleFinding::new(rule, open.near.contains(place), &open.asked))
                .collect(),
            decision: open.decide(request),
        },
    }
}
