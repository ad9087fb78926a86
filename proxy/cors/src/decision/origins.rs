//! Which rules of a table allow an origin, found without walking the rules.
//!
//! Decides: how origins are looked up. Exact origins are found by their hash. Patterns are found by the text before their `*`, then by
//! the text after it: what a lookup costs depends on how many different lengths those texts have, not on how many there are.

use super::chains::Chains;
use super::origin_list::OriginList;
use crate::{CorsConfiguration, MAX_RULES};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;

/// Some rules of one table, by their places from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RuleSet(u128);

const _: () = assert!(MAX_RULES <= u128::BITS as usize, "every rule has a bit");

impl RuleSet {
    const fn insert(&mut self, place: usize) {
        self.0 |= 1 << place;
    }

    fn insert_some(&mut self, place: Option<usize>) {
        place.into_iter().for_each(|place| self.insert(place));
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

/// The origins of all rules of a table. Each text is there once: what is looked up are numbers of origins.
#[derive(Clone, Debug, Default)]
pub(crate) struct OriginIndex {
    list: OriginList,
    /// The rules with `*` alone.
    any: RuleSet,
    hasher: RandomState,
    /// The origins without a `*`, by their text.
    exact: Chains,
    /// The patterns, by the number of their prefix and the text after the `*`.
    patterns: Chains,
    /// The texts before a `*`, each once.
    prefixes: Box<[PatternStart]>,
    by_prefix: Chains,
    /// The lengths of the prefixes, ascending, each once.
    prefix_lengths: Box<[usize]>,
}

/// A text before the `*` of patterns.
#[derive(Clone, Debug)]
struct PatternStart {
    /// The first pattern that begins with it.
    pattern: usize,
    /// The lengths of the texts after the `*`, ascending, each once.
    suffix_lengths: Box<[usize]>,
}

impl OriginIndex {
    pub(crate) fn new(configuration: &CorsConfiguration) -> Self {
        let mut index = Self { list: OriginList::new(configuration), ..Self::default() };
        let mut prefixes: BTreeMap<&str, (usize, BTreeSet<usize>)> = BTreeMap::new();
        let (mut any, mut exact) = (RuleSet::default(), 0);
        for number in 0..index.list.len() {
            match (index.list.around_wildcard(number), index.list.rule(number)) {
                (Some(("", "")), Some(rule)) => any.insert(rule),
                (Some((before, after)), _) => {
                    prefixes.entry(before).or_insert_with(|| (number, BTreeSet::new())).1.insert(after.len());
                }
                (None, _) => exact += 1,
            }
        }
        let lengths: BTreeSet<_> = prefixes.keys().map(|prefix| prefix.len()).collect();
        let of_pattern = |(pattern, lengths): (usize, BTreeSet<usize>)| PatternStart {
            pattern,
            suffix_lengths: lengths.into_iter().collect(),
        };
        index.prefixes = prefixes.into_values().map(of_pattern).collect();
        (index.any, index.prefix_lengths) = (any, lengths.into_iter().collect());
        index.chain(exact);
        index
    }

    /// Makes all that was listed findable.
    fn chain(&mut self, exact: usize) {
        let room = |entries: usize| if entries == 0 { Chains::default() } else { Chains::with_room(self.list.len()) };
        let (mut exact, mut patterns) = (room(exact), room(self.prefixes.len()));
        self.by_prefix = Chains::with_room(self.prefixes.len());
        for prefix in &self.prefixes {
            let text = self.list.around_wildcard(prefix.pattern).map(|(before, _)| before.as_bytes());
            self.by_prefix.push(text.map(|text| self.hasher.hash_one(text)));
        }
        for number in 0..self.list.len() {
            let around = self.list.around_wildcard(number);
            let text = self.list.text(number).as_bytes();
            exact.push(
                around
                    .is_none()
                    .then(|| self.hasher.hash_one(text))
                    .filter(|hash| !exact.at(*hash).any(|other| self.is_again(other, number))),
            );
            let hash = around.filter(|around| *around != ("", "")).and_then(|(before, after)| {
                let prefix = self.prefixes_of(before.as_bytes()).next()?.0;
                Some(self.hasher.hash_one((prefix, after.as_bytes())))
            });
            patterns.push(hash.filter(|hash| !patterns.at(*hash).any(|other| self.is_again(other, number))));
        }
        (self.exact, self.patterns) = (exact, patterns);
    }

    /// Returns true if a rule lists an origin a second time: to find it once is enough.
    fn is_again(&self, number: usize, other: usize) -> bool {
        self.list.rule(number) == self.list.rule(other) && self.list.text(number) == self.list.text(other)
    }

    /// Whether a rule allows every origin.
    pub(crate) const fn allows_any(&self, place: usize) -> bool {
        self.any.contains(place)
    }

    /// The origins as they were written.
    pub(crate) const fn list(&self) -> &OriginList {
        &self.list
    }

    /// The prefix with this text, with its number.
    fn prefixes_of(&self, text: &[u8]) -> impl Iterator<Item = (usize, &PatternStart)> {
        let entries = self.by_prefix.at(self.hasher.hash_one(text));
        let prefixes = entries.filter_map(|number| Some((number, self.prefixes.get(number)?)));
        prefixes.filter(move |(_, prefix)| {
            self.list.around_wildcard(prefix.pattern).is_some_and(|(before, _)| before.as_bytes() == text)
        })
    }

    /// The rules that allow this origin ([`OriginPattern::matches`](crate::OriginPattern::matches)).
    pub(crate) fn rules_for(&self, origin: &[u8]) -> RuleSet {
        let mut rules = self.any;
        if !self.exact.is_empty() {
            for number in self.exact.at(self.hasher.hash_one(origin)) {
                if self.list.text(number).as_bytes() == origin {
                    rules.insert_some(self.list.rule(number));
                }
            }
        }
        for length in &self.prefix_lengths {
            let Some((before, rest)) = origin.split_at_checked(*length) else { break };
            for (number, prefix) in self.prefixes_of(before) {
                for length in &prefix.suffix_lengths {
                    let Some(after) = rest.len().checked_sub(*length).and_then(|start| rest.get(start..)) else {
                        break;
                    };
                    for pattern in self.patterns.at(self.hasher.hash_one((number, after))) {
                        let around = self.list.around_wildcard(pattern);
                        if around.is_some_and(|around| (around.0.as_bytes(), around.1.as_bytes()) == (before, after)) {
                            rules.insert_some(self.list.rule(pattern));
                        }
                    }
                }
            }
        }
        rules
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AllowedMethod, CorsRule, OriginPattern};

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
    fn an_origin_that_several_rules_list_is_found_for_each_and_once() {
        let again = ["https://a.example", "https://a.example", "https://*.example", "https://*.example", "*", "*"];
        let index = index(&[&again, &["null"], &again]);
        assert_eq!(index.rules_for(b"https://a.example").iter().collect::<Vec<_>>(), [0, 2]);
        // Another text may be in the same chain: the hasher is seeded at random.
        let is_it = |number: &usize| index.list.text(*number) == "https://a.example";
        assert_eq!(index.exact.at(index.hasher.hash_one(&b"https://a.example"[..])).filter(is_it).count(), 2);
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
