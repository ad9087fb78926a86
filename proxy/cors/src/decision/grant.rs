//! What a matching rule grants to one request: the same headers on the response to a preflight and to an actual request
//! (S3: ls-expose-preflight, sd-get-acrh-listed).

use super::asked::AskedHeaders;
use super::table::CompiledRule;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderName,
};
use http::{HeaderMap, HeaderValue};
use std::sync::Arc;

const TRUE: HeaderValue = HeaderValue::from_static("true");
const ANY: HeaderValue = HeaderValue::from_static("*");

/// What a matching rule grants to one request.
#[derive(Clone, Debug)]
pub struct Grant {
    rule: Arc<CompiledRule>,
    allow_origin: HeaderValue,
    allow_headers: Option<HeaderValue>,
}

impl Grant {
    /// The origin is visible ASCII and spaces.
    #[expect(clippy::expect_used, reason = "an origin was read as visible ASCII and spaces")]
    pub(crate) fn new(rule: Arc<CompiledRule>, origin: &str, headers: AskedHeaders) -> Self {
        let allow_origin = if rule.grants_any_origin() {
            ANY
        } else {
            HeaderValue::from_str(origin).expect("visible ASCII and spaces")
        };
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

    /// Calls `set` with each header of the grant, each at most once. `Vary` is not among them: it depends on the bucket, not on
    /// the grant ([`merge_vary`](crate::merge_vary)).
    pub fn for_each_header(&self, mut set: impl FnMut(&HeaderName, &HeaderValue)) {
        set(&ACCESS_CONTROL_ALLOW_ORIGIN, &self.allow_origin);
        set(&ACCESS_CONTROL_ALLOW_METHODS, &self.rule.allow_methods);
        if let Some(headers) = &self.allow_headers {
            set(&ACCESS_CONTROL_ALLOW_HEADERS, headers);
        }
        if let Some(headers) = &self.rule.expose_headers {
            set(&ACCESS_CONTROL_EXPOSE_HEADERS, headers);
        }
        if let Some(seconds) = &self.rule.max_age {
            set(&ACCESS_CONTROL_MAX_AGE, seconds);
        }
        // Never "false", and never beside "*" (Fetch, CORS check; S3: ls-origins-star-options).
        if self.rule.credentials {
            set(&ACCESS_CONTROL_ALLOW_CREDENTIALS, &TRUE);
        }
    }

    /// The headers of the grant as a map.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(6);
        self.for_each_header(|name, value| {
            map.insert(name.clone(), value.clone());
        });
        map
    }
}
