//! What S3 accepts and nobody wants: rules that never match a browser, that open more than they seem to, that are never reached.
//!
//! Decides: the warnings of a valid document. They change nothing; `--strict` makes them errors.

use super::{Document, RulePlaces};
use crate::Position;
use crate::{AllowedMethod, CorsRule, OriginPattern};
use std::fmt;

/// The kinds of warning; their names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WarningCode {
    /// No browser sends such an Origin.
    OriginNeverMatches,
    /// The pattern matches origins of others, and they get credentials.
    OriginTooWide,
    /// `null` is the origin of every sandboxed frame.
    OriginNull,
    /// Credentials for an origin that anybody on the network can forge.
    InsecureOrigin,
    /// A page can not finish a multipart upload without reading `ETag`.
    EtagNotExposed,
    /// An earlier rule matches whatever this one would.
    RuleNeverReached,
    /// No browser keeps a preflight that long, or takes a negative time.
    MaxAgeOutOfRange,
}

impl WarningCode {
    /// The name, for machines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OriginNeverMatches => "OriginNeverMatches",
            Self::OriginTooWide => "OriginTooWide",
            Self::OriginNull => "OriginNull",
            Self::InsecureOrigin => "InsecureOrigin",
            Self::EtagNotExposed => "EtagNotExposed",
            Self::RuleNeverReached => "RuleNeverReached",
            Self::MaxAgeOutOfRange => "MaxAgeOutOfRange",
        }
    }
}

impl fmt::Display for WarningCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A warning and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The kind.
    pub code: WarningCode,
    /// What is the matter and what to write instead.
    pub message: String,
    /// Where.
    pub position: Position,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.position, self.code, self.message)
    }
}

/// The longest time that a browser keeps a preflight: Firefox a day, Chromium two hours.
const LONGEST_MAX_AGE: i64 = 86_400;

impl Document {
    /// The warnings, in the order of the rules.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let rules = self.configuration.rules();
        for (index, (rule, places)) in rules.iter().zip(&self.places).enumerate() {
            origins(rule, places, &mut warnings);
            etag(rule, places, &mut warnings);
            max_age(rule, places, &mut warnings);
            let earlier = rules.get(..index).unwrap_or_default();
            if let Some(before) = earlier.iter().position(|earlier| covers(earlier, rule)) {
                let message =
                    format!("rule {} is never reached: rule {} matches all that it would", index + 1, before + 1);
                warnings.push(Warning { code: WarningCode::RuleNeverReached, message, position: places.rule });
            }
        }
        warnings
    }
}

fn origins(rule: &CorsRule, places: &RulePlaces, warnings: &mut Vec<Warning>) {
    let gives_credentials = !rule.allowed_origins.iter().any(OriginPattern::is_any);
    for (origin, place) in rule.allowed_origins.iter().zip(&places.origins) {
        if let Some((code, message)) = origin_warning(origin, gives_credentials) {
            warnings.push(Warning { code, message, position: *place });
        }
    }
}

fn origin_warning(pattern: &OriginPattern, gives_credentials: bool) -> Option<(WarningCode, String)> {
    let text = pattern.as_str();
    if let Some(why) = never_sent(text) {
        return Some((
            WarningCode::OriginNeverMatches,
            format!("AllowedOrigin {text:?} never matches a browser: {why}"),
        ));
    }
    if text == "null" {
        let message = "AllowedOrigin \"null\" is the origin of every sandboxed frame and data: URL, of any site";
        return Some((WarningCode::OriginNull, message.into()));
    }
    if gives_credentials && let Some(why) = too_wide(pattern) {
        let message = format!("AllowedOrigin {text:?} {why}, and S3 answers each with credentials");
        return Some((WarningCode::OriginTooWide, message));
    }
    let host = text.strip_prefix("http://")?;
    let local =
        ["localhost", "127.", "[::1]"].iter().any(|local| host.starts_with(local)) || host.contains(".localhost");
    (gives_credentials && !local).then(|| {
        let message = format!("AllowedOrigin {text:?} is plain http: whoever sits on the network can be it; use https");
        (WarningCode::InsecureOrigin, message)
    })
}

/// Why no browser sends an Origin that this matches (Fetch, serialising an origin: scheme, host, port unless the scheme's own).
fn never_sent(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("an Origin has no spaces and no characters outside ASCII; write the host in punycode");
    }
    if text.contains('*') {
        return text.ends_with('/').then_some("an Origin does not end with a slash");
    }
    if text == "null" {
        return None;
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Some("it has no scheme; write https:// before it");
    };
    if rest.contains('/') {
        return Some("an Origin has no path and no slash at its end");
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some("an Origin is in lower case");
    }
    let default_port =
        matches!((scheme, rest.rsplit_once(':')), ("http", Some((_, "80"))) | ("https", Some((_, "443"))));
    default_port.then_some("an Origin leaves out the scheme's own port")
}

