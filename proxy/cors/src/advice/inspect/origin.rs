//! Where an origin stops matching.
//!
//! Decides: which `AllowedOrigin` of a rule comes nearest, and what of the page's origin it does not match. S3 compares texts; people
//! mean schemes, hosts and ports, so the difference is found by repairing one part at a time and asking the pattern again.

use crate::OriginPattern;
use crate::document::lint::browser_origin::BrowserOrigin;
use crate::document::warning::NeverSent;
use std::cmp::Reverse;

/// The nearest `AllowedOrigin` of a rule, and what in the origin it does not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginDifference {
    /// What the rule allows.
    pub allowed: OriginPattern,
    /// What differs.
    pub why: OriginMismatch,
}

/// What in an origin is not as an `AllowedOrigin` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginMismatch {
    /// Only upper and lower case differ; S3 compares them.
    Case,
    /// The rule has a path, if only a slash, and an Origin has none.
    SlashInRule,
    /// The page's origin was given with a path or a slash.
    SlashInOrigin,
    /// The rule names the scheme's own port, which browsers leave out.
    DefaultPortInRule,
    /// The rule has no scheme.
    NoSchemeInRule,
    /// The scheme differs: the page's.
    Scheme(Box<str>),
    /// The port differs: the page's, or none.
    Port(Option<Box<str>>),
    /// The page's host is below the rule's.
    Below(Box<str>),
    /// The page's host is the one above the rule's, wildcard or not.
    Above(Box<str>),
    /// The host differs: the page's.
    Host(Box<str>),
    /// The page's origin is `null`: a sandboxed frame, a file, or a redirect across origins.
    Null,
    /// No browser has this origin.
    NotAnOrigin(NeverSent),
}

impl OriginMismatch {
    /// The name, for machines.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::SlashInRule => "slash_in_rule",
            Self::SlashInOrigin => "slash_in_origin",
            Self::DefaultPortInRule => "default_port_in_rule",
            Self::NoSchemeInRule => "no_scheme_in_rule",
            Self::Scheme(_) => "scheme",
            Self::Port(_) => "port",
            Self::Below(_) => "subdomain_below",
            Self::Above(_) => "subdomain_above",
            Self::Host(_) => "host",
            Self::Null => "null",
            Self::NotAnOrigin(_) => "not_an_origin",
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Case => "the page's origin has the same letters in another case, and S3 compares case".to_owned(),
            Self::SlashInRule => "an Origin has no path and no slash at its end, so this never matches".to_owned(),
            Self::SlashInOrigin => "an Origin has no path and no slash at its end".to_owned(),
            Self::DefaultPortInRule => "browsers leave out the scheme's own port, so this never matches".to_owned(),
            Self::NoSchemeInRule => "an Origin begins with a scheme, so this never matches".to_owned(),
            Self::Scheme(scheme) => format!("the page's scheme is {scheme}"),
            Self::Port(Some(port)) => format!("the page's port is {port}"),
            Self::Port(None) => "the page has the scheme's own port".to_owned(),
            Self::Below(host) => {
                format!("the page's host {host} is below it, which needs an origin or a pattern of its own")
            }
            Self::Above(host) => format!("the page's host {host} is a level above it"),
            Self::Host(host) => format!("the page's host is {host}"),
            Self::Null => {
                "the page's origin is null, as of a sandboxed frame, a file, or a redirect across origins".to_owned()
            }
            Self::NotAnOrigin(why) => format!("no browser has this origin: {}", why.as_str()),
        }
    }
}

impl OriginDifference {
    /// What differs from the nearest of a rule's origins; `None` where one matches. `origin` is `None` if the request has no
    /// origin that could match.
    pub(super) fn nearest(patterns: &[OriginPattern], origin: Option<&str>) -> Option<Self> {
        let text = origin.unwrap_or_default();
        if origin.is_some() && patterns.iter().any(|pattern| pattern.matches(text.as_bytes())) {
            return None;
        }
        let differences =
            patterns.iter().map(|pattern| Self { allowed: pattern.clone(), why: mismatch(pattern, text) });
        differences.min_by_key(|difference| (difference.nearness(), Reverse(common(&difference.allowed, text))))
    }

