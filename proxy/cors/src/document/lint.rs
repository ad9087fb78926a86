//! What S3 accepts and no one wants: rules that never match a browser, that open more than they seem to, that are never reached.
//!
//! Decides: the warnings of a valid document. They change nothing.

use super::raw::RawRule;
use super::shared_suffix::is_shared;
use super::validate::seconds;
use super::warning::{Concern, NeverSent, TooWide, Warning};
use super::{Document, RulePlaces};
use crate::{AllowedMethod, CorsRule, HeaderPattern, OriginPattern};

/// The longest time that a browser keeps a preflight: Firefox a day, Chromium two hours.
pub(super) const LONGEST_MAX_AGE: i64 = 86_400;

impl Document {
    /// The warnings, in the order of the rules.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let rules = self.configuration.rules();
        for (index, (rule, places)) in rules.iter().zip(&self.places).enumerate() {
            origins(rule, places, &mut warnings);
            etag(rule, places, &mut warnings);
            warnings.extend(max_age(rule.max_age_seconds(), places));
            let earlier = rules.get(..index).unwrap_or_default();
            if let Some(before) = earlier.iter().position(|earlier| covers(earlier, rule)) {
                let concern = Concern::RuleNeverReached { rule: index + 1, earlier: before + 1 };
                warnings.push(Warning { concern, position: places.rule });
            }
        }
        warnings
    }
}

/// The warnings about single values of a document with errors. Which credentials a rule gives is known only if all its origins are.
pub(super) fn of_values(rules: &[RawRule], places: &[RulePlaces]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (rule, places) in rules.iter().zip(places) {
        let gives_credentials = !rule.origins_unread && rule.origins.iter().all(|origin| origin.text != "*");
        for (origin, position) in rule.origins.iter().zip(&places.origins) {
            let pattern = OriginPattern::parse(&origin.text).ok();
            let concern = pattern.and_then(|pattern| origin_concern(&pattern, gives_credentials));
            warnings.extend(concern.map(|concern| Warning { concern, position: *position }));
        }
        warnings.extend(max_age(rule.max_ages.first().and_then(seconds), places));
    }
    warnings
}

fn origins(rule: &CorsRule, places: &RulePlaces, warnings: &mut Vec<Warning>) {
    let gives_credentials = !rule.allows_any_origin();
    for (origin, place) in rule.allowed_origins().iter().zip(&places.origins) {
        if let Some(concern) = origin_concern(origin, gives_credentials) {
            warnings.push(Warning { concern, position: *place });
        }
    }
}

fn origin_concern(pattern: &OriginPattern, gives_credentials: bool) -> Option<Concern> {
    let text = pattern.as_str();
    if let Some(why) = never_sent(text) {
        return Some(Concern::OriginNeverMatches { origin: text.into(), why });
    }
    if text == "null" {
        return Some(Concern::OriginNull);
    }
    if gives_credentials && let Some(why) = too_wide(pattern) {
        return Some(Concern::OriginTooWide { origin: text.into(), why });
    }
    let host = text.strip_prefix("http://")?;
    let local =
        ["localhost", "127.", "[::1]"].iter().any(|local| host.starts_with(local)) || host.contains(".localhost");
    (gives_credentials && !local).then(|| Concern::InsecureOrigin { origin: text.into() })
}

/// Why no browser sends an Origin that this matches.
fn never_sent(text: &str) -> Option<NeverSent> {
    if text.is_empty() {
        return Some(NeverSent::Empty);
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(NeverSent::NotAscii);
    }
    if text.contains(',') {
        return Some(NeverSent::List);
    }
    if text.contains('*') {
        // The only slashes of an Origin are the two before its host.
        let has_path = text.split_once("//").is_some_and(|(_, rest)| rest.contains('/')) || text.ends_with('/');
        return has_path.then_some(NeverSent::Path);
    }
    if text == "null" {
        return None;
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Some(NeverSent::NoScheme);
    };
    if rest.contains('/') {
        return Some(NeverSent::Path);
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Some(NeverSent::UpperCase);
    }
    let default_port =
        matches!((scheme, rest.rsplit_once(':')), ("http", Some((_, "80"))) | ("https", Some((_, "443"))));
    default_port.then_some(NeverSent::DefaultPort)
}

