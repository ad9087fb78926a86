//! What is wrong with an `AllowedOrigin`, judged by the origins of browsers that it matches and not by its text.
//!
//! Whether a pattern matches any, and those of whom, is found with examples: what may stand for the `*` so that an origin results.
//! An origin has few parts (scheme, host, port), so a few examples reach each of them from each.

use super::super::warning::{Concern, NeverSent, TooWide};
use super::browser_origin::BrowserOrigin;
use super::public_suffix;
use crate::OriginPattern;
use crate::placeholder::{example_label, placeholder};

/// What stands for the `*` inside host and port, always for two owners: as a label or its end, as labels before a dot, as labels
/// after one, as what ends a host or begins a port. The deeper names are public suffixes below names that are none.
const EXAMPLES: [&str; 17] = [
    "",
    "a",
    "stranger-a",
    "stranger-b",
    "stranger-a.",
    ".stranger-a.com",
    "stranger-a.com",
    ".stranger-a.com:8081",
    "stranger-a.com:8081",
    "stranger-a.s3",
    "stranger-b.s3",
    "stranger-a.blob.core",
    "stranger-b.blob.core",
    "1",
    "2",
    "8081",
    ":8081",
];

/// What stands for the `*` of a usual pattern, between a scheme and a dot: labels of two owners, above each depth of a public suffix.
const LABELS: [&str; 6] =
    ["stranger-a", "stranger-b", "stranger-a.s3", "stranger-b.s3", "stranger-a.blob.core", "stranger-b.blob.core"];

/// What stands for the `*` where none of the examples makes an origin: parts of IP addresses, and schemes of applications.
const PARTS_OF_ADDRESSES: [&str; 27] = [
    "", "1", ".1", ".1.1", ".1.1.1", "1.1", "1.1.1", "1.", "1.1.", "1.1.1.", ".1.", ".1.1.", ".", "[::1]", "[::1",
    "[::", "[:", "[", "[1", "::1]", ":1]", "1]", "]", "::1", ":1", "::", "://a",
];

/// Reads what a pattern became with an example in the place of its wildcard, or a pattern without one.
fn parse<'t>(pattern: &str, text: &'t str) -> Result<BrowserOrigin<'t>, NeverSent> {
    if pattern.contains('*') { BrowserOrigin::parse_filled(text) } else { BrowserOrigin::parse(text) }
}

pub(super) fn concern(pattern: &OriginPattern, gives_credentials: bool) -> Option<Concern> {
    let origin = pattern.as_str();
    if pattern.is_any() {
        return None;
    }
    if pattern.matches(b"null") {
        return Some(Concern::OriginNull);
    }
    let candidates = candidates(pattern);
    let matched: Vec<_> = candidates.iter().filter_map(|text| parse(origin, text).ok()).collect();
    if matched.is_empty() {
        return Some(Concern::OriginNeverMatches { origin: origin.into(), why: why_never(origin, &candidates) });
    }
    if !gives_credentials {
        return None;
    }
    if is_of_several_owners(&matched) {
        return Some(Concern::OriginTooWide { origin: origin.into(), why: why_wide(pattern) });
    }
    let insecure = matched.iter().any(BrowserOrigin::is_insecure);
    insecure.then(|| Concern::InsecureOrigin { origin: origin.into() })
}

/// Returns the note about a pattern that any port but the scheme's own matches, unless another origin of the rule has that one.
/// A server on the machine itself seldom has it.
pub(super) fn note(pattern: &OriginPattern, beside: &[OriginPattern]) -> Option<Concern> {
    let (before, after) = pattern.around_wildcard()?;
    let portless = before.strip_suffix(':').filter(|_| after.is_empty())?;
    let origin = BrowserOrigin::parse(portless).ok().filter(|origin| !origin.is_loopback())?;
    let has_default = beside.iter().any(|other| other.matches(portless.as_bytes()));
    (origin.site().is_some() && !has_default)
        .then(|| Concern::DefaultPortNotMatched { origin: pattern.as_str().into() })
}

/// Returns the note about a name that is hardly the author's own.
pub(super) fn example_note(pattern: &OriginPattern) -> Option<Concern> {
    let origin = pattern.as_str();
    if placeholder(origin).is_some() {
        return None;
    }
    example_label(origin).map(|label| Concern::OriginLikeExample { origin: origin.into(), label: label.into() })
}

