//! The headers that a script may send without being asked about, and those that it may not send at all.
//!
//! Decides: what the Fetch standard calls CORS-safelisted, no-CORS-safelisted and forbidden. A value has one character for each byte.

use super::chromium;

/// The longest value that is safelisted, and the longest that all of them together may be.
const MAX_VALUE: usize = 128;
const MAX_ALL_VALUES: usize = 1024;

/// "Forbidden request-header".
const FORBIDDEN: [&str; 20] = [
    "accept-charset",
    "accept-encoding",
    "access-control-request-headers",
    "access-control-request-method",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "date",
    "dnt",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
const METHOD_OVERRIDES: [&str; 3] = ["x-http-method", "x-http-method-override", "x-method-override"];
const FORBIDDEN_METHODS: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];

/// "Forbidden method".
pub(super) fn is_forbidden_method(method: &str) -> bool {
    FORBIDDEN_METHODS.iter().any(|forbidden| method.eq_ignore_ascii_case(forbidden))
}

/// "Forbidden request-header", of a name in lower case: a script's is dropped without an error. An unknown value counts as one
/// that forbids nothing.
pub(super) fn is_forbidden(name: &str, value: Option<&str>) -> bool {
    let overrides = || {
        METHOD_OVERRIDES.contains(&name)
            && value.is_some_and(|value| {
                value.split(',').any(|method| is_forbidden_method(method.trim_matches([' ', '\t'])))
            })
    };
    FORBIDDEN.contains(&name) || name == "via" || name.starts_with("proxy-") || name.starts_with("sec-") || overrides()
}

/// "No-CORS-safelisted request-header": any other is dropped from a request without CORS.
pub(super) fn is_no_cors_safelisted(name: &str, value: Option<&str>) -> bool {
    matches!(name, "accept" | "accept-language" | "content-language" | "content-type") && is_safelisted(name, value)
}

/// "CORS-unsafe request-header names": those that a preflight asks about, sorted, each once. The names are in lower case.
pub(super) fn unsafe_names<'h>(headers: impl Iterator<Item = (&'h str, Option<&'h str>)>) -> Vec<&'h str> {
    let (mut names, mut safelisted, mut length) = (Vec::new(), Vec::new(), 0);
    for (name, value) in headers {
        if is_safelisted(name, value) {
            safelisted.push(name);
            length += value.map_or(0, |value| value.chars().count());
        } else {
            names.push(name);
        }
    }
    if length > MAX_ALL_VALUES {
        names.append(&mut safelisted);
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// "CORS-safelisted request-header", and what Chromium takes for one. A value that is not known is not one.
fn is_safelisted(name: &str, value: Option<&str>) -> bool {
    let Some(value) = value.filter(|value| value.chars().count() <= MAX_VALUE) else { return false };
    match name {
        "accept" => !value.chars().any(is_unsafe),
        "accept-language" | "content-language" => value.chars().all(is_of_language),
        "content-type" => !value.chars().any(is_unsafe) && has_form_type(value),
        "range" => is_simple_range(value),
        _ => chromium::is_safelisted(name, value),
    }
}

/// "CORS-unsafe request-header byte".
fn is_unsafe(byte: char) -> bool {
    (byte < ' ' && byte != '\t') || "\"():<>?@[\\]{}\u{7f}".contains(byte)
}

fn is_of_language(byte: char) -> bool {
    byte.is_ascii_alphanumeric() || " *,-.;=".contains(byte)
}

/// Whether the essence is that of a form (MIME Sniffing, "parse a MIME type"): parameters do not count, valid or not.
fn has_form_type(value: &str) -> bool {
    let essence = value.split(';').next().unwrap_or(value).trim_matches([' ', '\t', '\r', '\n']);
    ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
        .iter()
        .any(|form| essence.eq_ignore_ascii_case(form))
}

/// "Parse a single range header value", without white space and with a start.
fn is_simple_range(value: &str) -> bool {
    let Some((first, last)) = value.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return false;
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if first.is_empty() || !is_number(first) || !is_number(last) {
        return false;
    }
    // As numbers of any length: the shorter one is smaller.
    let (first, end) = (first.trim_start_matches('0'), last.trim_start_matches('0'));
    last.is_empty() || (first.len(), first) <= (end.len(), end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(name: &str, value: &str) -> bool {
        !unsafe_names([(name, Some(value))].into_iter()).is_empty()
    }

    #[test]
    fn a_header_is_asked_about_unless_a_form_could_send_it() {
        let (long, longer) = ("a".repeat(128), "a".repeat(129));
        for (name, value, expected) in [
            ("accept", "*/*", false),
            ("accept", "a\tb", false),
            ("accept", "\u{e9}", false),
            ("accept", "a(b", true),
            ("accept", "a:b", true),
            ("accept", &long, false),
            ("accept", &longer, true),
            ("accept-language", "en-GB, *;q=0.5", false),
            ("accept-language", "en_GB", true),
            ("content-language", "de", false),
            ("content-type", "text/plain", false),
            ("content-type", "TEXT/plain ;charset=utf-8", false),
            ("content-type", "multipart/form-data; boundary=x", false),
            ("content-type", "text/plain; a=\"b\"", true),
            ("content-type", "application/json", true),
            ("content-type", "", true),
            ("content-type", "text", true),
            ("range", "bytes=0-5", false),
            ("range", "bytes=5-", false),
            ("range", "bytes=05-5", false),
            ("range", "bytes=99999999999999999999999-100000000000000000000000", false),
            ("range", "bytes=6-5", true),
            ("range", "bytes=-5", true),
            ("range", "bytes= 0-5", true),
            ("range", "bytes=0-1,3-4", true),
            ("range", "lines=0-1", true),
            ("authorization", "x", true),
            ("if-match", "x", true),
        ] {
            assert_eq!(asks(name, value), expected, "{name}: {value}");
        }
        assert_eq!(unsafe_names([("content-type", None)].into_iter()), ["content-type"]);
    }

    #[test]
    fn the_names_are_sorted_and_many_long_values_count_together() {
        let short = [("x-b", Some("1")), ("accept", Some("*/*")), ("x-a", Some("1")), ("x-b", Some("2"))];
        assert_eq!(unsafe_names(short.into_iter()), ["x-a", "x-b"]);
        let value = "a".repeat(128);
        let repeated = |times| std::iter::repeat_n(("accept", Some(&*value)), times);
        assert!(unsafe_names(repeated(8)).is_empty());
        assert_eq!(unsafe_names(repeated(9)), ["accept"]);
    }

    #[test]
    fn a_script_cannot_set_what_is_the_browsers() {
        for (name, value, expected) in [
            ("cookie", "a=b", true),
            ("host", "a", true),
            ("via", "a", true),
            ("sec-fetch-site", "none", true),
            ("proxy-authorization", "a", true),
            ("x-http-method-override", "PUT", false),
            ("x-http-method-override", "put, trace", true),
            ("x-amz-date", "a", false),
            ("authorization", "a", false),
            ("user-agent", "a", false),
        ] {
            assert_eq!(is_forbidden(name, Some(value)), expected, "{name}: {value}");
        }
        assert!(is_no_cors_safelisted("accept", Some("*/*")) && !is_no_cors_safelisted("range", Some("bytes=0-1")));
    }
}