/// Why a wildcard lets in sites of others: what follows it must begin with a dot and hold a domain, unless it is a port.
fn too_wide(pattern: &OriginPattern) -> Option<TooWide> {
    let (before, after) = pattern.around_wildcard()?;
    // "http*://example.com": the scheme alone is open.
    if after.starts_with("://") || (after.is_empty() && before.len() > "https://:".len() && before.ends_with(':')) {
        return None;
    }
    if after.is_empty() {
        return Some(TooWide::OpenEnd);
    }
    if !after.starts_with('.') {
        return Some(TooWide::NoDot);
    }
    let domain = after.trim_start_matches('.').split(':').next().unwrap_or_default();
    if is_shared(domain) {
        return Some(TooWide::SharedSuffix);
    }
    (!domain.contains('.') && domain != "localhost").then_some(TooWide::NoDomain)
}

fn etag(rule: &CorsRule, places: &RulePlaces, warnings: &mut Vec<Warning>) {
    let uploads =
        [AllowedMethod::Put, AllowedMethod::Post].iter().any(|method| rule.allowed_methods().contains(method));
    let exposes = rule.expose_headers().iter().any(|header| header.as_str().eq_ignore_ascii_case("etag"));
    if uploads && !exposes {
        warnings.push(Warning { concern: Concern::EtagNotExposed, position: places.rule });
    }
}

fn max_age(seconds: Option<i64>, places: &RulePlaces) -> Option<Warning> {
    let seconds = seconds.filter(|seconds| !(0..=LONGEST_MAX_AGE).contains(seconds))?;
    Some(Warning { concern: Concern::MaxAgeOutOfRange(seconds), position: places.max_age.unwrap_or(places.rule) })
}

/// Whether every request that `later` matches is matched by `earlier`. Textual comparison: false negatives possible, false
/// positives not.
fn covers(earlier: &CorsRule, later: &CorsRule) -> bool {
    let any_header = earlier.allowed_headers().iter().any(HeaderPattern::is_any);
    (earlier.allows_any_origin() || is_part(later.allowed_origins(), earlier.allowed_origins()))
        && is_part(later.allowed_methods(), earlier.allowed_methods())
        && (any_header || is_part(later.allowed_headers(), earlier.allowed_headers()))
}

fn is_part<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
    part.iter().all(|value| whole.contains(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    fn codes(rules: &str) -> Vec<(&'static str, usize, usize)> {
        let text = format!("<CORSConfiguration>{rules}</CORSConfiguration>");
        let document = Document::parse(text.as_bytes(), Format::Xml).unwrap();
        let place = |warning: Warning| (warning.code().as_str(), warning.position().line, warning.position().column);
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
            "https://*.a.example/path",
            "https://a.example,https://b.example",
            "https://*.a.example, https://b.example",
        ] {
            assert_eq!(origin_codes(origin), ["OriginNeverMatches"], "{origin}");
        }
    }

    #[test]
    fn a_warning_says_what_to_write() {
        for (origin, hint) in [
            ("", "write an origin, such as https://app.example"),
            ("a.example", "write https://a.example"),
            (" https://a.example ", "write https://a.example, without white space around it"),
            ("http://a http://b", "white space does not separate values: write one AllowedOrigin for each"),
            ("https://bücher.example", "write the host in punycode, without spaces"),
            ("https://A.example", "write https://a.example"),
            ("https://a.example/", "remove everything after the host and port"),
            ("https://a.example:443", "remove the port"),
            ("http://a.example", "use https"),
            (
                "https://a.example,https://b.example",
                "a comma does not separate values: write one AllowedOrigin for each",
            ),
            ("null", "list the origins that need access"),
        ] {
            let rule = format!("[{{\"AllowedOrigins\": [\"{origin}\"], \"AllowedMethods\": [\"GET\"]}}]");
            let warnings = Document::parse(rule.as_bytes(), Format::Json).unwrap().warnings();
            assert_eq!(warnings.iter().map(Warning::hint).collect::<Vec<_>>(), [Some(hint.into())], "{origin}");
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
            "https://*.vercel.app",
            "https://shop-*.pages.dev",
            "*.s3.eu-central-1.amazonaws.com",
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
            "https://*.shop.pages.dev",
            "https://*.vercel.app.example",
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
