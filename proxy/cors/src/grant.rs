//! What a grant puts on an answer: the same headers on a preflight's and on an actual request's (recorded).

use crate::compile::CompiledRule;
use crate::headers::AskedHeaders;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderName,
};
use http::{HeaderMap, HeaderValue};
use std::sync::Arc;

/// The three request headers that an answer depends on, in S3's order.
pub const VARY: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Headers, Access-Control-Request-Method");

const VARY_TOKENS: [&str; 3] = ["Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method"];

const TRUE: HeaderValue = HeaderValue::from_static("true");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// A rule's leave for one request.
#[derive(Clone, Debug)]
pub struct Grant {
    rule: Arc<CompiledRule>,
    allow_origin: HeaderValue,
    allow_headers: Option<HeaderValue>,
}

impl Grant {
    pub(crate) fn new(rule: Arc<CompiledRule>, origin: &HeaderValue, headers: AskedHeaders) -> Self {
        let allow_origin = if rule.grants_any_origin() { ANY } else { origin.clone() };
        Self { rule, allow_origin, allow_headers: headers.into_value() }
    }

    /// The rule that granted.
    #[must_use]
    pub fn rule(&self) -> &CompiledRule {
        &self.rule
    }

    /// The value of `Access-Control-Allow-Origin`: `*`, or byte for byte the request's own Origin.
    #[must_use]
    pub const fn allow_origin(&self) -> &HeaderValue {
        &self.allow_origin
    }

    /// Hands over each header of the grant, each at most once. `Vary` is not among them: it depends on the bucket, not on the
    /// grant ([`merge_vary`]).
    pub fn for_each_header(&self, mut set: impl FnMut(HeaderName, HeaderValue)) {
        set(ACCESS_CONTROL_ALLOW_ORIGIN, self.allow_origin.clone());
        set(ACCESS_CONTROL_ALLOW_METHODS, self.rule.allow_methods.clone());
        if let Some(headers) = &self.allow_headers {
            set(ACCESS_CONTROL_ALLOW_HEADERS, headers.clone());
        }
        if let Some(headers) = &self.rule.expose_headers {
            set(ACCESS_CONTROL_EXPOSE_HEADERS, headers.clone());
        }
        if let Some(seconds) = &self.rule.max_age {
            set(ACCESS_CONTROL_MAX_AGE, seconds.clone());
        }
        // Never "false", and never beside "*" (Fetch, CORS check; recorded).
        if self.rule.credentials {
            set(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
    }

    /// The headers of the grant as a map.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(6);
        self.for_each_header(|name, value| {
            map.insert(name, value);
        });
        map
    }
}

/// The `Vary` of an answer that already has some: S3's three tokens behind those that are there, none twice.
/// `None` when nothing is to change, because all are there or because it is `*`, which means everything already.
#[must_use]
pub fn merge_vary<'a>(present: impl IntoIterator<Item = &'a HeaderValue>) -> Option<HeaderValue> {
    let mut merged: Vec<u8> = Vec::new();
    let mut missing = [true; VARY_TOKENS.len()];
    for line in present {
        for token in line.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if token == b"*" {
                return None;
            }
            let known = VARY_TOKENS.iter().zip(&mut missing);
            let known = known.into_iter().find(|(known, _)| token.eq_ignore_ascii_case(known.as_bytes()));
            if known.is_none_or(|(_, missing)| std::mem::replace(missing, false)) {
                push(&mut merged, token);
            }
        }
    }
    if merged.is_empty() {
        return Some(VARY);
    }
    if missing.iter().all(|missing| !missing) {
        return None;
    }
    for (token, _) in VARY_TOKENS.iter().zip(missing).filter(|(_, missing)| *missing) {
        push(&mut merged, token.as_bytes());
    }
    HeaderValue::try_from(merged).ok()
}

fn push(list: &mut Vec<u8>, token: &[u8]) {
    if token.is_empty() {
        return;
    }
    if !list.is_empty() {
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(token);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vary_is_merged_and_never_doubled() {
        let cases: [(&[&str], Option<&str>); 7] = [
            (&[], Some("Origin, Access-Control-Request-Headers, Access-Control-Request-Method")),
            (&[""], Some("Origin, Access-Control-Request-Headers, Access-Control-Request-Method")),
            (
                &["Accept-Encoding", "oRIGIN"],
                Some("Accept-Encoding, oRIGIN, Access-Control-Request-Headers, Access-Control-Request-Method"),
            ),
            (&["Origin,Access-Control-Request-Method", "access-control-request-headers"], None),
            (
                &["Origin, Cookie", "origin, Origin"],
                Some("Origin, Cookie, Access-Control-Request-Headers, Access-Control-Request-Method"),
            ),
            (&["*"], None),
            (&["Accept-Encoding, *"], None),
        ];
        for (present, expected) in cases {
            let lines: Vec<_> = present.iter().map(|line| HeaderValue::from_str(line).unwrap()).collect();
            let merged = merge_vary(&lines);
            assert_eq!(merged.as_ref().map(|value| value.to_str().unwrap()), expected, "{present:?}");
        }
    }
}
