//! What can be read of a document that is not valid: its rules without the values that S3 rejects.
//!
//! Decides: what is left to warn about. Must not know: the warnings.

use super::error::Problems;
use super::model::MAX_RULES;
use super::raw::{RawRule, RawValue};
use super::{RulePlaces, validate};
use crate::{AllowedMethod, CorsRule, ExposedHeader, HeaderPattern, OriginPattern};

/// A rule, or the valid part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadableRule {
    /// From 1, as in the document.
    pub(super) number: usize,
    pub(super) rule: CorsRule,
    pub(super) places: RulePlaces,
    /// Whether nothing in it is wrong.
    pub(super) is_whole: bool,
}

/// The first rules, whatever is wrong with them. `problems` are the places of what is wrong, ascending.
pub(super) fn rules(text: &str, raw: &[RawRule], problems: &[usize]) -> Vec<ReadableRule> {
    let raw = raw.get(..MAX_RULES).unwrap_or(raw);
    let valid: Vec<_> = raw.iter().map(valid_part).collect();
    let places = validate::places(text, &valid);
    let ends = raw.iter().skip(1).map(|rule| rule.offset).chain([usize::MAX]);
    let rules = valid.iter().zip(places).zip(ends).zip(1..);
    rules
        .filter_map(|(((raw, places), end), number)| {
            let next = problems.get(problems.partition_point(|problem| *problem < raw.offset));
            let is_whole = next.is_none_or(|problem| *problem >= end);
            let rule = validate::rule_of(&completed(raw), &mut Problems::default())?;
            Some(ReadableRule { number, rule, places, is_whole })
        })
        .collect()
}

fn valid_part(raw: &RawRule) -> RawRule {
    let is_number = |age: &&RawValue| validate::seconds(age).is_some();
    RawRule {
        offset: raw.offset,
        ids: raw.ids.first().cloned().into_iter().collect(),
        origins: only(&raw.origins, |text| OriginPattern::parse(text).is_ok()),
        methods: only(&raw.methods, |text| AllowedMethod::from_name(text.as_bytes()).is_some()),
        headers: only(&raw.headers, |text| HeaderPattern::parse(text).is_ok()),
        expose: only(&raw.expose, |text| ExposedHeader::parse(text).is_ok()),
        max_ages: raw.max_ages.iter().find(is_number).cloned().into_iter().collect(),
        ..*raw
    }
}

/// With an origin and a method where none is left: they stand for what cannot be read, and have no place.
fn completed(raw: &RawRule) -> RawRule {
    let mut raw = raw.clone();
    let unread = raw.origins_unread;
    for (values, text, unread) in [(&mut raw.origins, "*", unread), (&mut raw.methods, "GET", false)] {
        if values.is_empty() || unread {
            values.push(RawValue { text: text.to_owned(), offset: raw.offset });
        }
    }
    raw
}

fn only(values: &[RawValue], is_valid: impl Fn(&str) -> bool) -> Vec<RawValue> {
    values.iter().filter(|value| is_valid(&value.text)).cloned().collect()
}
