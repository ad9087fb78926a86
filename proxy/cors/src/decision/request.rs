//! The parts of a request that CORS looks at.
//!
//! Decides: which header lines matter, and what several lines of one name mean. The request's other headers and its Referer never
//! matter (S3: ls-headers-list-get-real-unlisted, ls-origins-options-referer). Must not know: rules.

use http::header::{ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{HeaderMap, Method};

/// The parts of a request that CORS looks at, borrowed from any head that the caller has.
///
/// ```
/// let mut request = s3_cors::CorsRequest::new(b"GET");
/// request.add_line(b"origin", b"https://app.example");
/// request.add_line(b"User-Agent", b"ignored");
/// assert_eq!(request.origin(), Some(&b"https://app.example"[..]));
/// ```
#[derive(Clone, Debug)]
pub struct CorsRequest<'r> {
    method: &'r [u8],
    origin: Lines<'r>,
    asked_method: Lines<'r>,
    asked_headers: HeaderLists<'r>,
    site: Lines<'r>,
}

/// What a browser says about the page's origin and that of the request (Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

impl<'r> CorsRequest<'r> {
    /// A request with this method and no header yet.
    #[must_use]
    pub const fn new(method: &'r [u8]) -> Self {
        let none = Lines { first: None, first_filled: None, has_more: false, has_more_filled: false };
        let asked_headers = HeaderLists { first: None, more: Vec::new() };
        Self { method, origin: none, asked_method: none, asked_headers, site: none }
    }

    /// Adds a header line, its value without the white space around it. A name that CORS does not look at is ignored.
    #[inline(always)]
    pub fn add_line(&mut self, name: &[u8], value: &'r [u8]) {
        // Most lines are told by the length of their name.
        match name.len() {
            6 if is_named(name, b"origin") => self.origin.add(value),
            14 if is_named(name, b"sec-fetch-site") => self.site.add(value),
            29 if is_named(name, b"access-control-request-method") => self.asked_method.add(value),
            30 if is_named(name, b"access-control-request-headers") => self.asked_headers.add(value),
            _ => {}
        }
    }

    /// The request's own method.
    #[must_use]
    pub const fn method(&self) -> &'r [u8] {
        self.method
    }

    /// The first Origin line as it was sent, for logs. It can be empty, hold any byte, and be one of several.
    #[must_use]
    pub const fn origin(&self) -> Option<&'r [u8]> {
        self.origin.first
    }

    /// The method that the response to a preflight names: the one asked for, or `OPTIONS` when none is
    /// (S3: ls-noconfig-options-origin-only).
    #[must_use]
    pub fn asked_method(&self) -> &'r str {
        self.asked_method.first_filled.and_then(text).unwrap_or("OPTIONS")
    }

    /// A preflight's method is exactly OPTIONS: methods are case-sensitive (RFC 9110 §9.1).
    pub(crate) fn is_options(&self) -> bool {
        self.method == b"OPTIONS"
    }

    /// Whether there is an Origin that is not empty: S3 treats an empty one as none.
    pub(crate) const fn has_origin(&self) -> bool {
        self.origin.first_filled.is_some()
    }

    /// Whether a browser says that the page has the origin that it requests from. It sends Origin with such a request too, unless that
    /// is GET or HEAD (Fetch, "append a request Origin header").
    #[must_use]
    pub fn is_same_origin(&self) -> bool {
        self.site.first == Some(b"same-origin") && !self.site.has_more
    }

    /// The one Origin. Two of them, or bytes outside visible ASCII and the space, match nothing, not even `*`: no client that
    /// follows the Fetch standard sends them, and what is reflected must be safe in a header.
    pub(crate) fn only_origin(&self) -> Option<&'r str> {
        let only = self.origin.first_filled.filter(|_| !self.origin.has_more)?;
        if only.contains(&b'\t') { None } else { text(only) }
    }

    /// The method asked for, empty lines ignored; `Err` for two.
    pub(crate) const fn only_asked_method(&self) -> Result<Option<&'r [u8]>, TwoMethods> {
        if self.asked_method.has_more_filled { Err(TwoMethods) } else { Ok(self.asked_method.first_filled) }
    }

    /// The method that the rules are asked about: the first one asked for, else the request's own.
    #[must_use]
    pub fn method_in_question(&self) -> &'r [u8] {
        self.asked_method.first_filled.unwrap_or(self.method)
    }

    /// The lines of `Access-Control-Request-Headers`.
    pub(crate) const fn asked_headers(&self) -> &HeaderLists<'r> {
        &self.asked_headers
    }
}

impl<'r> From<(&'r Method, &'r HeaderMap)> for CorsRequest<'r> {
    fn from((method, headers): (&'r Method, &'r HeaderMap)) -> Self {
        let mut request = Self::new(method.as_str().as_bytes());
        headers.get_all(ORIGIN).iter().for_each(|line| request.origin.add(line.as_bytes()));
        let asked = headers.get_all(ACCESS_CONTROL_REQUEST_METHOD);
        asked.iter().for_each(|line| request.asked_method.add(line.as_bytes()));
        let asked = headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS);
        asked.iter().for_each(|line| request.asked_headers.add(line.as_bytes()));
        headers.get_all(SEC_FETCH_SITE).iter().for_each(|line| request.site.add(line.as_bytes()));
        request
    }
}

/// Returns true for this name in any case; `known` is in lower case.
#[inline]
fn is_named<const LENGTH: usize>(name: &[u8], known: &[u8; LENGTH]) -> bool {
    let Ok(name) = <&[u8; LENGTH]>::try_from(name) else { return false };
    // Of a size that is known, and without an early end: so many bytes are compared at once.
    name.iter().zip(known).fold(true, |all, (byte, known)| all & (byte.to_ascii_lowercase() == *known))
}

