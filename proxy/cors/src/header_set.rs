//! The header names that a rule allows, prepared for matching.
//!
//! Decides: how the list is searched. Names are compared as they are sent, without a copy in lower case.

use crate::HeaderPattern;
use crate::wildcard::Wildcard;
use std::cmp::Ordering;

/// A list of names: `*` at once, exact names by binary search, patterns one by one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct HeaderSet {
    any: bool,
    /// In lower case, by length, then by text: most comparisons end with the lengths.
    exact: Box<[Box<str>]>,
    /// In lower case.
    patterns: Box<[Wildcard]>,
}

impl HeaderSet {
    /// Whether `*` alone is in the list.
    pub(crate) const fn has_any(&self) -> bool {
        self.any
    }

    /// Whether a name matches, in any case.
    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        self.any
            || self.exact.binary_search_by(|exact| compare(exact.as_bytes(), name)).is_ok()
            || self.patterns.iter().any(|pattern| matches(pattern, name))
    }
}

/// Orders a text in lower case and another in any case.
fn compare(lower: &[u8], name: &[u8]) -> Ordering {
    let by_length = lower.len().cmp(&name.len());
    by_length.then_with(|| lower.iter().copied().cmp(name.iter().map(u8::to_ascii_lowercase)))
}

/// [`Wildcard::matches`] in any case.
fn matches(lower: &Wildcard, name: &[u8]) -> bool {
    let Some((prefix, suffix)) = lower.parts() else { return false };
    let Some((start, rest)) = name.split_at_checked(prefix.len()) else { return false };
    let Some(suffix_start) = rest.len().checked_sub(suffix.len()) else { return false };
    start.eq_ignore_ascii_case(prefix.as_bytes())
        && rest.get(suffix_start..).is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
}

impl<'w> FromIterator<&'w HeaderPattern> for HeaderSet {
    fn from_iter<I: IntoIterator<Item = &'w HeaderPattern>>(names: I) -> Self {
        let (mut exact, mut patterns) = (Vec::new(), Vec::new());
        for name in names.into_iter().map(HeaderPattern::lower_wildcard) {
            match name {
                Wildcard::Exact(text) => exact.push(text.clone()),
                pattern @ Wildcard::Pattern { .. } => patterns.push(pattern.clone()),
            }
        }
        exact.sort_unstable_by(|a, b| compare(a.as_bytes(), b.as_bytes()));
        exact.dedup();
        Self { any: patterns.iter().any(Wildcard::is_any), exact: exact.into(), patterns: patterns.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> HeaderSet {
        let names: Vec<_> = names.iter().map(|name| HeaderPattern::parse(name).unwrap()).collect();
        names.iter().collect()
    }

    #[test]
    fn a_list_matches_what_one_of_its_patterns_matches_in_any_case() {
        let names = ["", "x-a", "X-B", "Content-Type", "content-md5", "x-amz-meta-id", "amz-", "xx-amz-a"];
        for pattern in ["", "X-A", "x-b", "content-type", "x-*", "*-ID", "X-*-id", "x-amz-*meta", "*", "zz"] {
            let only = HeaderPattern::parse(pattern).unwrap();
            for others in [&["q"][..], &["zz-", "yy-*", "q-r"], &[]] {
                let list = set(&[others, &[pattern]].concat());
                for name in names {
                    for name in [name.to_owned(), name.to_uppercase(), name.to_lowercase()] {
                        assert_eq!(list.matches(name.as_bytes()), only.matches(&name), "{pattern} {others:?} {name}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_empty_list_matches_nothing() {
        let set = set(&[]);
        assert!(!set.matches(b"") && !set.matches(b"x") && !set.has_any());
    }
}
