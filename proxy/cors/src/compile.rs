//! A configuration made ready for requests: header values built, lists sorted, patterns lower-cased.
//!
//! Everything that a request does not change is prepared here, so that an answer is comparisons and clones of shared bytes.

use crate::headers::HeaderMatcher;
use crate::method::{AllowedMethod, AskedMethod, MethodSet};
use crate::{CorsConfiguration, CorsRule, OriginPattern};
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

/// The rules of one bucket, immutable and ready.
#[derive(Clone, Debug)]
pub struct RuleTable {
    rules: Box<[Arc<CompiledRule>]>,
}

/// One rule, ready.
#[derive(Debug)]
pub struct CompiledRule {
    number: usize,
    id: Option<String>,
    any_origin: bool,
    origins: Box<[OriginPattern]>,
    methods: MethodSet,
    headers: HeaderMatcher,
    pub(crate) credentials: bool,
    pub(crate) allow_methods: HeaderValue,
    pub(crate) expose_headers: Option<HeaderValue>,
    pub(crate) max_age: Option<HeaderValue>,
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
        let any_origin = rule.allowed_origins.iter().any(OriginPattern::is_any);
        Self {
            number,
            id: rule.id.clone().filter(|id| !id.is_empty()),
            any_origin,
            origins: rule.allowed_origins.clone().into(),
            methods: rule.allowed_methods.iter().copied().collect(),
            headers: HeaderMatcher::new(&rule.allowed_headers),
            credentials: credentials == Credentials::S3 && !any_origin,
            allow_methods: list(rule.allowed_methods.iter().map(|method| method.as_str()))
                .unwrap_or(HeaderValue::from_static("")),
            // An empty ExposeHeader is stored by S3 (recorded) but names nothing.
            expose_headers: list(
                rule.expose_headers.iter().map(crate::ExposedHeader::as_str).filter(|h| !h.is_empty()),
            ),
            max_age: rule.max_age_seconds.map(HeaderValue::from),
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
        self.id.as_deref()
    }

    /// The rule's ID, or its number: what metrics, logs and explanations call it.
    #[must_use]
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        self.id.as_deref().map_or_else(|| self.number.to_string().into(), Into::into)
    }

    /// Whether `*` is among the origins. S3's answer is then `*`, for every origin and without credentials, wherever in the list
    /// it stands: unrecorded where other origins stand before it, and the choice that never adds credentials.
    pub(crate) const fn grants_any_origin(&self) -> bool {
        self.any_origin
    }

    pub(crate) fn allows_origin(&self, origin: &[u8]) -> bool {
        self.any_origin || self.origins.iter().any(|pattern| pattern.matches(origin))
    }

    pub(crate) fn allows_method(&self, method: AskedMethod) -> bool {
        matches!(method, AskedMethod::Allowable(method) if self.allows(method))
    }

    pub(crate) const fn allows(&self, method: AllowedMethod) -> bool {
        self.methods.contains(method)
    }

    pub(crate) fn allows_header(&self, lower_name: &str) -> bool {
        self.headers.allows(lower_name)
    }
}

/// `", "` between the values, in the rule's order (recorded); `None` for an empty list.
fn list<'a>(values: impl Iterator<Item = &'a str>) -> Option<HeaderValue> {
    let joined = values.collect::<Vec<_>>().join(", ");
    if joined.is_empty() {
        return None;
    }
    // Method names and tokens only: always a valid value.
    HeaderValue::try_from(joined).ok()
}