/// Texts that the pattern matches; if it matches an origin of a browser, then one of these is one.
fn candidates(pattern: &OriginPattern) -> Vec<String> {
    let Some((before, after)) = pattern.around_wildcard() else { return vec![pattern.as_str().to_owned()] };
    if before.ends_with("://") && after.starts_with('.') {
        let usual = LABELS.map(|label| format!("{before}{label}{after}"));
        if usual.iter().all(|text| parse(pattern.as_str(), text).is_ok()) {
            return usual.into();
        }
    }
    let texts = texts(before, after, &EXAMPLES.map(str::to_owned));
    if texts.iter().any(|text| parse(pattern.as_str(), text).is_ok()) {
        return texts;
    }
    let rarer = PARTS_OF_ADDRESSES.iter().flat_map(|part| ["", ":", ":9"].map(|port| format!("{part}{port}")));
    self::texts(before, after, &rarer.collect::<Vec<_>>())
}

/// What is between the parts of a pattern, also with the rest of the scheme that the pattern begins or goes on with.
fn texts(before: &str, after: &str, examples: &[String]) -> Vec<String> {
    let mut fillings = examples.to_vec();
    for scheme in ["https://", "http://"] {
        let Some(rest) = scheme.strip_prefix(before).filter(|rest| !rest.is_empty()) else { continue };
        fillings.extend(examples.iter().map(|example| format!("{rest}{example}")));
        // The pattern goes on within the scheme: "http*://a.example".
        let starts = (0..rest.len()).filter_map(|end| rest.split_at_checked(end));
        let within = starts.filter(|(_, left)| after.starts_with(left));
        fillings.extend(within.map(|(start, _)| start.to_owned()));
    }
    fillings.iter().map(|filling| format!("{before}{filling}{after}")).collect()
}

/// The reason that holds for all texts that the pattern matches, or the last one: the other texts have more wrong with them.
fn why_never(origin: &str, candidates: &[String]) -> NeverSent {
    let reasons = || candidates.iter().filter_map(|text| parse(origin, text).err());
    let exact = || reasons().next().unwrap_or(NeverSent::Host);
    if !origin.contains('*') {
        return exact();
    }
    let upper_case = origin.contains(|character: char| character.is_ascii_uppercase());
    let order = [
        NeverSent::Placeholder,
        NeverSent::RegularExpression,
        NeverSent::List,
        NeverSent::Several,
        NeverSent::NotAscii,
        NeverSent::User,
        NeverSent::Query,
        NeverSent::Path,
        NeverSent::UpperCase,
    ];
    let of_all = order.into_iter().find(|why| reasons().all(|reason| reason == *why));
    let of_some =
        || [NeverSent::DefaultPort, NeverSent::Port].into_iter().find(|why| reasons().any(|reason| reason == *why));
    of_all.or_else(|| upper_case.then_some(NeverSent::UpperCase)).or_else(of_some).unwrap_or_else(exact)
}

fn is_of_several_owners(origins: &[BrowserOrigin<'_>]) -> bool {
    let mut sites = origins.iter().filter_map(BrowserOrigin::site);
    let Some(first) = sites.next() else { return false };
    sites.any(|site| site != first)
}

/// How the pattern's text lets them in: for people.
fn why_wide(pattern: &OriginPattern) -> TooWide {
    let (_, after) = pattern.around_wildcard().unwrap_or_default();
    let host = after.split(':').next().unwrap_or_default();
    let name = host.trim_start_matches('.');
    let is_shared = public_suffix::is_shared(name);
    if after.is_empty() {
        TooWide::OpenEnd
    } else if name.is_empty() || (public_suffix::registered(name).is_none() && !is_shared) {
        TooWide::NoDomain
    } else if is_shared || host.starts_with('.') {
        TooWide::SharedSuffix
    } else {
        TooWide::NoDot
    }
}

/// An origin of a browser that the pattern matches.
pub(crate) fn example(pattern: &OriginPattern) -> Option<String> {
    if pattern.is_any() {
        return Some("https://app.example".to_owned());
    }
    candidates(pattern).into_iter().find(|text| parse(pattern.as_str(), text).is_ok())
}