    /// How near the origin is to the rule's: less is nearer.
    #[must_use]
    pub const fn nearness(&self) -> u8 {
        self.why.nearness()
    }

    /// The difference, for people: what stands after "rule 1".
    #[must_use]
    pub fn message(&self) -> String {
        format!("allows {}; {}", self.allowed, self.why.message())
    }
}

impl OriginMismatch {
    const fn nearness(&self) -> u8 {
        match self {
            Self::Case => 0,
            Self::SlashInRule => 1,
            Self::SlashInOrigin => 2,
            Self::DefaultPortInRule => 3,
            Self::NoSchemeInRule => 4,
            Self::Scheme(_) => 5,
            Self::Port(_) => 6,
            Self::Below(_) | Self::Above(_) => 7,
            Self::Host(_) => 8,
            Self::Null | Self::NotAnOrigin(_) => 9,
        }
    }
}

/// How many characters of the ends of both are the same: of two hosts that differ, the one with more of the domain is nearer.
fn common(pattern: &OriginPattern, origin: &str) -> usize {
    pattern.as_str().bytes().rev().zip(origin.bytes().rev()).take_while(|(a, b)| a == b).count()
}

/// An origin's or a pattern's parts, as far as it has them.
struct Parts<'t> {
    scheme: &'t str,
    host: &'t str,
    port: Option<&'t str>,
}

impl<'t> Parts<'t> {
    /// `None` without a scheme.
    fn of(text: &'t str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (rest, None),
        };
        Some(Self { scheme, host, port })
    }

    fn text(scheme: &str, host: &str, port: Option<&str>) -> String {
        port.map_or_else(|| format!("{scheme}://{host}"), |port| format!("{scheme}://{host}:{port}"))
    }

    fn without_default_port(&self) -> Option<String> {
        let default = matches!((self.scheme, self.port), ("http", Some("80")) | ("https", Some("443")));
        default.then(|| Self::text(self.scheme, self.host, None))
    }
}

fn mismatch(pattern: &OriginPattern, origin: &str) -> OriginMismatch {
    if origin == "null" {
        return OriginMismatch::Null;
    }
    let matches = |pattern: &str, origin: &str| {
        OriginPattern::parse(pattern).is_ok_and(|pattern| pattern.matches(origin.as_bytes()))
    };
    let allowed = pattern.as_str();
    if matches(&allowed.to_ascii_lowercase(), &origin.to_ascii_lowercase()) {
        return OriginMismatch::Case;
    }
    if without_path(allowed).is_some_and(|allowed| matches(allowed, origin)) {
        return OriginMismatch::SlashInRule;
    }
    if without_path(origin).is_some_and(|origin| matches(allowed, origin)) {
        return OriginMismatch::SlashInOrigin;
    }
    let page = match (BrowserOrigin::parse(origin), Parts::of(origin)) {
        (Ok(_), Some(page)) => page,
        (Ok(_), None) => return OriginMismatch::NotAnOrigin(NeverSent::NoScheme),
        (Err(why), _) => return OriginMismatch::NotAnOrigin(why),
    };
    match Parts::of(allowed) {
        Some(parts) => mismatch_of_parts(&parts, &page, &matches),
        None if matches(&format!("{}://{allowed}", page.scheme), origin) => OriginMismatch::NoSchemeInRule,
        None => OriginMismatch::Host(page.host.into()),
    }
}

