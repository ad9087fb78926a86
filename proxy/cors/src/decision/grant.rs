//! What a matching rule grants to one request: the same headers on the response to a preflight and to an actual request
//! (S3: ls-expose-preflight, sd-get-acrh-listed).

use super::asked::{AskedHeaders, TokenList};
use super::table::CompiledRule;
use super::terms::{TRUE, write_line};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderName,
};
use http::{HeaderMap, HeaderValue};
use std::sync::Arc;

const ANY: HeaderValue = HeaderValue::from_static("*");

/// What a matching rule grants to one request.
#[derive(Clone, Debug)]
pub struct Grant {
    rule: Arc<CompiledRule>,
    allow_origin: HeaderValue,
    allow_headers: Option<TokenList>,
}

impl Grant {
    /// The origin is visible ASCII and spaces.
    #[expect(clippy::expect_used, reason = "an origin was read as visible ASCII and spaces")]
    pub(crate) fn new(rule: Arc<CompiledRule>, origin: &str, headers: AskedHeaders<'_>) -> Self {
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
        set(&ACCESS_CONTROL_ALLOW_METHODS, &self.rule.terms.allow_methods);
        if let Some(headers) = &self.allow_headers {
            set(&ACCESS_CONTROL_ALLOW_HEADERS, &headers.to_header());
        }
        if let Some(headers) = &self.rule.terms.expose_headers {
            set(&ACCESS_CONTROL_EXPOSE_HEADERS, headers);
        }
        if let Some(seconds) = &self.rule.terms.max_age {
            set(&ACCESS_CONTROL_MAX_AGE, seconds);
        }
        // Never "false", and never beside "*" (Fetch, CORS check; S3: ls-origins-star-options).
        if self.rule.terms.credentials {
            set(&ACCESS_CONTROL_ALLOW_CREDENTIALS, &TRUE);
        }
    }

    /// Writes the same headers in the same order as lines of HTTP/1.1: few pieces, since most of them are ready. Their names are in
    /// lower case.
    pub fn write_lines(&self, mut write: impl FnMut(&[u8])) {
        write_line(&ACCESS_CONTROL_ALLOW_ORIGIN, self.allow_origin.as_bytes(), &mut write);
        write(&self.rule.terms.lines.first);
        if let Some(headers) = &self.allow_headers {
            write_line(&ACCESS_CONTROL_ALLOW_HEADERS, headers.as_bytes(), &mut write);
        }
        write(&self.rule.terms.lines.last);
    }

    /// The first header, in the order in which they are written, that another grant says otherwise or leaves out; `None` where both
    /// say the same to a client, whatever rules they are of.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<HeaderName> {
        let (own, others) = (&self.rule.terms, &other.rule.terms);
        let is_same = [
            (self.allow_origin == other.allow_origin, ACCESS_CONTROL_ALLOW_ORIGIN),
            (own.allow_methods == others.allow_methods, ACCESS_CONTROL_ALLOW_METHODS),
            (self.allow_headers == other.allow_headers, ACCESS_CONTROL_ALLOW_HEADERS),
            (own.expose_headers == others.expose_headers, ACCESS_CONTROL_EXPOSE_HEADERS),
            (own.max_age == others.max_age, ACCESS_CONTROL_MAX_AGE),
            (own.credentials == others.credentials, ACCESS_CONTROL_ALLOW_CREDENTIALS),
        ];
        is_same.into_iter().find_map(|(is_same, name)| (!is_same).then_some(name))
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

#[cfg(test)]
mod tests {
    use crate::{CorsRequest, Credentials, Document, Format, RuleTable, evaluate};

    #[test]
    fn two_grants_differ_in_the_first_header_that_one_of_them_says_otherwise() {
        let table = |rule: &str| {
            let document = format!("<CORSConfiguration><CORSRule>{rule}</CORSRule></CORSConfiguration>");
            let document = Document::parse(document.as_bytes(), Format::Xml).unwrap();
            RuleTable::new(document.configuration(), Credentials::S3)
        };
        let (named, any) = ("<AllowedOrigin>https://a</AllowedOrigin>", "<AllowedOrigin>*</AllowedOrigin>");
        let (get, put) = ("<AllowedMethod>GET</AllowedMethod>", "<AllowedMethod>PUT</AllowedMethod>");
        let (header, age) = ("<AllowedHeader>x-a</AllowedHeader>", "<MaxAgeSeconds>5</MaxAgeSeconds>");
        let expose = "<ExposeHeader>ETag</ExposeHeader>";
        for (one, other, differs) in [
            (
                [named, get, ""].concat(),
                ["<ID>x</ID>", named, get, "<AllowedOrigin>https://b</AllowedOrigin>"].concat(),
                None,
            ),
            // No header was asked for.
            ([named, get, header].concat(), [named, get].concat(), None),
            ([named, get].concat(), [any, get, expose].concat(), Some("access-control-allow-origin")),
            ([named, get].concat(), [named, get, put].concat(), Some("access-control-allow-methods")),
            ([named, get].concat(), [named, get, expose, age].concat(), Some("access-control-expose-headers")),
            ([named, get, age].concat(), [named, get].concat(), Some("access-control-max-age")),
        ] {
            let mut request = CorsRequest::new(b"GET");
            request.add_line(b"origin", b"https://a");
            let (one, other) = (table(&one), table(&other));
            let [one, other] = [&one, &other].map(|rules| evaluate(Some(rules), &request));
            let (one, other) = (one.grant().unwrap(), other.grant().unwrap());
            for difference in [one.first_difference(other), other.first_difference(one)] {
                assert_eq!(difference.as_ref().map(http::HeaderName::as_str), differs);
            }
            assert_eq!(one.headers() == other.headers(), differs.is_none());
        }
    }

    #[test]
    fn lines_say_what_the_headers_say() {
        let whole = "<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>5</MaxAgeSeconds>";
        for (origin, more) in [("https://a", ""), ("*", ""), ("https://a", whole), ("*", whole)] {
            let document = format!(
                "<CORSConfiguration><CORSRule><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod>\
                 <AllowedMethod>PUT</AllowedMethod>{more}</CORSRule></CORSConfiguration>"
            );
            let document = Document::parse(document.as_bytes(), Format::Xml).unwrap();
            for (credentials, asked) in [(Credentials::S3, None), (Credentials::Never, Some("x-a,x-b"))] {
                let rules = RuleTable::new(document.configuration(), credentials);
                let mut request = CorsRequest::new(b"GET");
                request.add_line(b"origin", b"https://a");
                let asked = asked.filter(|_| !more.is_empty());
                asked
                    .into_iter()
                    .for_each(|asked| request.add_line(b"access-control-request-headers", asked.as_bytes()));
                let decision = evaluate(Some(&rules), &request);
                let grant = decision.grant().unwrap();
                let (mut lines, mut headers) = (Vec::new(), Vec::new());
                grant.write_lines(|bytes| lines.extend_from_slice(bytes));
                grant.for_each_header(|name, value| {
                    headers.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
                });
                assert_eq!(lines.escape_ascii().to_string(), headers.escape_ascii().to_string());
                assert!(lines.starts_with(b"access-control-allow-origin: "));
            }
        }
    }
}
