//! Which of a rule's header patterns allows a name, and which one was hardly meant not to.

use crate::document::lint::similar::distance;
use crate::{CorsRule, HeaderPattern};

/// Names of at least this length may have two letters wrong.
const LONG_NAME: usize = 12;

/// What a rule says to one header that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeaderFinding {
    /// The name, in lower case.
    pub name: String,
    /// The first `AllowedHeader` that allows it; `None` where none does.
    pub allowed_by: Option<HeaderPattern>,
    /// Of a header that is not allowed, the `AllowedHeader` that is nearly it: likely a misspelling of one of the two.
    pub near: Option<HeaderPattern>,
}

impl HeaderFinding {
    pub(super) fn of(rule: &CorsRule, name: &str) -> Self {
        let patterns = rule.allowed_headers();
        let allowed_by = patterns.iter().find(|pattern| pattern.matches(name)).cloned();
        let near = if allowed_by.is_some() { None } else { nearest(patterns, name) };
        Self { name: name.to_owned(), allowed_by, near }
    }

    /// What the rule says to it, for people: what stands after "rule 1".
    #[must_use]
    pub fn message(&self) -> String {
        let name = &self.name;
        match (&self.allowed_by, &self.near) {
            (Some(pattern), _) if pattern.as_str().eq_ignore_ascii_case(name) => format!("allows {name}"),
            (Some(pattern), _) => format!("allows {name} by {pattern}"),
            (None, Some(near)) => format!("does not allow {name}; its {near} is nearly the same name"),
            (None, None) => format!("does not allow {name}"),
        }
    }
}

fn nearest(patterns: &[HeaderPattern], name: &str) -> Option<HeaderPattern> {
    let limit = if name.len() < LONG_NAME { 1 } else { 2 };
    let near = patterns.iter().filter(|pattern| pattern.as_str().len() > 2 && !pattern.as_str().contains('*'));
    let near =
        near.filter_map(|pattern| Some((distance(&pattern.as_str().to_ascii_lowercase(), name, limit)?, pattern)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, pattern)| pattern.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AllowedMethod, OriginPattern};

    #[test]
    fn a_header_has_the_pattern_that_allows_it_or_the_one_that_is_nearly_it() {
        let parse = |text: &&str| HeaderPattern::parse(text).unwrap();
        let rule = CorsRule::new(vec![OriginPattern::parse("*").unwrap()], vec![AllowedMethod::Get]).unwrap();
        let rule = rule.with_allowed_headers(["", "Content-Typ", "x-amz-*", "If-Match"].iter().map(parse).collect());
        for (name, said) in [
            ("if-match", "allows if-match"),
            ("x-amz-acl", "allows x-amz-acl by x-amz-*"),
            ("content-type", "does not allow content-type; its Content-Typ is nearly the same name"),
            ("range", "does not allow range"),
        ] {
            assert_eq!(HeaderFinding::of(&rule, name).message(), said);
        }
    }
}
