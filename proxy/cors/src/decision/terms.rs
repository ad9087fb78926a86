//! What a rule grants, apart from whom: methods, headers, what is exposed and for how long.
//!
//! The rules of many buckets are copies of a few, with other origins: their terms can be in memory once.

use crate::header_set::HeaderSet;
use crate::method::{AllowedMethod, AskedMethod, MethodSet};
use crate::{CorsRule, ExposedHeader, HeaderPattern, InvalidRule, OriginPattern};
use foldhash::fast::RandomState;
use http::HeaderValue;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE, HeaderName,
};
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

/// The use of `Access-Control-Allow-Credentials: true` in a grant to a named origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credentials {
    /// As S3: with every `Access-Control-Allow-Origin` that is not `*`.
    #[default]
    S3,
    /// Never: for a gateway that authorises by cookie, client certificate or network, where S3's echo would hand the user's
    /// rights to every origin that a loose pattern matches.
    Never,
}

pub(super) const TRUE: HeaderValue = HeaderValue::from_static("true");

/// The terms of a rule, prepared for requests.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Terms {
    methods: MethodSet,
    headers: HeaderSet,
    pub(crate) credentials: bool,
    pub(crate) allow_methods: HeaderValue,
    pub(crate) expose_headers: Option<HeaderValue>,
    pub(crate) max_age: Option<HeaderValue>,
    pub(super) lines: FixedLines,
    written: WrittenTerms,
}

impl Terms {
    /// `is_for_any` is whether the rule has `*` among its origins.
    pub(crate) fn new(rule: &CorsRule, is_for_any: bool, credentials: Credentials) -> Self {
        // An empty ExposeHeader is valid (S3: ok-expose-empty) but names nothing.
        let exposed = rule.expose_headers().iter().map(ExposedHeader::as_str).filter(|name| !name.is_empty());
        let credentials = Self::allow_credentials(is_for_any, credentials);
        let allow_methods = list(rule.allowed_methods().iter().copied().map(AllowedMethod::as_str));
        let expose_headers = Some(list(exposed)).filter(|list| !list.is_empty());
        let max_age = rule.max_age_seconds().map(HeaderValue::from);
        let lines = FixedLines::new(&allow_methods, expose_headers.as_ref(), max_age.as_ref(), credentials);
        Self {
            methods: rule.allowed_methods().iter().copied().collect(),
            headers: rule.allowed_headers().iter().collect(),
            credentials,
            allow_methods,
            expose_headers,
            max_age,
            lines,
            written: WrittenTerms::of(rule),
        }
    }

    /// Returns true if a grant has `Access-Control-Allow-Credentials`.
    fn allow_credentials(is_for_any: bool, credentials: Credentials) -> bool {
        credentials == Credentials::S3 && !is_for_any
    }

    pub(super) const fn written(&self) -> &WrittenTerms {
        &self.written
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

    pub(crate) fn allows_header(&self, name: &[u8]) -> bool {
        self.headers.matches(name)
    }
}

/// The terms as they were written, in their order and case: what S3 returns (S3: ok-two-rules).
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct WrittenTerms {
    methods: Box<[AllowedMethod]>,
    headers: Box<[HeaderPattern]>,
    expose: Box<[ExposedHeader]>,
    max_age: Option<i64>,
}

impl WrittenTerms {
    fn of(rule: &CorsRule) -> Self {
        Self {
            methods: rule.allowed_methods().into(),
            headers: rule.allowed_headers().into(),
            expose: rule.expose_headers().into(),
            max_age: rule.max_age_seconds(),
        }
    }

    fn is_of(&self, rule: &CorsRule) -> bool {
        *self.methods == *rule.allowed_methods()
            && *self.headers == *rule.allowed_headers()
            && *self.expose == *rule.expose_headers()
            && self.max_age == rule.max_age_seconds()
    }

    /// The rule with these terms, for these origins.
    pub(super) fn rule(&self, origins: Vec<OriginPattern>) -> Result<CorsRule, InvalidRule> {
        let rule = CorsRule::new(origins, self.methods.to_vec())?;
        let rule = rule.with_allowed_headers(self.headers.to_vec()).with_expose_headers(self.expose.to_vec());
        Ok(rule.with_max_age_seconds(self.max_age))
    }
}

/// The lines of HTTP/1.1 for those headers of a grant that its rule alone decides (RFC 9112 §5), written when the rules are loaded.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct FixedLines {
    /// The lines between the origin and the headers asked for.
    pub(super) first: Box<[u8]>,
    /// The lines after them.
    pub(super) last: Box<[u8]>,
}

impl FixedLines {
    fn new(
        methods: &HeaderValue,
        expose: Option<&HeaderValue>,
        max_age: Option<&HeaderValue>,
        credentials: bool,
    ) -> Self {
        let (mut first, mut last) = (Vec::new(), Vec::new());
        write_line(&ACCESS_CONTROL_ALLOW_METHODS, methods.as_bytes(), |bytes| first.extend_from_slice(bytes));
        let mut push = |name: &HeaderName, value: &HeaderValue| {
            write_line(name, value.as_bytes(), |bytes| last.extend_from_slice(bytes));
        };
        if let Some(headers) = expose {
            push(&ACCESS_CONTROL_EXPOSE_HEADERS, headers);
        }
        if let Some(seconds) = max_age {
            push(&ACCESS_CONTROL_MAX_AGE, seconds);
        }
        if credentials {
            push(&ACCESS_CONTROL_ALLOW_CREDENTIALS, &TRUE);
        }
        Self { first: first.into(), last: last.into() }
    }
}