/// Why a wildcard lets in sites of others: what follows it must begin with a dot and hold a domain, unless it is a port.
fn too_wide(pattern: &OriginPattern) -> Option<&'static str> {
    let (before, after) = pattern.around_wildcard()?;
    // "http*://example.com": the scheme alone is open.
    if after.starts_with("://") || (after.is_empty() && before.len() > "https://:".len() && before.ends_with(':')) {
        return None;
    }
    if after.is_empty() {
        return Some("ends with its wildcard and so matches any site that begins like it");
    }
    if !after.starts_with('.') {
        return Some("has no dot behind its wildcard and so matches any site whose name ends like it");
    }
    let domain = after.trim_start_matches('.').split(':').next().unwrap_or_default();
    (!domain.contains('.') && domain != "localhost")
        .then_some("has no domain behind its wildcard, only a suffix that others share")
}

fn etag(rule: &CorsRule, places: &RulePlaces, warnings: &mut Vec<Warning>) {
    let uploads = [AllowedMethod::Put, AllowedMethod::Post].iter().any(|method| rule.allowed_methods.contains(method));
    let exposes = rule.expose_headers.iter().any(|header| header.as_str().eq_ignore_ascii_case("etag"));
    if uploads && !exposes {
        let message =
            "a rule for uploads that does not expose ETag: a page can not finish a multipart upload without it";
        warnings.push(Warning { code: WarningCode::EtagNotExposed, message: message.into(), position: places.rule });
    }
}

fn max_age(rule: &CorsRule, places: &RulePlaces, warnings: &mut Vec<Warning>) {
    let out_of_range = rule.max_age_seconds.filter(|seconds| !(0..=LONGEST_MAX_AGE).contains(seconds));
    if let Some(seconds) = out_of_range {
        let message =
            format!("MaxAgeSeconds {seconds}: browsers ignore a negative one and cap at {LONGEST_MAX_AGE} or less");
        let position = places.max_age.unwrap_or(places.rule);
        warnings.push(Warning { code: WarningCode::MaxAgeOutOfRange, message, position });
    }
}

/// Whether every request that `later` matches is matched by `earlier`. Patterns are compared as texts, so it can miss, not lie.
fn covers(earlier: &CorsRule, later: &CorsRule) -> bool {
    let any_origin = earlier.allowed_origins.iter().any(OriginPattern::is_any);
    let any_header = earlier.allowed_headers.iter().any(|header| header.as_str() == "*");
    (any_origin || later.allowed_origins.iter().all(|origin| earlier.allowed_origins.contains(origin)))
        && later.allowed_methods.iter().all(|method| earlier.allowed_methods.contains(method))
        && (any_header || later.allowed_headers.iter().all(|header| earlier.allowed_headers.contains(header)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn codes(rules: &str) -> Vec<(&'static str, usize, usize)> {
        let text = format!("<CORSConfiguration>{rules}</CORSConfiguration>");
        let document = Document::parse(text.as_bytes(), Format::Xml).unwrap();
        let place = |warning: Warning| (warning.code.as_str(), warning.position.line, warning.position.column);
        document.warnings().into_iter().map(place).collect()
    }

    fn origin_codes(origin: &str) -> Vec<&'static str> {
        let rule =
            format!("<CORSRule><AllowedOrigin>{origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>");
        codes(&rule).into_iter().map(|(code, ..)| code).collect()
    }

    #[test]
    fn origins_that_no_browser_sends_are_named() {
        for origin in [
            "",
            "https://a.example/",
            "https://A.example",
            "https://a.example:443",
            "http://a.example:80",
            "https://bücher.example",
            "a.example",
            " https://a.example",
            "https://a.example/path",
        ] {
            assert_eq!(origin_codes(origin), ["OriginNeverMatches"], "{origin}");
        }
    }

    #[test]
    fn patterns_that_let_in_others_are_named() {
        for origin in [
            "https://*",
            "http*",
            "*.com",
            "*example.com",
            "https://www.example.*",
            "https://example.com*",
            "https://*.com",
        ] {
            assert_eq!(origin_codes(origin), ["OriginTooWide"], "{origin}");
        }
    }

    #[test]
    fn good_origins_pass() {
        for origin in [
            "*",
            "https://a.example",
            "https://*.app.example",
            "http://localhost:*",
            "http*://a.example",
            "app://x",
            "https://a.example:8443",
        ] {
            assert_eq!(origin_codes(origin), [""; 0], "{origin}");
        }
    }

    #[test]
    fn other_warnings_have_the_place_of_what_they_speak_of() {
        let rule = "\n<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>\
                    <MaxAgeSeconds>-1</MaxAgeSeconds></CORSRule>";
        let expected = [
            ("EtagNotExposed", 2, 1),
            ("MaxAgeOutOfRange", 2, 77),
            ("EtagNotExposed", 3, 1),
            ("MaxAgeOutOfRange", 3, 77),
            ("RuleNeverReached", 3, 1),
        ];
        assert_eq!(codes(&rule.repeat(2)), expected);
        assert_eq!(origin_codes("null"), ["OriginNull"]);
        assert_eq!(origin_codes("http://a.example"), ["InsecureOrigin"]);
    }
}
