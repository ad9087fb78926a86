//! The fewest rules that allow a set of requests and nothing else.
//!
//! A rule allows each of its origins with each of its methods and with each set of its headers. So a rule that allows a request with
//! its most headers has just these, and for one set of headers it remains to cover pairs of an origin and a method.

use super::methods::{Methods, Need, bit, fewest, is_possible, list};
use super::wanted::Wanted;
use crate::{CorsRule, HeaderPattern, OriginPattern};
use std::collections::{BTreeMap, BTreeSet};

/// The names of some headers.
type Names<'w> = BTreeSet<&'w str>;

/// The fewest rules that allow these requests, and those that ask for fewer of the same headers, and nothing else. Two requests of an
/// origin that ask for different headers with the same method get two rules: one rule would allow both headers together.
///
/// The rules expose no header and have no `MaxAgeSeconds` ([`smallest_change`](crate::smallest_change) says why). They can be more
/// than a document can have.
#[must_use]
pub fn smallest_rules(wanted: &[Wanted]) -> Vec<CorsRule> {
    let asked = Asked::new(wanted);
    let mut rules: Vec<_> = asked.greatest().iter().flat_map(|headers| asked.rules_for(headers)).collect();
    rules.sort_by(|a, b| texts(a).cmp(texts(b)));
    rules
}

fn texts(rule: &CorsRule) -> impl Iterator<Item = &str> {
    rule.allowed_origins().iter().map(OriginPattern::as_str)
}

/// The sets of headers that are asked for, by origin and method.
struct Asked<'w>(BTreeMap<(&'w str, Methods), Vec<Names<'w>>>);

impl<'w> Asked<'w> {
    fn new(wanted: &'w [Wanted]) -> Self {
        let mut asked: BTreeMap<_, Vec<Names<'w>>> = BTreeMap::new();
        for wanted in wanted {
            let pair = (wanted.origin().as_str(), bit(wanted.method()));
            asked.entry(pair).or_default().push(wanted.headers().iter().map(HeaderPattern::as_str).collect());
        }
        Self(asked)
    }

    /// The sets that some origin and method have and of which they have no larger one: each needs a rule with just these headers.
    fn greatest(&self) -> BTreeSet<Names<'w>> {
        let of_pair =
            |sets: &Vec<Names<'w>>| sets.iter().filter(|set| is_greatest(set, sets)).cloned().collect::<Vec<_>>();
        self.0.values().flat_map(of_pair).collect()
    }

    /// The rules with these headers.
    fn rules_for(&self, headers: &Names<'w>) -> Vec<CorsRule> {
        let mut open = self.needs(headers);
        let different: BTreeSet<_> = open.values().copied().collect();
        let sets = fewest(&different.into_iter().collect::<Vec<_>>());
        sets.into_iter().filter_map(|methods| rule(take(&mut open, methods), methods, headers)).collect()
    }

    /// What each origin needs of the rules with these headers.
    fn needs(&self, headers: &Names<'w>) -> BTreeMap<&'w str, Need> {
        let mut needs: BTreeMap<_, Need> = BTreeMap::new();
        for ((origin, method), sets) in &self.0 {
            let need = needs.entry(*origin).or_default();
            if sets.iter().any(|set| headers.is_subset(set)) {
                need.possible |= method;
            }
            if sets.contains(headers) && is_greatest(headers, sets) {
                need.needed |= method;
            }
        }
        needs.retain(|_, need| need.needed != 0);
        needs
    }
}

fn is_greatest(set: &Names<'_>, sets: &[Names<'_>]) -> bool {
    sets.iter().all(|other| other == set || !set.is_subset(other))
}

/// The origins that may have these methods and still need one of them, which they then no longer do.
fn take<'w>(open: &mut BTreeMap<&'w str, Need>, methods: Methods) -> Vec<&'w str> {
    let taking = open.iter_mut().filter(|(_, need)| is_possible(**need, methods) && need.needed & methods != 0);
    let taking = taking.map(|(origin, need)| {
        need.needed &= !methods;
        *origin
    });
    taking.collect()
}

/// `None` without an origin.
fn rule(origins: Vec<&str>, methods: Methods, headers: &Names<'_>) -> Option<CorsRule> {
    let origins = origins.into_iter().filter_map(|origin| OriginPattern::parse(origin).ok()).collect();
    let headers = headers.iter().filter_map(|header| HeaderPattern::parse(header).ok()).collect();
    Some(CorsRule::new(origins, list(methods)).ok()?.with_allowed_headers(headers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AllowedMethod;

    /// Origin, method, headers.
    type Request<'t> = (&'t str, &'t str, &'t str);

    fn rules(wanted: &[Request<'_>]) -> Vec<String> {
        let wanted: Vec<_> = wanted
            .iter()
            .map(|(origin, method, headers)| Wanted::new(origin, method, Some(headers)).unwrap())
            .collect();
        let said = smallest_rules(&wanted).into_iter().map(|rule| {
            let methods = rule.allowed_methods().iter().copied().map(AllowedMethod::as_str).collect::<Vec<_>>();
            let headers = rule.allowed_headers().iter().map(HeaderPattern::as_str).collect::<Vec<_>>();
            format!("{} {} {}", texts(&rule).collect::<Vec<_>>().join(","), methods.join(","), headers.join(","))
        });
        said.collect()
    }

    #[test]
    fn requests_share_a_rule_where_it_allows_nothing_else() {
        let cases: [(&[Request<'_>], &[&str]); 8] = [
            (&[], &[]),
            (&[("a", "GET", ""), ("b", "GET", ""), ("a", "GET", "")], &["a,b GET "]),
            (&[("a", "GET", ""), ("a", "PUT", ""), ("b", "GET", ""), ("b", "PUT", "")], &["a,b GET,PUT "]),
            (&[("a", "GET", ""), ("a", "PUT", ""), ("b", "GET", "")], &["a GET,PUT ", "b GET "]),
            // Fewer headers come with more of them.
            (&[("a", "PUT", "x,y"), ("a", "PUT", "y"), ("a", "PUT", "")], &["a PUT x,y"]),
            (&[("a", "PUT", "x"), ("a", "PUT", "y")], &["a PUT x", "a PUT y"]),
            // b may put with x by its other rule: one rule with x is enough.
            (
                &[("a", "PUT", "x"), ("a", "GET", "x"), ("b", "GET", "x"), ("b", "PUT", "x,y")],
                &["a,b GET,PUT x", "b PUT x,y"],
            ),
            // Three origins, each with another pair of three methods: three rules, by origin or by method.
            (
                &[
                    ("a", "GET", ""),
                    ("a", "PUT", ""),
                    ("b", "PUT", ""),
                    ("b", "POST", ""),
                    ("c", "GET", ""),
                    ("c", "POST", ""),
                ],
                &["a GET,PUT ", "b PUT,POST ", "c GET,POST "],
            ),
        ];
        for (wanted, expected) in cases {
            assert_eq!(rules(wanted), expected, "{wanted:?}");
        }
    }
}
