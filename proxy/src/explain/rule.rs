//! What one rule says, clause by clause.
//!
//! Decides: which of the engine's findings are told of a rule, and in which words.

use s3_cors::{Clause, ClauseFinding, HeaderFinding, RuleFinding, RuleInspection, Taken};
use serde::{Serialize, Serializer};

/// What one rule says.
#[derive(Clone, Debug, Serialize)]
pub struct RuleExplained {
    /// The rule, from 1.
    pub rule: usize,
    /// Its ID.
    pub id: Option<String>,
    /// Whether every clause holds.
    pub matches: bool,
    /// Whether `AllowedOrigin` holds.
    pub origin: bool,
    /// Whether `AllowedMethod` holds.
    pub method: bool,
    /// Whether `AllowedHeader` holds.
    pub headers: bool,
    /// The headers that it does not allow.
    pub refused_headers: Vec<String>,
    /// The first clause that fails: S3 looks no further.
    #[serde(serialize_with = "name_if_any")]
    pub failed: Option<Clause>,
    /// Where the origin stops matching the nearest `AllowedOrigin`.
    pub origin_difference: Option<Difference>,
    /// Why the method is not allowed.
    pub method_difference: Option<Difference>,
    /// Each header that was asked for.
    pub asked_headers: Vec<HeaderExplained>,
    /// Of a rule that allows the request, the earlier one that is taken, from 1.
    pub taken_by: Option<usize>,
    /// What it would grant otherwise than the rule that is taken.
    pub taken_differences: Vec<String>,
    /// The earlier rules that together take every request that it allows, from 1: no request reaches it.
    pub never_reached: Vec<usize>,
    /// All of this in sentences.
    pub why: Vec<String>,
}

/// Why a clause fails.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// Its name: `scheme`, `port`, `case`, ….
    pub kind: &'static str,
    /// In words.
    pub message: String,
}

/// What a rule says to one header.
#[derive(Clone, Debug, Serialize)]
pub struct HeaderExplained {
    /// The name, in lower case.
    pub name: String,
    /// The `AllowedHeader` that allows it.
    pub allowed_by: Option<String>,
    /// Of one that is not allowed, the `AllowedHeader` that is nearly the same name.
    pub near: Option<String>,
}

impl RuleExplained {
    /// The inspection is there where the rules can be read as a document.
    pub(super) fn new(finding: &RuleFinding, inspection: Option<&RuleInspection>, asked_method: &str) -> Self {
        let refused_headers = match &finding.headers {
            ClauseFinding::Holds => Vec::new(),
            ClauseFinding::Fails(names) => names.clone(),
        };
        let mut rule = Self {
            rule: finding.number,
            id: finding.id.clone(),
            matches: finding.blamed().is_none(),
            origin: finding.origin.holds(),
            method: finding.method.holds(),
            headers: finding.headers.holds(),
            refused_headers,
            failed: finding.blamed(),
            origin_difference: None,
            method_difference: None,
            asked_headers: Vec::new(),
            taken_by: None,
            taken_differences: Vec::new(),
            never_reached: Vec::new(),
            why: Vec::new(),
        };
        if let Some(inspection) = inspection {
            rule.add(inspection, asked_method);
        }
        rule
    }

    fn add(&mut self, inspection: &RuleInspection, asked_method: &str) {
        let of_rule = |message: String| format!("rule {} {message}", inspection.number);
        self.origin_difference = inspection
            .origin
            .as_ref()
            .map(|origin| Difference { kind: origin.why.as_str(), message: of_rule(origin.message()) });
        self.method_difference = inspection
            .method
            .as_ref()
            .map(|method| Difference { kind: method.as_str(), message: of_rule(method.message(asked_method)) });
        self.asked_headers = inspection.headers.iter().map(HeaderExplained::new).collect();
        self.taken_by = inspection.taken_by.as_ref().map(|taken| taken.rule);
        self.taken_differences = inspection.taken_by.iter().flat_map(differences).collect();
        self.never_reached.clone_from(&inspection.never_reached);
        let clauses = self.origin_difference.iter().chain(&self.method_difference);
        self.why = clauses.map(|difference| difference.message.clone()).collect();
        self.why.extend(headers(&inspection.headers).map(of_rule));
        self.why.extend(inspection.taken_by.as_ref().map(taken).map(of_rule));
        self.why.extend(unreached(&self.never_reached).map(of_rule));
    }

    /// The sentences for people: where a clause fails S3 looks no further, and neither does a reader.
    pub(super) fn shown(&self) -> impl Iterator<Item = &str> {
        let (origin, method) = (self.origin_difference.as_ref(), self.method_difference.as_ref());
        let first = origin.or(method).map(|difference| difference.message.as_str());
        let others = self.why.iter().skip(usize::from(origin.is_some()) + usize::from(method.is_some()));
        let others = others.map(String::as_str).filter(move |_| first.is_none());
        let unreached =
            self.why.last().map(String::as_str).filter(|_| first.is_some() && !self.never_reached.is_empty());
        first.into_iter().chain(others).chain(unreached)
    }
}

impl HeaderExplained {
    fn new(header: &HeaderFinding) -> Self {
        Self {
            name: header.name.clone(),
            allowed_by: header.allowed_by.as_ref().map(ToString::to_string),
            near: header.near.as_ref().map(ToString::to_string),
        }
    }
}

/// The headers that are allowed in one sentence, and each other one in its own.
fn headers(headers: &[HeaderFinding]) -> impl Iterator<Item = String> {
    let allowed = headers.iter().filter_map(|header| {
        let pattern = header.allowed_by.as_ref()?.as_str();
        let name = &header.name;
        Some(if pattern.eq_ignore_ascii_case(name) { name.clone() } else { format!("{name} (by {pattern})") })
    });
    let allowed: Vec<_> = allowed.collect();
    let allowed = (!allowed.is_empty()).then(|| format!("allows the headers {}", allowed.join(", ")));
    let refused = headers.iter().filter(|header| header.allowed_by.is_none());
    let refused: Vec<_> = refused.take(s3_cors::MAX_NAMED).map(HeaderFinding::message).collect();
    allowed.into_iter().chain(refused)
}

fn differences(taken: &Taken) -> impl Iterator<Item = String> {
    let rule = taken.rule;
    let said = taken.differences.iter();
    said.map(move |it| format!("{}: {}; by rule {rule}: {}", it.header, it.later, it.taken))
}

fn taken(taken: &Taken) -> String {
    let grants: Vec<_> = differences(taken).collect();
    let otherwise = if grants.is_empty() { "the same".to_owned() } else { grants.join("; ") };
    format!("allows it too, but rule {} is taken: S3 takes the first. It would grant {otherwise}", taken.rule)
}

fn unreached(earlier: &[usize]) -> Option<String> {
    let numbers: Vec<_> = earlier.iter().map(usize::to_string).collect();
    match earlier {
        [] => None,
        [earlier] => Some(format!("is reached by no request: rule {earlier} takes each one that it allows")),
        _ => Some(format!(
            "is reached by no request: rules {} together take each one that it allows",
            numbers.join(", ")
        )),
    }
}

fn name_if_any<S: Serializer>(clause: &Option<Clause>, serializer: S) -> Result<S::Ok, S::Error> {
    clause.map(Clause::as_str).serialize(serializer)
}
