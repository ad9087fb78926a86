//! The decision: one function for preflights and for actual requests, as S3 has it.
//!
//! Decides: whether a request is about CORS, whether a rule grants it, and if not, which clause is to blame.
//! Must not know: what is done with the verdict.

use super::asked::Asked;
use super::denial::{Denial, stored};
use super::grant::Grant;
use super::origins::RuleSet;
use super::request::CorsRequest;
use super::table::{CompiledRule, RuleTable};
use super::terms::Terms;
use super::verdict::{Decision, Verdict};
use super::vocabulary::{Clause, RequestKind};
use std::sync::Arc;

/// Decides on a request by the rules of a bucket; `None` is a bucket without a configuration.
///
/// The order of the checks is S3's: Origin, method asked for, headers asked for, configuration, rules in document order.
#[must_use]
pub fn evaluate(rules: Option<&RuleTable>, request: &CorsRequest<'_>) -> Decision {
    match Question::read(rules, request) {
        Question::Closed(decision) => decision,
        Question::Open(open) => open.decide(request),
    }
}

/// A request as far as it can be judged without looking at a rule.
pub(crate) enum Question<'r, 't> {
    /// No rule has a say in it.
    Closed(Decision),
    /// The rules decide.
    Open(OpenQuestion<'r, 't>),
}

/// A request that the rules decide.
pub(crate) struct OpenQuestion<'r, 't> {
    kind: RequestKind,
    pub(crate) rules: &'t RuleTable,
    pub(crate) asked: Asked<'r>,
    /// The rules that allow the origin: the others have no say.
    pub(crate) near: RuleSet,
}

impl<'r, 't> Question<'r, 't> {
    pub(crate) fn read(rules: Option<&'t RuleTable>, request: &'r CorsRequest<'_>) -> Self {
        let kind = classify(request);
        let closed = |verdict| Self::Closed(Decision { kind, verdict });
        match (kind, rules) {
            (RequestKind::NoOrigin, _) => return closed(Verdict::NotCors),
            // Without a configuration S3 adds nothing to an actual response, malformed or not (S3: ls-noconfig-get-origin).
            (RequestKind::Actual, None) => return closed(Verdict::Denied(Denial::NoRules)),
            _ => {}
        }
        match (Asked::read(request), rules) {
            (Err(denial), _) => closed(Verdict::Denied(denial)),
            (Ok(_), None) => closed(Verdict::Denied(Denial::NoRules)),
            (Ok(asked), Some(rules)) => {
                let near = asked.origin.map(|origin| rules.rules_for(origin)).unwrap_or_default();
                Self::Open(OpenQuestion { kind, rules, asked, near })
            }
        }
    }
}

fn classify(request: &CorsRequest<'_>) -> RequestKind {
    if request.is_options() {
        RequestKind::Preflight
    } else if request.has_origin() {
        RequestKind::Actual
    } else {
        RequestKind::NoOrigin
    }
}

impl<'r, 't> OpenQuestion<'r, 't> {
    /// The first rule in document order whose every clause holds; later rules are never merged or preferred
    /// (S3: sd-fallback-headers, sd-fallback-method, sd-wild-first-actual).
    pub(crate) fn decide(self, request: &CorsRequest<'_>) -> Decision {
        let verdict = match self.matching_rule() {
            Ok((rule, origin)) => Verdict::Granted(Grant::new(Arc::clone(rule), origin, self.asked.headers)),
            // S3 knows nothing of the header, and its response would be the same: only what the decision means differs. A grant stays
            // one, so that a response does not vary by the header.
            Err(_) if self.kind == RequestKind::Actual && request.is_same_origin() => Verdict::NotCors,
            Err(clause) => Verdict::Denied(Denial::Refused { clause, detail: self.detail(clause, request) }),
        };
        Decision { kind: self.kind, verdict }
    }

    /// The rule and the origin that it allows, or the clause to blame: that of the rule that came nearest.
    fn matching_rule(&self) -> Result<(&'t Arc<CompiledRule>, &'r str), Clause> {
        let origin = self.asked.origin.ok_or(Clause::Origin)?;
        let mut blamed = Clause::Origin;
        for rule in self.rules.at(self.near) {
            match rule.terms.refuses(&self.asked) {
                None => return Ok((rule, origin)),
                Some(clause) => blamed = blamed.max(clause),
            }
        }
        Err(blamed)
    }

    /// What the clause refused ([`Denial::Refused`]).
    fn detail(&self, clause: Clause, request: &CorsRequest<'_>) -> Option<Box<str>> {
        match clause {
            Clause::Origin => self.asked.origin.map(|origin| stored(origin.as_bytes())),
            Clause::Method => Some(stored(request.method_in_question())),
            Clause::Header => self.refused_header().map(|name| stored(&name.to_ascii_lowercase())),
        }
    }

    /// The first header asked for that no rule allows of those that allow origin and method.
    fn refused_header(&self) -> Option<&[u8]> {
        let near: Vec<_> = self
            .rules
            .at(self.near)
            .map(|rule| &*rule.terms)
            .filter(|terms| terms.allows_method(self.asked.method))
            .collect();
        self.asked.headers.iter().find(|name| near.iter().all(|terms| !terms.allows_header(name)))
    }
}

impl Terms {
    /// The first clause that does not hold for an origin that is allowed, in S3's order: `None` is a match.
    fn refuses(&self, asked: &Asked<'_>) -> Option<Clause> {
        if !self.allows_method(asked.method) {
            return Some(Clause::Method);
        }
        (!self.allows_headers(asked)).then_some(Clause::Header)
    }

    /// Whether all headers asked for are allowed.
    pub(crate) fn allows_headers(&self, asked: &Asked<'_>) -> bool {
        !asked.headers.is_too_long() && (self.allows_every_header() || self.refused_headers(asked).next().is_none())
    }

