//! Why a request is or is not allowed, for people and for machines: one form for the command line and the admin listener.
//!
//! Decides: how the engine's findings are told. Must not know: who asks.

mod all_refused;
mod browser_verdict;
mod fetch_settings;
mod learned;
mod limits;
mod proposal;
mod rule;
mod signed_reads;
mod text;
mod without_rules;
mod written_origin;

pub use all_refused::AllRefused;
pub use browser_verdict::BrowserVerdict;
pub use fetch_settings::{FetchSettings, HeaderLine, InvalidSetting, RedirectTo, redirect_status};
pub use learned::{LearnedDocument, LearnedDocuments, RepeatedRequest};
pub use limits::SettingsBeside;
pub use proposal::Proposal;
pub use rule::RuleExplained;
pub use without_rules::WithoutRules;
pub use written_origin::{NoPageOrigin, page_origin};

use crate::rules::Bucket;
use http::HeaderValue;
use s3_cors::{
    CannotAllow, Clause, ClauseFinding, CorsConfiguration, CorsRequest, Decision, Denial, Explanation, Outcome, Reason,
    RequestKind, ResourceType, RuleFinding, RuleInspection, Wanted, explain, inspect,
};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt::Display;

/// A request to explain.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// The request that meets the rules: the preflight for it, or the request itself where no preflight is sent.
    pub kind: RequestKind,
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
    /// The outcome, by its name in metrics; `none` where CORS has no part.
    #[serde(serialize_with = "name_or_none")]
    pub outcome: Option<Outcome>,
    /// Why it is not granted, by its name in metrics.
    #[serde(serialize_with = "name")]
    pub reason: Reason,
    /// The request that meets the rules first.
    #[serde(serialize_with = "name")]
    pub kind: RequestKind,
    /// The bucket that was asked about.
    pub bucket: Option<String>,
    /// The origin that was asked about.
    pub origin: String,
    /// The method that was asked about.
    pub method: String,
    /// The status of the proxy's own response; `None` where the response is the upstream's: the rules do not change its status.
    pub status: Option<u16>,
    /// The CORS headers of the response.
    pub response_headers: BTreeMap<String, String>,
    /// S3's message for a denial; `None` where the response is the upstream's.
    pub message: Option<String>,
    /// What was refused: the origin, the method or the first header that no rule allows.
    pub detail: Option<String>,
    /// The rule that grants it, from 1.
    pub rule: Option<usize>,
    /// Of a denial, the rule that came nearest, from 1.
    pub nearest_rule: Option<usize>,
    /// Of a denial, what that rule lacks; with it the rule would allow more than this request. Empty where no rule can allow it.
    pub change: Vec<String>,
    /// Of a denial, the smallest change that allows this request and nothing else.
    pub proposal: Option<Proposal>,
    /// Of a denial without such a change, why there is none.
    pub cannot: Option<String>,
    /// The place of the rules that the bucket does not have, if that was asked.
    pub without_rules: Option<WithoutRules>,
    /// Notes on the request.
    pub notes: Vec<String>,
    /// What each rule says.
    pub rules: Vec<RuleExplained>,
    /// What a browser does with the responses, where that was asked.
    pub browser: Option<BrowserVerdict>,
}

