//! A configuration prepared for requests: header values built, lists sorted, patterns lower-cased.
//!
//! Everything that a request does not change is prepared here, so that a decision is comparisons and clones of shared bytes.

use super::grant::FixedLines;
use crate::method::{AllowedMethod, AskedMethod, MethodSet};
use crate::wildcard::WildcardSet;
use crate::{CorsConfiguration, CorsRule, ExposedHeader, HeaderPattern, OriginPattern};
use http::HeaderValue;
use std::sync::Arc;

/// Whether a grant to a named origin says `Access-Control-Allow-Credentials: true`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// As S3: with every `Access-Control-Allow-Origin` that is not `*`.
    #[default]
    S3,
    /// Never: for a gateway that authorises by cookie, client certificate or network, where S3's echo would hand the user's
    /// rights to every origin that a loose pattern matches.
    Never,
}

/// The rules of one bucket, immutable and prepared.
#[derive(Clone, Debug)]
pub struct RuleTable {
    rules: Box<[Arc<CompiledRule>]>,
}

/// One rule, prepared.
#[derive(Debug)]
pub struct CompiledRule {
    number: usize,
    name: Box<str>,
    has_id: bool,
    origins: WildcardSet,
    methods: MethodSet,
    headers: WildcardSet,
    pub(crate) credentials: bool,
    pub(crate) allow_methods: HeaderValue,
    pub(crate) expose_headers: Option<HeaderValue>,
    pub(crate) max_age: Option<HeaderValue>,
    pub(crate) lines: FixedLines,
}

impl RuleTable {
    /// Prepares a configuration.
    #[must_use]
    pub fn new(configuration: &CorsConfiguration, credentials: Credentials) -> Self {
        let rules = (1..).zip(configuration.rules());
        Self { rules: rules.map(|(number, rule)| Arc::new(CompiledRule::new(number, rule, credentials))).collect() }
    }

    /// The rules, in order.
    #[must_use]
    pub fn rules(&self) -> &[Arc<CompiledRule>] {
        &self.rules
    }
}

impl CompiledRule {
    fn new(number: usize, rule: &CorsRule, credentials: Credentials) -> Self {
        let origins: WildcardSet = rule.allowed_origins().iter().map(OriginPattern::wildcard).collect();
        let id = rule.id().filter(|id| !id.is_empty());
        // An empty ExposeHeader is valid (S3: ok-expose-empty) but names nothing.
        let exposed = rule.expose_headers().iter().map(ExposedHeader::as_str).filter(|name| !name.is_empty());
        let credentials = credentials == Credentials::S3 && !origins.has_any();
        let allow_methods = list(rule.allowed_methods().iter().copied().map(AllowedMethod::as_str));
        let expose_headers = Some(list(exposed)).filter(|list| !list.is_empty());
        let max_age = rule.max_age_seconds().map(HeaderValue::from);
        let lines = FixedLines::new(&allow_methods, expose_headers.as_ref(), max_age.as_ref(), credentials);
        Self {
            number,
            name: id.map_or_else(|| number.to_string().into(), Into::into),
            has_id: id.is_some(),
            methods: rule.allowed_methods().iter().copied().collect(),
            headers: rule.allowed_headers().iter().map(HeaderPattern::lower_wildcard).collect(),
            origins,
            credentials,
            allow_methods,
            expose_headers,
            max_age,
            lines,
        }
    }

    /// The rule's place in the document, from 1.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }

    /// The rule's ID, if it has one that is not empty.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.has_id.then_some(&self.name)
    }

    /// The rule's ID, or its number: what metrics, logs and explanations call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether `*` is among the origins. The grant is then `*`, for every origin and without credentials. It is not known what S3
    /// grants when other origins stand before the `*`; this choice never adds credentials.
    pub(crate) const fn grants_any_origin(&self) -> bool {
        self.origins.has_any()
    }

    pub(crate) fn allows_origin(&self, origin: &str) -> bool {
        self.origins.matches(origin.as_bytes())
    }

    pub(crate) const fn allows_method(&self, method: AskedMethod) -> bool {
        matches!(method, AskedMethod::Allowable(method) if self.allows(method))
    }

    pub(crate) const fn allows(&self, method: AllowedMethod) -> bool {
        self.methods.contains(method)
    }

    /// Whether `*` is among the headers: no name need be looked at.
    pub(crate) const fn allows_every_header(&self) -> bool {
        self.headers.has_any()
    }

    pub(crate) fn allows_header(&self, lower_name: &str) -> bool {
        self.headers.matches(lower_name.as_bytes())
    }
}

/// `", "` between the values, in the rule's order (S3: sd-first-match-bucket-root).
#[expect(clippy::expect_used, reason = "method names and tokens are valid in a header value")]
fn list<'a>(values: impl Iterator<Item = &'a str>) -> HeaderValue {
    HeaderValue::try_from(values.collect::<Vec<_>>().join(", ")).expect("only tokens and separators")
}
