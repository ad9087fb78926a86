//! Why a request is or is not granted, rule by rule, by the very checks that decide it.

use crate::compile::{CompiledRule, RuleTable};
use crate::denial::{Clause, Denial};
use crate::evaluate::{Asked, Verdict, evaluate};
use http::{HeaderMap, Method};

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

/// What one rule says to a request: each clause for itself, though S3 stops at the first that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The first clause that fails, in S3's order; `None` is a match.
    #[must_use]
    pub fn blamed(&self) -> Option<Clause> {
        [(&self.origin, Clause::Origin), (&self.method, Clause::Method), (&self.headers, Clause::Header)]
            .into_iter()
            .find_map(|(finding, clause)| (!finding.holds()).then_some(clause))
    }

    fn failed(&self) -> usize {
        [&self.origin, &self.method, &self.headers].into_iter().filter(|finding| !finding.holds()).count()
    }
}

/// The verdict and how it came about.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// What [`evaluate`] says.
    pub verdict: Verdict,
    /// Every rule's finding, in document order; empty where no rule was asked.
    pub rules: Vec<RuleFinding>,
}

impl Explanation {
    /// Of a denial, the rule to change: the one with the fewest clauses that fail, the first of them.
    #[must_use]
    pub fn nearest(&self) -> Option<&RuleFinding> {
        let denied = matches!(self.verdict, Verdict::Denied(Denial::Refused(_)));
        denied.then(|| self.rules.iter().min_by_key(|rule| rule.failed())).flatten()
    }
}

/// Explains what [`evaluate`] says to the same arguments.
#[must_use]
pub fn explain(rules: Option<&RuleTable>, method: &Method, headers: &HeaderMap) -> Explanation {
    let verdict = evaluate(rules, method, headers);
    let findings = match (rules, Asked::read(method, headers)) {
        (Some(table), Ok(asked)) => table.rules().iter().map(|rule| finding(rule, &asked)).collect(),
        _ => Vec::new(),
    };
    Explanation { verdict, rules: findings }
}

fn finding(rule: &CompiledRule, asked: &Asked<'_>) -> RuleFinding {
    let holds = |holds: bool| if holds { ClauseFinding::Holds } else { ClauseFinding::Fails(Vec::new()) };
    let refused: Vec<_> =
        asked.headers.iter().filter(|name| !rule.allows_header(name)).take(MAX_NAMED).map(str::to_owned).collect();
    RuleFinding {
        number: rule.number(),
        id: rule.id().map(str::to_owned),
        origin: holds(asked.origin.is_some_and(|origin| rule.allows_origin(origin.as_bytes()))),
        method: holds(rule.allows_method(asked.method)),
        headers: if refused.is_empty() && !asked.headers.is_too_long() {
            ClauseFinding::Holds
        } else {
            ClauseFinding::Fails(refused)
        },
    }
}
