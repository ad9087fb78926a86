//! A request that is to be allowed.
//!
//! Decides: what of it a rule can name. Must not know: rules.

use super::cannot::CannotAllow;
use crate::decision::asked::Asked;
use crate::decision::denial::{Denial, stored};
use crate::method::AskedMethod;
use crate::{AllowedMethod, CorsRequest, HeaderPattern, OriginPattern};

/// A request that is to be allowed: a page's origin, the method and the headers that it wants to send.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    origin: OriginPattern,
    method: AllowedMethod,
    /// In lower case, in order, each once.
    headers: Vec<HeaderPattern>,
}

impl Wanted {
    /// Reads what a preflight asks for; the headers are separated by commas.
    ///
    /// # Errors
    /// [`CannotAllow`] for what no rule can allow, or not without allowing more.
    pub fn new(origin: &str, method: &str, request_headers: Option<&str>) -> Result<Self, CannotAllow> {
        let mut request = CorsRequest::new(b"OPTIONS");
        request.add_line(b"origin", origin.as_bytes());
        request.add_line(b"access-control-request-method", method.as_bytes());
        if let Some(headers) = request_headers {
            request.add_line(b"access-control-request-headers", headers.as_bytes());
        }
        if method.is_empty() {
            return Err(CannotAllow::NotAMethod("".into()));
        }
        let asked = Asked::read(&request).map_err(malformed)?;
        let AskedMethod::Allowable(allowable) = asked.method else {
            return Err(CannotAllow::Method(stored(method.as_bytes())));
        };
        if asked.headers.is_too_long() {
            return Err(CannotAllow::TooManyHeaders);
        }
        let mut names: Vec<_> = asked.headers.iter().map(<[u8]>::to_ascii_lowercase).collect();
        names.sort_unstable();
        names.dedup();
        let headers = names.iter().map(|name| exact_header(name)).collect::<Result<_, _>>()?;
        Ok(Self { origin: exact_origin(asked.origin, origin)?, method: allowable, headers })
    }

    /// The origin, as an `AllowedOrigin` that matches nothing else.
    #[must_use]
    pub const fn origin(&self) -> &OriginPattern {
        &self.origin
    }

    /// The method.
    #[must_use]
    pub const fn method(&self) -> AllowedMethod {
        self.method
    }

    /// The headers in order, each once, as `AllowedHeader`s in lower case that match nothing else.
    #[must_use]
    pub fn headers(&self) -> &[HeaderPattern] {
        &self.headers
    }
}

fn malformed(denial: Denial) -> CannotAllow {
    match denial {
        Denial::UnknownMethod(text) => CannotAllow::NotAMethod(text),
        Denial::MalformedHeader(text) => CannotAllow::MalformedHeader(text),
        Denial::NoOrigin | Denial::NoRules | Denial::Refused { .. } => CannotAllow::NoOrigin,
    }
}

/// `asked` is the origin if it is one line; a line of HTTP has no white space around it (RFC 9110 §5.5).
fn exact_origin(asked: Option<&str>, text: &str) -> Result<OriginPattern, CannotAllow> {
    let repeated = || stored(text.as_bytes());
    let origin = asked.filter(|origin| origin.trim() == *origin).ok_or_else(|| CannotAllow::Origin(repeated()))?;
    match OriginPattern::parse(origin) {
        Ok(exact) if !exact.has_wildcard() => Ok(exact),
        _ => Err(CannotAllow::OriginWildcard(repeated())),
    }
}

/// A header name may have a `*` in it (RFC 9110 §5.6.2).
fn exact_header(name: &[u8]) -> Result<HeaderPattern, CannotAllow> {
    let wildcard = || CannotAllow::HeaderWildcard(stored(name));
    let text = std::str::from_utf8(name).ok().filter(|text| !text.contains('*')).ok_or_else(wildcard)?;
    HeaderPattern::parse(text).map_err(|_| wildcard())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_read_as_a_browser_asks_for_it() {
        let wanted = Wanted::new("https://a.example", "PUT", Some("X-B, x-a,,x-b")).unwrap();
        let headers: Vec<_> = wanted.headers().iter().map(HeaderPattern::as_str).collect();
        assert_eq!(
            (wanted.origin().as_str(), wanted.method(), headers),
            ("https://a.example", AllowedMethod::Put, vec!["x-a", "x-b"])
        );
        assert!(Wanted::new("null", "GET", None).unwrap().headers().is_empty());
    }

    #[test]
    fn what_no_rule_can_allow_is_said_plainly() {
        let (a, long) = ("https://a.example", "x-a,".repeat(crate::MAX_REQUEST_HEADERS + 1));
        for (origin, method, headers, said) in [
            ("", "GET", "", "a request without an Origin"),
            ("https://\u{e9}", "GET", "", "one line of visible ASCII"),
            (" https://a.example", "GET", "", "one line of visible ASCII"),
            ("a\tb", "GET", "", "one line of visible ASCII"),
            ("https://*.example", "GET", "", "a * in an AllowedOrigin"),
            (a, "PATCH", "", "S3 rules cannot allow PATCH: "),
            (a, "OPTIONS", "", "S3 rules cannot allow OPTIONS: "),
            (a, "get", "", "the method \"get\""),
            (a, "", "", "the method \"\""),
            (a, "PROPFIND", "", "the method \"PROPFIND\""),
            (a, "GET", "x-a, b c", "the header \"b c\""),
            (a, "GET", "x-*", "just the header \"x-*\""),
            (a, "GET", &long, "so many headers"),
        ] {
            let cannot = Wanted::new(origin, method, Some(headers)).unwrap_err().to_string();
            assert!(cannot.contains(said), "{origin} {method} {headers}: {cannot}");
        }
    }
}