/// Asks the rules of a bucket.
///
/// # Errors
/// [`UnsendableValue`] when no request could carry what is asked about.
pub fn explain_request(bucket: &Bucket, question: &Question<'_>) -> Result<Explained, UnsendableValue> {
    let request = question.request()?;
    let explanation = explain(bucket.rules.as_ref(), &request);
    let configuration = bucket.configuration();
    let inspections = configuration.as_ref().map(|configuration| inspect(configuration, &request)).unwrap_or_default();
    let decision = &explanation.decision;
    // An actual request goes to the upstream, whatever the rules say, unless it is malformed.
    let is_own = |denial: &&Denial| question.kind == RequestKind::Preflight || denial.is_malformed();
    let refusal = decision.denial().filter(is_own).map(|denial| denial.refusal(ResourceType::Object));
    let granted = (question.kind == RequestKind::Preflight).then_some(200);
    let nearest = nearest(&explanation, &inspections);
    let (proposal, cannot) = match decision.denial().map(|_| proposal(configuration.as_ref(), question)) {
        Some(Ok(proposal)) => (Some(proposal), None),
        Some(Err(cannot)) => (None, Some(cannot.to_string())),
        None => (None, None),
    };
    let rules = explanation.rules.iter().enumerate();
    let rules = rules.map(|(place, rule)| RuleExplained::new(rule, inspections.get(place), question.method));
    Ok(Explained {
        allowed: decision.grant().is_some(),
        outcome: decision.outcome(),
        reason: decision.reason(),
        kind: question.kind,
        bucket: question.bucket.map(Into::into),
        origin: question.origin.into(),
        method: String::from_utf8_lossy(request.method_in_question()).into_owned(),
        status: refusal.as_ref().map_or(granted, |refusal| Some(refusal.status.as_u16())),
        response_headers: response_headers(decision),
        message: refusal.map(|refusal| refusal.message.into_owned()),
        detail: decision.detail().map(Into::into),
        rule: decision.rule().map(s3_cors::CompiledRule::number),
        nearest_rule: nearest.map(|rule| rule.number),
        change: nearest.filter(|_| proposal.is_some()).map(|rule| changes(rule, question)).unwrap_or_default(),
        proposal,
        cannot,
        without_rules: None,
        notes: Vec::new(),
        rules: rules.collect(),
        browser: None,
    })
}

impl Explained {
    /// Without a change: the request could be for several buckets, and no rule grants such a one.
    pub fn deny_change_to_ambiguous(&mut self) {
        self.change.clear();
        self.proposal = None;
        self.cannot = Some(
            "servers can read its Host and path as different buckets, so no rule grants it, whatever the rules say"
                .to_owned(),
        );
    }

    /// Without a change: what is known of the request is not the whole of it, so that it is not known what would allow it.
    pub fn forget_change(&mut self) {
        self.change.clear();
        if self.proposal.take().is_some() {
            self.cannot =
                Some("it is not known what would allow it: the request was longer than what is kept of it".to_owned());
        }
    }
}

fn proposal(configuration: Option<&CorsConfiguration>, question: &Question<'_>) -> Result<Proposal, CannotAllow> {
    let wanted = Wanted::new(question.origin, question.method, question.request_headers)?;
    Proposal::new(configuration, &wanted)
}

/// Of a denial, the rule with the fewest clauses that fail; of several, the one whose origin is nearest, then the first.
fn nearest<'e>(explanation: &'e Explanation, inspections: &[RuleInspection]) -> Option<&'e RuleFinding> {
    explanation.nearest()?;
    let failed = |rule: &RuleFinding| Clause::ALL.into_iter().filter(|clause| !rule.clause(*clause).holds()).count();
    let distance = |place: usize| {
        let origin = inspections.get(place).and_then(|rule| rule.origin.as_ref());
        origin.map_or(0, |origin| origin.nearness() + 1)
    };
    let rules = explanation.rules.iter().enumerate();
    rules.min_by_key(|(place, rule)| (failed(rule), distance(*place))).map(|(_, rule)| rule)
}

impl Question<'_> {
    fn request(&self) -> Result<CorsRequest<'_>, UnsendableValue> {
        let is_preflight = self.kind == RequestKind::Preflight;
        let lines = [
            ("origin", "origin", Some(self.origin)),
            ("method", "access-control-request-method", Some(self.method)),
            ("request headers", "access-control-request-headers", self.request_headers),
        ];
        let mut request = CorsRequest::new(if is_preflight { b"OPTIONS" } else { self.method.as_bytes() });
        for (what, name, value) in lines {
            let Some(value) = value else { continue };
            if HeaderValue::from_str(value).is_err() {
                return Err(UnsendableValue { what, value: value.to_owned() });
            }
            if is_preflight || name == "origin" {
                request.add_line(name.as_bytes(), value.as_bytes());
            }
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

/// The name of a value in a closed set.
fn name<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn name_or_none<S: Serializer>(outcome: &Option<Outcome>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(outcome.map_or("none", Outcome::as_str))
}
