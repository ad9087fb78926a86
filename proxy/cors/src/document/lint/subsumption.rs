//! Which rules no request reaches, because each of the requests that they match belongs to an earlier rule.

use super::super::warning::Concern;
use super::{Found, Linted};
use crate::wildcard::Wildcard;
use crate::{CorsRule, HeaderPattern, OriginPattern};

pub(super) fn unreached(linted: &Linted<'_>, earlier: &[Linted<'_>], found: &mut Found) {
    let place = linted.places.rule;
    if let Some(before) = earlier.iter().find(|earlier| covers_rule(earlier.rule, linted.rule)) {
        found.push(Concern::RuleNeverReached { rule: linted.number, earlier: before.number }, place);
    } else if let Some(takers) = takers(linted.rule, earlier) {
        found.push(Concern::RuleTakenByEarlier { rule: linted.number, earlier: takers.into() }, place);
    }
}

fn covers_rule(earlier: &CorsRule, later: &CorsRule) -> bool {
    later.allowed_methods().iter().all(|method| earlier.allowed_methods().contains(method))
        && later.allowed_origins().iter().all(|origin| covers_origin(earlier, origin))
        && covers_headers(earlier, later)
}

/// The earlier rules that together match every request of this one: a request has one origin and one method, so that each pair of
/// them has to have a rule. In the document's order.
fn takers(rule: &CorsRule, earlier: &[Linted<'_>]) -> Option<Vec<usize>> {
    let candidates: Vec<_> = earlier.iter().filter(|earlier| covers_headers(earlier.rule, rule)).collect();
    let mut takers = Vec::new();
    for origin in rule.allowed_origins() {
        let of_origin: Vec<_> = candidates.iter().filter(|earlier| covers_origin(earlier.rule, origin)).collect();
        for method in rule.allowed_methods() {
            let taker = of_origin.iter().find(|earlier| earlier.rule.allowed_methods().contains(method))?;
            takers.push(taker.number);
        }
    }
    takers.sort_unstable();
    takers.dedup();
    Some(takers)
}

fn covers_origin(earlier: &CorsRule, origin: &OriginPattern) -> bool {
    earlier.allowed_origins().iter().any(|pattern| covers(pattern.wildcard(), origin.wildcard()))
}

/// A request may ask for any of the headers that a rule allows, also for several.
fn covers_headers(earlier: &CorsRule, later: &CorsRule) -> bool {
    let covers_header = |header: &HeaderPattern| {
        earlier.allowed_headers().iter().any(|pattern| covers(pattern.lower_wildcard(), header.lower_wildcard()))
    };
    later.allowed_headers().iter().all(covers_header)
}

/// Whether one pattern matches all that the other matches.
fn covers(pattern: &Wildcard, other: &Wildcard) -> bool {
    match other {
        Wildcard::Exact(text) => pattern.matches(text.as_bytes()),
        Wildcard::Pattern { prefix, suffix } => {
            pattern.parts().is_some_and(|(before, after)| prefix.starts_with(before) && suffix.ends_with(after))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_matches_no_more_than_it() {
        for (pattern, other, expected) in [
            ("*", "https://*.a", true),
            ("https://*.a", "https://x.a", true),
            ("https://*.a", "https://*.b.a", true),
            ("https://*.a", "https://pr-*.a", true),
            ("https://*.a", "https://a", false),
            ("https://*.b.a", "https://*.a", false),
            ("https://x.a", "https://*.a", false),
            ("https://x.a", "https://x.a", true),
            ("aba*ba", "aba", false),
        ] {
            let parse = |text| Wildcard::parse(text).unwrap();
            assert_eq!(covers(&parse(pattern), &parse(other)), expected, "{pattern} covers {other}");
        }
    }
}