fn mismatch_of_parts(allowed: &Parts<'_>, page: &Parts<'_>, matches: &dyn Fn(&str, &str) -> bool) -> OriginMismatch {
    let pattern = Parts::text(allowed.scheme, allowed.host, allowed.port);
    let origin = Parts::text(page.scheme, page.host, page.port);
    if allowed.without_default_port().is_some_and(|allowed| matches(&allowed, &origin)) {
        return OriginMismatch::DefaultPortInRule;
    }
    let is_host = matches(allowed.host, page.host);
    if is_host && !matches(allowed.scheme, page.scheme) {
        return OriginMismatch::Scheme(page.scheme.into());
    }
    if is_host && !matches(&pattern, &origin) {
        return OriginMismatch::Port(page.port.map(Into::into));
    }
    let domain = allowed.host.strip_prefix("*.").unwrap_or(allowed.host);
    let is_below = |host: &str, domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    if is_below(page.host, domain) {
        OriginMismatch::Below(page.host.into())
    } else if page.host == domain || is_below(domain, page.host) {
        OriginMismatch::Above(page.host.into())
    } else {
        OriginMismatch::Host(page.host.into())
    }
}

/// Without what follows host and port; `None` where nothing does.
fn without_path(text: &str) -> Option<&str> {
    let start = text.find("://")? + 3;
    let length = text.get(start..)?.find(['/', '?', '#'])?;
    text.get(..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_stops_matching_where_its_first_part_differs() {
        let app = "https://app.example";
        for (allowed, origin, why, said) in [
            (&[app][..], "http://app.example", "scheme", "allows https://app.example; the page's scheme is http"),
            (&[app], "https://app.example:8443", "port", "the page's port is 8443"),
            (&["https://app.example:8443"], app, "port", "the page has the scheme's own port"),
            (&["https://app.example/"], app, "slash_in_rule", "no slash at its end, so this never matches"),
            (&["https://*.example/"], app, "slash_in_rule", "no path"),
            (&[app], "https://app.example/", "slash_in_origin", "no slash at its end"),
            (&[app], "https://app.example/index.html", "slash_in_origin", "no path"),
            (&["https://App.example"], app, "case", "another case"),
            (&[app], "https://APP.example", "case", "another case"),
            (&["https://app.example:443"], app, "default_port_in_rule", "the scheme's own port"),
            (&["app.example"], app, "no_scheme_in_rule", "begins with a scheme"),
            (&["*.example"], "null", "null", "null"),
            (&[app], "https://www.app.example", "subdomain_below", "www.app.example is below it"),
            (&["https://*.app.example"], app, "subdomain_above", "app.example is a level above it"),
            (&["https://www.app.example"], app, "subdomain_above", "a level above it"),
            (&["https://*.app.example"], "http://x.app.example", "scheme", "the page's scheme is http"),
            (&["https://*.app.example"], "https://x.app.example:1", "port", "the page's port is 1"),
            (&[app], "https://evil.example", "host", "the page's host is evil.example"),
            (&[app], "app.example", "not_an_origin", "it has no scheme"),
            (&[app], "https://a b", "not_an_origin", "no spaces"),
            // Of several, the nearest.
            (&["https://evil.test", "http://app.example", "https://x"], app, "scheme", "allows http://app.example;"),
            (
                &["https://b.test", "https://www.app.example"],
                "https://x.app.example",
                "host",
                "allows https://www.app.example;",
            ),
        ] {
            let patterns: Vec<_> = allowed.iter().map(|text| OriginPattern::parse(text).unwrap()).collect();
            let difference = OriginDifference::nearest(&patterns, Some(origin)).unwrap();
            assert_eq!(difference.why.as_str(), why, "{allowed:?} {origin}");
            assert!(difference.message().contains(said), "{allowed:?} {origin}: {}", difference.message());
        }
        let any = OriginPattern::parse("*").unwrap();
        assert_eq!(OriginDifference::nearest(std::slice::from_ref(&any), Some("https://a")), None);
        assert!(OriginDifference::nearest(&[any], None).is_some(), "two origins are none");
    }
}