pub(super) fn write_line(name: &HeaderName, value: &[u8], mut write: impl FnMut(&[u8])) {
    for part in [name.as_str().as_bytes(), b": ", value, b"\r\n"] {
        write(part);
    }
}

/// `", "` between the values, in the rule's order (S3: sd-first-match-bucket-root).
#[expect(clippy::expect_used, reason = "method names and tokens are valid in a header value")]
fn list<'a>(values: impl Iterator<Item = &'a str>) -> HeaderValue {
    HeaderValue::try_from(values.collect::<Vec<_>>().join(", ")).expect("only tokens and separators")
}

/// Terms that the rules of several tables share, so that thousands of buckets with much the same rules take little memory.
///
/// ```
/// # use s3_cors::{Credentials, Document, Format, RuleTable, TermSet};
/// # let document = br#"[{"AllowedOrigins": ["https://app.example"], "AllowedMethods": ["GET"]}]"#;
/// # let document = Document::parse(document, Format::Json).unwrap();
/// let mut terms = TermSet::default();
/// let mut buckets: Vec<RuleTable> = (0..1000)
///     .map(|_| RuleTable::sharing(document.configuration(), Credentials::S3, &mut terms))
///     .collect();
/// assert_eq!(terms.len(), 1);
/// buckets.clear();
/// terms.forget_unused();
/// assert!(terms.is_empty());
/// ```
#[derive(Debug, Default)]
pub struct TermSet {
    /// By the hash of what they are made of: those of a rule are found before they are built.
    by_hash: HashMap<u64, Vec<Arc<Terms>>, RandomState>,
    hasher: RandomState,
}

impl TermSet {
    /// How many different terms there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_hash.values().map(Vec::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_hash.is_empty()
    }

    /// Forgets the terms that no table has any more. Call it when tables were replaced.
    pub fn forget_unused(&mut self) {
        self.by_hash.retain(|_, terms| {
            terms.retain(|terms| Arc::strong_count(terms) > 1);
            !terms.is_empty()
        });
    }

    /// The terms of a rule, built where the set has none that are equal.
    pub(super) fn of(&mut self, rule: &CorsRule, is_for_any: bool, credentials: Credentials) -> Arc<Terms> {
        let lists = (rule.allowed_methods(), rule.allowed_headers(), rule.expose_headers());
        let allows_credentials = Terms::allow_credentials(is_for_any, credentials);
        let known = self.by_hash.entry(self.hasher.hash_one((lists, rule.max_age_seconds()))).or_default();
        let equal = known.iter().find(|terms| terms.credentials == allows_credentials && terms.written.is_of(rule));
        if let Some(equal) = equal {
            return Arc::clone(equal);
        }
        let new = Arc::new(Terms::new(rule, is_for_any, credentials));
        known.push(Arc::clone(&new));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Format, RuleTable};

    fn table(document: &str, credentials: Credentials, terms: &mut TermSet) -> RuleTable {
        let document = Document::parse(document.as_bytes(), Format::Json).unwrap();
        RuleTable::sharing(document.configuration(), credentials, terms)
    }

    #[test]
    fn rules_that_grant_the_same_share_their_terms_whatever_their_origins_and_names() {
        let (base, mut terms) = (r#""AllowedMethods": ["GET", "PUT"]"#, TermSet::default());
        for (document, credentials, expected) in [
            (format!(r#"[{{"AllowedOrigins": ["https://a"], {base}}}]"#), Credentials::S3, 1),
            (format!(r#"[{{"AllowedOrigins": ["https://b*"], "ID": "x", {base}}}]"#), Credentials::S3, 1),
            // Without credentials.
            (format!(r#"[{{"AllowedOrigins": ["*"], {base}}}]"#), Credentials::S3, 2),
            (format!(r#"[{{"AllowedOrigins": ["https://a"], {base}}}]"#), Credentials::Never, 2),
            (format!(r#"[{{"AllowedOrigins": ["https://a"], {base}, "MaxAgeSeconds": 1}}]"#), Credentials::S3, 3),
            (format!(r#"[{{"AllowedOrigins": ["https://a"], {base}, "ExposeHeaders": ["a"]}}]"#), Credentials::S3, 4),
            (format!(r#"[{{"AllowedOrigins": ["https://a"], {base}, "AllowedHeaders": ["a"]}}]"#), Credentials::S3, 5),
            // The configuration is read back as it was written.
            (format!(r#"[{{"AllowedOrigins": ["https://a"], {base}, "AllowedHeaders": ["A"]}}]"#), Credentials::S3, 6),
            // The order is told to browsers.
            (r#"[{"AllowedOrigins": ["https://a"], "AllowedMethods": ["PUT", "GET"]}]"#.into(), Credentials::S3, 7),
        ] {
            // Held by the set alone afterwards.
            drop(table(&document, credentials, &mut terms));
            assert_eq!(terms.len(), expected, "{document} {credentials:?}");
        }
        terms.forget_unused();
        assert_eq!(terms.len(), 0);
    }
}
