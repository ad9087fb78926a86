//! The decision: one function for preflights and for actual requests, as S3 has it.
//!
//! Decides: whether a request is about CORS, whether a rule grants it, and if not, which clause is to blame.
//! Must not know: what is done with the verdict.

use crate::compile::{CompiledRule, RuleTable};
use crate::denial::{Clause, Denial};
use crate::grant::Grant;
use crate::headers::{AskedHeaders, MalformedItem};
use crate::method::AskedMethod;
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{HeaderMap, HeaderValue, Method};
use std::sync::Arc;

/// What a request is to CORS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// An OPTIONS request: S3 answers every one of them from the rules alone.
    Preflight,
    /// A request with an Origin: it is done whatever the rules say, only its answer's headers differ.
    Actual,
    /// A request without an Origin, or with an empty one: CORS has no part in it.
    NoOrigin,
}

/// What the rules say to a request.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// There is no Origin and it is no preflight: nothing to decide.
    NotCors,
    /// A rule grants it.
    Granted(Grant),
    /// No rule grants it.
    Denied(Denial),
}

/// Tells preflights, actual requests and the others apart by method and Origin.
#[must_use]
pub fn classify(method: &Method, headers: &HeaderMap) -> RequestKind {
    // A preflight's method is exactly OPTIONS (methods are case-sensitive, RFC 9110 §9.1).
    if method == Method::OPTIONS {
        RequestKind::Preflight
    } else if has_origin(headers) {
        RequestKind::Actual
    } else {
        RequestKind::NoOrigin
    }
}

/// Asks the rules of a bucket; `None` is a bucket without a configuration.
///
/// The order of the checks is S3's: Origin, method asked for, headers asked for, configuration, rules in document order.
#[must_use]
pub fn evaluate(rules: Option<&RuleTable>, method: &Method, headers: &HeaderMap) -> Verdict {
    match (classify(method, headers), rules) {
        (RequestKind::NoOrigin, _) => return Verdict::NotCors,
        // Nothing is malformed where nothing is asked: without a configuration S3 adds nothing to an actual answer (recorded).
        (RequestKind::Actual, None) => return Verdict::Denied(Denial::NoRules),
        _ => {}
    }
    match Asked::read(method, headers) {
        Err(denial) => Verdict::Denied(denial),
        Ok(asked) => match rules {
            None => Verdict::Denied(Denial::NoRules),
            Some(table) => table.decide(asked),
        },
    }
}

/// The method that a preflight's answer names: the one asked for, or the request's own when none is (recorded).
#[must_use]
pub fn asked_method(headers: &HeaderMap) -> &str {
    let asked = headers.get_all(ACCESS_CONTROL_REQUEST_METHOD).iter().find(|value| !value.is_empty());
    asked.and_then(|value| value.to_str().ok()).unwrap_or("OPTIONS")
}

fn has_origin(headers: &HeaderMap) -> bool {
    headers.get_all(ORIGIN).iter().any(|value| !value.is_empty())
}

/// What a request asks for, as far as CORS looks at it. The request's real headers and its Referer never matter (recorded).
#[derive(Debug)]
pub(crate) struct Asked<'r> {
    /// `None` for what never matches: two origins, or bytes that no origin has.
    pub(crate) origin: Option<&'r HeaderValue>,
    pub(crate) method: AskedMethod,
    pub(crate) headers: AskedHeaders,
}

impl<'r> Asked<'r> {
    pub(crate) fn read(method: &Method, headers: &'r HeaderMap) -> Result<Self, Denial> {
        if !has_origin(headers) {
            return Err(Denial::NoOrigin);
        }
        Ok(Self {
            origin: origin(headers),
            method: asked_method_of(method, headers)?,
            headers: AskedHeaders::read(headers).map_err(|MalformedItem(item)| Denial::MalformedHeader(item))?,
        })
    }
}

/// The one Origin. Two of them, or bytes outside visible ASCII and the space, match nothing, not even `*`: no client that keeps
/// the Fetch standard sends them, and what is reflected must be safe in a header.
fn origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut lines = headers.get_all(ORIGIN).iter();
    let first = lines.next()?;
    let is_only = lines.next().is_none();
    (is_only && first.as_bytes().iter().all(|byte| matches!(byte, b' '..=b'~'))).then_some(first)
}

/// The method asked for, else the request's own: on actual requests too (recorded). Two lines that ask match nothing.
fn asked_method_of(method: &Method, headers: &HeaderMap) -> Result<AskedMethod, Denial> {
    let mut lines = headers.get_all(ACCESS_CONTROL_REQUEST_METHOD).iter().filter(|value| !value.is_empty());
    let Some(asked) = lines.next() else {
        return Ok(AskedMethod::from_name(method.as_str().as_bytes()).unwrap_or(AskedMethod::Other));
    };
    if lines.next().is_some() {
        return Ok(AskedMethod::Other);
    }
    AskedMethod::from_name(asked.as_bytes())
        .ok_or_else(|| Denial::UnknownMethod(String::from_utf8_lossy(asked.as_bytes()).into()))
}

impl RuleTable {
    /// The first rule in document order whose every clause holds; later rules are never merged or preferred (recorded).
    fn decide(&self, asked: Asked<'_>) -> Verdict {
        let mut blamed = Clause::Origin;
        for rule in self.rules() {
            match rule.refuses(&asked) {
                None => return grant(rule, asked),
                Some(clause) => blamed = blamed.max(clause),
            }
        }
        Verdict::Denied(Denial::Refused(blamed))
    }
}

fn grant(rule: &Arc<CompiledRule>, asked: Asked<'_>) -> Verdict {
    match asked.origin {
        Some(origin) => Verdict::Granted(Grant::new(Arc::clone(rule), origin, asked.headers)),
        None => Verdict::Denied(Denial::Refused(Clause::Origin)),
    }
}

impl CompiledRule {
    /// The first clause that does not hold: `None` is a match.
    pub(crate) fn refuses(&self, asked: &Asked<'_>) -> Option<Clause> {
        if !asked.origin.is_some_and(|origin| self.allows_origin(origin.as_bytes())) {
            return Some(Clause::Origin);
        }
        if !self.allows_method(asked.method) {
            return Some(Clause::Method);
        }
        let allows_headers = !asked.headers.is_too_long() && asked.headers.iter().all(|name| self.allows_header(name));
        (!allows_headers).then_some(Clause::Header)
    }
}
