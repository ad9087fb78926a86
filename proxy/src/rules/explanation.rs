//! Why a request is or is not allowed, for people and for machines: one form for the command line and the admin listener.
//!
//! Decides: how the engine's findings are told. Must not know: who asks.

use http::HeaderValue;
use s3_cors::{
    Clause, ClauseFinding, CorsRequest, Decision, Outcome, Reason, ResourceType, RuleFinding, RuleTable, explain,
};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// A request to explain: the preflight that a browser would send for it.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The bucket, for the text.
    pub bucket: Option<&'a str>,
    /// The page's origin.
    pub origin: &'a str,
    /// The method that the page wants to use.
    pub method: &'a str,
    /// The headers that the page wants to send, separated by commas.
    pub request_headers: Option<&'a str>,
}

/// A value that cannot be a header's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {value:?} cannot be sent in a header")]
pub struct UnsendableValue {
    what: &'static str,
    value: String,
}

/// The explanation.
#[derive(Clone, Debug, Serialize)]
pub struct Explained {
    /// Whether a rule grants it.
    pub allowed: bool,
    /// `allowed`, `denied` or `no_rules`: the metric's label.
    pub outcome: &'static str,
    /// `none`, `origin`, `method`, `header`, `no_rules` or `malformed`: the metric's label.
    pub reason: &'static str,
    /// The bucket that was asked about.
    pub bucket: Option<String>,
    /// The origin that was asked about.
    pub origin: String,
    /// The method that was asked about.
    pub method: String,
    /// The status of the preflight's response.
    pub status: u16,
    /// The CORS headers of the response.
    pub response_headers: BTreeMap<String, String>,
    /// S3's message for a denial.
    pub message: Option<String>,
    /// What was refused: the origin, the method or the first header that no rule allows.
    pub detail: Option<String>,
    /// The rule that grants it, from 1.
    pub rule: Option<usize>,
    /// Of a denial, the rule that came nearest, from 1.
    pub nearest_rule: Option<usize>,
    /// Of a denial, what to change in that rule.
    pub change: Vec<String>,
    /// What each rule says.
    pub rules: Vec<RuleExplained>,
}

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
    pub failed: Option<&'static str>,
}

/// Asks the rules of a bucket; `None` is a bucket without rules.
///
/// # Errors
/// [`UnsendableValue`] when no request could carry what is asked about.
pub fn explain_request(rules: Option<&RuleTable>, question: &Question<'_>) -> Result<Explained, UnsendableValue> {
    let request = question.preflight()?;
    let explanation = explain(rules, &request);
    let decision = &explanation.decision;
    let refusal = decision.denial().map(|denial| denial.refusal(ResourceType::Object));
    let nearest = explanation.nearest();
    Ok(Explained {
        allowed: decision.grant().is_some(),
        outcome: decision.outcome().map_or("none", Outcome::as_str),
        reason: Reason::as_str(decision.reason()),
        bucket: question.bucket.map(Into::into),
        origin: question.origin.into(),
        method: request.asked_method().to_owned(),
        status: refusal.as_ref().map_or(200, |refusal| refusal.status.as_u16()),
        response_headers: response_headers(decision),
        message: refusal.map(|refusal| refusal.message.into_owned()),
        detail: decision.detail().map(Into::into),
        rule: decision.rule().map(s3_cors::CompiledRule::number),
        nearest_rule: nearest.map(|rule| rule.number),
        change: nearest.map(|rule| changes(rule, question)).unwrap_or_default(),
        rules: explanation.rules.iter().map(RuleExplained::new).collect(),
    })
}

impl Question<'_> {
    fn preflight(&self) -> Result<CorsRequest<'_>, UnsendableValue> {
        let lines = [
            ("origin", "origin", Some(self.origin)),
            ("method", "access-control-request-method", Some(self.method)),
            ("request headers", "access-control-request-headers", self.request_headers),
        ];
        let mut request = CorsRequest::new(b"OPTIONS");
        for (what, name, value) in lines {
            let Some(value) = value else { continue };
            if HeaderValue::from_str(value).is_err() {
                return Err(UnsendableValue { what, value: value.to_owned() });
            }
            request.add_line(name.as_bytes(), value.as_bytes());
        }
        Ok(request)
    }
}

fn response_headers(decision: &Decision) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    if let Some(grant) = decision.grant() {
        grant.for_each_header(|name, value| {
            headers.insert(name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned());
        });
    }
    headers
}

fn changes(rule: &RuleFinding, question: &Question<'_>) -> Vec<String> {
    let mut changes = Vec::new();
    if !rule.origin.holds() {
        changes.push(format!("add <AllowedOrigin>{}</AllowedOrigin>", question.origin));
    }
    if !rule.method.holds() {
        changes.push(format!("add <AllowedMethod>{}</AllowedMethod>", question.method));
    }
    if let ClauseFinding::Fails(names) = &rule.headers {
        changes.extend(names.iter().map(|name| format!("add <AllowedHeader>{name}</AllowedHeader>")));
    }
    changes
}

impl RuleExplained {
    fn new(finding: &RuleFinding) -> Self {
        let refused_headers = match &finding.headers {
            ClauseFinding::Holds => Vec::new(),
            ClauseFinding::Fails(names) => names.clone(),
        };
        Self {
            rule: finding.number,
            id: finding.id.clone(),
            matches: finding.blamed().is_none(),
            origin: finding.origin.holds(),
            method: finding.method.holds(),
            headers: finding.headers.holds(),
            refused_headers,
            failed: finding.blamed().map(Clause::as_str),
        }
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.allowed { "ALLOWED" } else { "DENIED" };
        write!(f, "{verdict}: {} from {}", self.method, self.origin)?;
        if let Some(bucket) = &self.bucket {
            write!(f, " to bucket {bucket}")?;
        }
        writeln!(f, " (status {}, outcome {}, reason {})", self.status, self.outcome, self.reason)?;
        if let Some(message) = &self.message {
            writeln!(f, "  {message}")?;
        }
        for rule in &self.rules {
            writeln!(f, "{rule}")?;
        }
        if let Some(rule) = self.nearest_rule {
            writeln!(f, "nearest is rule {rule}; to allow this request:")?;
            for change in &self.change {
                writeln!(f, "  {change}")?;
            }
        }
        for (name, value) in &self.response_headers {
            writeln!(f, "  {name}: {value}")?;
        }
        Ok(())
    }
}

impl fmt::Display for RuleExplained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  rule {}", self.rule)?;
        if let Some(id) = &self.id {
            write!(f, " ({id})")?;
        }
        let clause = |holds: bool| if holds { "yes" } else { "NO" };
        write!(
            f,
            ": origin {}, method {}, headers {}",
            clause(self.origin),
            clause(self.method),
            clause(self.headers)
        )?;
        if !self.refused_headers.is_empty() {
            write!(f, " (not allowed: {})", self.refused_headers.join(", "))?;
        }
        Ok(())
    }
}