/// Two methods were asked for.
pub(crate) struct TwoMethods;

/// The lines of a header that has one value: the first ones, and whether there are more.
#[derive(Clone, Copy, Debug)]
struct Lines<'r> {
    first: Option<&'r [u8]>,
    /// The first that is not empty.
    first_filled: Option<&'r [u8]>,
    has_more: bool,
    has_more_filled: bool,
}

impl<'r> Lines<'r> {
    const fn add(&mut self, value: &'r [u8]) {
        if self.first.is_some() {
            self.has_more = true;
        } else {
            self.first = Some(value);
        }
        if value.is_empty() {
            return;
        }
        if self.first_filled.is_some() {
            self.has_more_filled = true;
        } else {
            self.first_filled = Some(value);
        }
    }
}

/// The lines of a header that is a list. Browsers send one, so that only more of them are stored on the heap.
#[derive(Clone, Debug)]
pub(crate) struct HeaderLists<'r> {
    first: Option<&'r [u8]>,
    more: Vec<&'r [u8]>,
}

impl<'r> HeaderLists<'r> {
    fn add(&mut self, value: &'r [u8]) {
        if self.first.is_some() {
            self.more.push(value);
        } else {
            self.first = Some(value);
        }
    }

    /// The line, if there is exactly one.
    pub(crate) fn only(&self) -> Option<&'r [u8]> {
        self.first.filter(|_| self.more.is_empty())
    }

    /// The lines: one list together (RFC 9110 §5.3).
    pub(crate) fn lines(&self) -> impl Iterator<Item = &'r [u8]> {
        self.first.into_iter().chain(self.more.iter().copied())
    }
}

/// Visible ASCII, spaces and tabs.
fn text(bytes: &[u8]) -> Option<&str> {
    // Without an early end, several bytes are compared at once.
    let is_text = bytes.iter().fold(true, |all, byte| all & matches!(byte, b'\t' | b' '..=b'~'));
    if is_text { std::str::from_utf8(bytes).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    type Values = &'static [&'static [u8]];

    /// The same lines, added one by one and read from a map.
    fn both(lines: &[(&'static str, &'static [u8])], check: impl Fn(&CorsRequest<'_>)) {
        let mut added = CorsRequest::new(b"OPTIONS");
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            added.add_line(name.as_bytes(), value);
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value).unwrap());
        }
        check(&added);
        check(&CorsRequest::from((&Method::OPTIONS, &map)));
    }

    #[test]
    fn an_origin_is_one_printable_line() {
        let cases: [(Values, bool, Option<&str>); 9] = [
            (&[], false, None),
            (&[b""], false, None),
            (&[b"", b""], false, None),
            (&[b"https://a"], true, Some("https://a")),
            (&[b"https://a", b"https://a"], true, None),
            (&[b"", b"https://a"], true, None),
            (&[b"https://a", b""], true, None),
            (&[b"a b"], true, Some("a b")),
            (&[b"a\tb"], true, None),
        ];
        for (lines, has_origin, only) in cases {
            let named: Vec<_> = lines.iter().map(|line| ("oRIGIN", *line)).collect();
            both(&named, |request| {
                assert_eq!((request.has_origin(), request.only_origin()), (has_origin, only), "{lines:?}");
                assert_eq!(request.origin(), lines.first().copied(), "{lines:?}");
            });
        }
    }

    #[test]
    fn the_method_asked_for_is_the_first_line_that_is_not_empty() {
        let cases: [(Values, &str, bool); 6] = [
            (&[], "OPTIONS", false),
            (&[b""], "OPTIONS", false),
            (&[b"", b"PUT"], "PUT", false),
            (&[b"PUT", b"", b"GET"], "PUT", true),
            (&[b"GET, PUT"], "GET, PUT", false),
            (&[b"\xff"], "OPTIONS", false),
        ];
        for (lines, named, two) in cases {
            let lines: Vec<_> = lines.iter().map(|line| ("Access-Control-REQUEST-Method", *line)).collect();
            both(&lines, |request| {
                assert_eq!((request.asked_method(), request.only_asked_method().is_err()), (named, two), "{lines:?}");
            });
        }
    }

    #[test]
    fn a_request_of_the_same_origin_says_so_once() {
        let cases: [(Values, bool); 4] =
            [(&[], false), (&[b"same-origin"], true), (&[b"same-origin", b"same-origin"], false), (&[b"none"], false)];
        for (lines, expected) in cases {
            let named: Vec<_> = lines.iter().map(|line| ("Sec-Fetch-SITE", *line)).collect();
            both(&named, |request| assert_eq!(request.is_same_origin(), expected, "{lines:?}"));
        }
    }

    #[test]
    fn several_lists_of_headers_are_kept_in_order_and_other_headers_are_ignored() {
        let lines: [(&str, &[u8]); 5] = [
            ("access-control-request-headers", b"a"),
            ("referer", b"https://a"),
            ("Access-Control-Request-Headers", b""),
            ("x-origin", b"https://a"),
            ("access-control-request-headers", b"b, c"),
        ];
        both(&lines, |request| {
            assert_eq!(request.asked_headers().lines().collect::<Vec<_>>(), [&b"a"[..], b"", b"b, c"]);
            assert_eq!((request.origin(), request.method()), (None, &b"OPTIONS"[..]));
        });
    }
}
