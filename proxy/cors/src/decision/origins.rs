//! Which rules of a table allow an origin, found without walking the rules.
//!
//! Decides: how origins are looked up. Exact origins are in one hash table. Patterns are found by the text before their `*`, then by
//! the text after it: what a lookup costs depends on how many different lengths those texts have, not on how many there are.

use crate::wildcard::Wildcard;
use crate::{CorsConfiguration, MAX_RULES, OriginPattern};
use foldhash::fast::RandomState;
use std::collections::HashMap;

/// Some rules of one table, by their places from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleSet(u128);

const _: () = assert!(MAX_RULES <= u128::BITS as usize, "every rule has a bit");

impl RuleSet {
    const fn insert(&mut self, place: usize) {
        self.0 |= 1 << place;
    }

    const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn contains(self, place: usize) -> bool {
        self.0 >> place & 1 == 1
    }

    /// The places in ascending order, which is the document's.
    pub(crate) fn iter(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let place = left.trailing_zeros() as usize;
            (left != 0).then(|| {
                left &= left - 1;
                place
            })
        })
    }
}

/// The origins of all rules of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct OriginIndex {
    /// The rules with `*` alone.
    any: RuleSet,
    exact: ByText<RuleSet>,
    /// By the text before the `*`, then by the text after it.
    patterns: Affixes<Affixes<RuleSet>>,
}

type ByText<T> = HashMap<Box<[u8]>, T, RandomState>;

/// Beginnings or ends of texts, all of which are found in one text by trying each of their lengths.
#[derive(Clone, Debug)]
struct Affixes<T> {
    /// Ascending, each once.
    lengths: Vec<usize>,
    by_text: ByText<T>,
}

impl<T> Default for Affixes<T> {
    fn default() -> Self {
        Self { lengths: Vec::new(), by_text: ByText::default() }
    }
}

impl<T: Default> Affixes<T> {
    fn entry(&mut self, text: &str) -> &mut T {
        if let Err(place) = self.lengths.binary_search(&text.len()) {
            self.lengths.insert(place, text.len());
        }
        self.by_text.entry(text.as_bytes().into()).or_default()
    }
}

impl OriginIndex {
    pub(crate) fn new(configuration: &CorsConfiguration) -> Self {
        let mut index = Self::default();
        for (place, rule) in configuration.rules().iter().enumerate() {
            for origin in rule.allowed_origins().iter().map(OriginPattern::wildcard) {
                index.rules_of(origin).insert(place);
            }
        }
        index.exact.shrink_to_fit();
        index
    }

    fn rules_of(&mut self, origin: &Wildcard) -> &mut RuleSet {
        match origin {
            Wildcard::Exact(text) => self.exact.entry(text.as_bytes().into()).or_default(),
            any if any.is_any() => &mut self.any,
            Wildcard::Pattern { prefix, suffix } => self.patterns.entry(prefix).entry(suffix),
        }
    }

    /// Whether a rule allows every origin.
    pub(crate) const fn allows_any(&self, place: usize) -> bool {
        self.any.contains(place)
    }

    /// The rules that allow this origin ([`OriginPattern::matches`]).
    pub(crate) fn rules_for(&self, origin: &[u8]) -> RuleSet {
        let mut rules = self.any;
        if !self.exact.is_empty()
            && let Some(exact) = self.exact.get(origin)
        {
            rules = rules.union(*exact);
        }
        for length in &self.patterns.lengths {
            let Some((prefix, rest)) = origin.split_at_checked(*length) else { break };
            let Some(suffixes) = self.patterns.by_text.get(prefix) else { continue };
            for length in &suffixes.lengths {
                let Some(start) = rest.len().checked_sub(*length) else { break };
                let suffix = rest.get(start..).and_then(|suffix| suffixes.by_text.get(suffix));
                rules = rules.union(suffix.copied().unwrap_or_default());
            }
        }
        rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AllowedMethod, CorsRule};

    fn index(rules: &[&[&str]]) -> OriginIndex {
        let rule = |origins: &&[&str]| {
            let origins = origins.iter().map(|origin| OriginPattern::parse(origin).unwrap()).collect();
            CorsRule::new(origins, vec![AllowedMethod::Get]).unwrap()
        };
        OriginIndex::new(&CorsConfiguration::new(rules.iter().map(rule).collect()).unwrap())
    }

    #[test]
    fn an_origin_has_the_rules_that_list_it_or_a_pattern_of_it_in_document_order() {
        let index = index(&[
            &["https://a.example", "https://b.example"],
            &["https://*.example", "https://*"],
            &["https://*.b.example", "http*://b.example"],
            &["*"],
            &["https://b.example", "null"],
        ]);
        for (origin, rules) in [
            ("https://a.example", &[0, 1, 3][..]),
            ("https://b.example", &[0, 1, 2, 3, 4]),
            ("http://b.example", &[2, 3]),
            ("https://x.b.example", &[1, 2, 3]),
            ("https://A.example", &[1, 3]),
            ("null", &[3, 4]),
            ("", &[3]),
        ] {
            assert_eq!(index.rules_for(origin.as_bytes()).iter().collect::<Vec<_>>(), rules, "{origin}");
        }
        assert!(index.allows_any(3) && !index.allows_any(1));
    }

    #[test]
    fn the_texts_around_a_wildcard_do_not_overlap() {
        let index = index(&[&["aba*ba"]]);
        for (origin, matches) in [("aba", false), ("abaa", false), ("ababa", true), ("abaxba", true)] {
            assert_eq!(index.rules_for(origin.as_bytes()).contains(0), matches, "{origin}");
        }
    }

    #[test]
    fn every_rule_of_the_largest_configuration_has_its_place() {
        let origins: Vec<String> = (0..MAX_RULES).map(|number| format!("https://{number}.example")).collect();
        let rules: Vec<[&str; 1]> = origins.iter().map(|origin| [origin.as_str()]).collect();
        let index = index(&rules.iter().map(|rule| &rule[..]).collect::<Vec<_>>());
        for (place, origin) in origins.iter().enumerate() {
            assert_eq!(index.rules_for(origin.as_bytes()).iter().collect::<Vec<_>>(), [place]);
        }
    }
}