    /// The headers asked for that are not allowed.
    pub(crate) fn refused_headers<'a>(&'a self, asked: &'a Asked<'_>) -> impl Iterator<Item = &'a [u8]> {
        asked.headers.iter().filter(|name| !self.allows_header(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credentials, Document, Format, MAX_REPEATED};

    const RULES: &str = "<CORSConfiguration>\
        <CORSRule><AllowedOrigin>https://a</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
            <AllowedHeader>x-a</AllowedHeader></CORSRule>\
        <CORSRule><AllowedOrigin>https://a</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
            <AllowedHeader>x-b</AllowedHeader></CORSRule>\
        <CORSRule><AllowedOrigin>https://b</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
            <AllowedHeader>x-c</AllowedHeader></CORSRule>\
        </CORSConfiguration>";

    type Lines<'l> = &'l [(&'l str, &'l str)];

    fn decide(method: &str, lines: Lines<'_>) -> Decision {
        let document = Document::parse(RULES.as_bytes(), Format::Xml).unwrap();
        let rules = RuleTable::new(document.configuration(), Credentials::S3);
        let mut request = CorsRequest::new(method.as_bytes());
        for (name, value) in lines {
            request.add_line(name.as_bytes(), value.as_bytes());
        }
        evaluate(Some(&rules), &request)
    }

    #[test]
    fn a_denial_names_what_was_refused() {
        let (origin, method, headers) = ("Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers");
        let long = format!("https://{}", "x".repeat(2 * MAX_REPEATED));
        let too_many = "x-a,".repeat(crate::MAX_REQUEST_HEADERS + 1);
        let cases: [(&str, Lines<'_>, &str, Option<&str>); 12] = [
            ("OPTIONS", &[], "malformed", None),
            ("OPTIONS", &[(origin, "https://a"), (method, "get")], "malformed", Some("get")),
            ("GET", &[(origin, "https://a"), (headers, "x-a, a b")], "malformed", Some("a b")),
            ("GET", &[(origin, "https://c")], "origin", Some("https://c")),
            ("GET", &[(origin, &long)], "origin", Some(&long[..MAX_REPEATED])),
            ("GET", &[(origin, "https://a"), (origin, "https://a")], "origin", None),
            ("GET", &[(origin, "a\u{e9}")], "origin", None),
            ("DELETE", &[(origin, "https://a")], "method", Some("DELETE")),
            ("GET", &[(origin, "https://a"), (method, "PUT")], "method", Some("PUT")),
            // x-c is allowed to another origin only.
            ("GET", &[(origin, "https://a"), (headers, "x-a, X-C, x-d")], "header", Some("x-c")),
            // Each is allowed, but by two rules, which are never merged.
            ("GET", &[(origin, "https://a"), (headers, "x-a, x-b")], "header", None),
            ("GET", &[(origin, "https://a"), (headers, &too_many)], "header", None),
        ];
        for (own, lines, reason, detail) in cases {
            let decision = decide(own, lines);
            assert_eq!((decision.reason().as_str(), decision.detail()), (reason, detail), "{own} {lines:?}");
        }
    }

    #[test]
    fn a_request_of_the_same_origin_is_refused_by_no_rule() {
        let (origin, site, asked) = ("Origin", "Sec-Fetch-Site", "Access-Control-Request-Method");
        let foreign = (origin, "https://c");
        let cases: [(&str, Lines<'_>, Option<&str>, &str); 10] = [
            ("PUT", &[foreign, (site, "same-origin")], Some("same_origin"), "none"),
            ("PUT", &[(site, "same-origin"), foreign], Some("same_origin"), "none"),
            ("PUT", &[(origin, "https://a"), (site, "same-origin")], Some("same_origin"), "none"),
            ("PUT", &[foreign, (site, "cross-site")], Some("denied"), "origin"),
            ("PUT", &[foreign, (site, "same-site")], Some("denied"), "origin"),
            ("PUT", &[foreign, (site, "Same-Origin")], Some("denied"), "origin"),
            // Two of them are no value (RFC 9651 §4.2).
            ("PUT", &[foreign, (site, "same-origin"), (site, "same-origin")], Some("denied"), "origin"),
            ("GET", &[(origin, "https://a"), (site, "same-origin")], Some("allowed"), "none"),
            // A browser sends no preflight to its own origin, and no malformed request.
            ("OPTIONS", &[foreign, (asked, "PUT"), (site, "same-origin")], Some("denied"), "origin"),
            ("GET", &[(site, "same-origin")], None, "none"),
        ];
        for (own, lines, outcome, reason) in cases {
            let decision = decide(own, lines);
            assert_eq!(decision.outcome().map(crate::Outcome::as_str), outcome, "{own} {lines:?}");
            assert_eq!((decision.reason().as_str(), decision.detail().is_some()), (reason, reason == "origin"));
        }
        assert_eq!(evaluate(None, &same_origin_put()).outcome(), Some(crate::Outcome::NoRules));
    }

    fn same_origin_put() -> CorsRequest<'static> {
        let mut request = CorsRequest::new(b"PUT");
        request.add_line(b"origin", b"https://c");
        request.add_line(b"sec-fetch-site", b"same-origin");
        request
    }

    #[test]
    fn a_grant_names_its_rule() {
        let decision = decide("GET", &[("Origin", "https://a"), ("Access-Control-Request-Headers", "x-b")]);
        assert_eq!(decision.rule().map(CompiledRule::name), Some("2"));
        assert_eq!(decision.outcome().map(crate::Outcome::as_str), Some("allowed"));
        assert_eq!(decision.detail(), None);
    }
}
