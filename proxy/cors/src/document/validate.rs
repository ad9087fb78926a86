//! Raw rules become values, or problems.
//!
//! Decides: what S3 rejects, in the order in which it checks: schema, number of rules, then rule by rule methods, origins, allowed
//! headers, exposed headers (S3: bad-order-method-before-origin, bad-second-rule). Must not know: XML or JSON syntax.

use super::RulePlaces;
use super::error::Problems;
use super::model::{CorsConfiguration, CorsRule, InvalidRule, MAX_RULES};
use super::problem::{Problem, name};
use super::raw::{RawRule, RawValue};
use crate::position::Places;
use crate::{AllowedMethod, ExposedHeader, HeaderPattern, OriginPattern};

pub(super) fn places(text: &str, raw: &[RawRule]) -> Vec<RulePlaces> {
    let mut place = Places::new(text);
    let places = raw.iter().map(|rule| RulePlaces {
        rule: place.of(rule.offset),
        origins: rule.origins.iter().map(|origin| place.of(origin.offset)).collect(),
        headers: rule.headers.iter().map(|header| place.of(header.offset)).collect(),
        expose: rule.expose.iter().map(|header| place.of(header.offset)).collect(),
        max_age: rule.max_ages.first().map(|age| place.of(age.offset)),
    });
    places.collect()
}

/// The rules that are valid; of the others, the problems.
pub(super) fn rules(raw: &[RawRule], problems: &mut Problems) -> Vec<CorsRule> {
    // Where nothing could be read, the missing rules are no problem of their own.
    let is_judged = !raw.is_empty() || problems.is_empty();
    if is_judged && let Err(invalid) = CorsConfiguration::check(raw.len()) {
        // At the first rule too many, or at the beginning where there is none.
        problems.push(raw.get(MAX_RULES).map_or(0, |rule| rule.offset), invalid);
    }
    raw.iter().filter_map(|rule| rule_of(rule, problems)).collect()
}

/// `None` when the rule cannot be built; its problems are noted.
pub(super) fn rule_of(raw: &RawRule, problems: &mut Problems) -> Option<CorsRule> {
    for invalid in CorsRule::check(raw.origins.len(), raw.methods.len()) {
        let is_unread = match invalid {
            InvalidRule::NoOrigin => raw.origins_unread,
            InvalidRule::NoMethod => raw.methods_unread,
        };
        if !is_unread {
            problems.push(raw.offset, invalid);
        }
    }
    // (S3: bad-two-ids, bad-two-maxage)
    for (name, values) in [("ID", &raw.ids), ("MaxAgeSeconds", &raw.max_ages)] {
        if let Some(second) = values.get(1) {
            problems.push(second.offset, Problem::Repeated(name));
        }
    }
    let max_age = raw.max_ages.first().map(|age| {
        let seconds = seconds(age);
        if seconds.is_none() {
            problems.push(age.offset, Problem::NotANumber(name(&age.text)));
        }
        seconds
    });
    let methods = each(&raw.methods, problems, |text| {
        AllowedMethod::from_name(text.as_bytes()).ok_or_else(|| Problem::UnsupportedMethod(text.into()))
    });
    let origins = each(&raw.origins, problems, |text| {
        OriginPattern::parse(text).map_err(|_| Problem::OriginWildcards(text.into()))
    });
    let headers = each(&raw.headers, problems, |text| {
        HeaderPattern::parse(text).map_err(|invalid| Problem::AllowedHeader { text: text.into(), invalid })
    });
    let expose = each(&raw.expose, problems, |text| {
        ExposedHeader::parse(text).map_err(|invalid| Problem::ExposeHeader { text: text.into(), invalid })
    });
    let rule = CorsRule::new(origins?, methods?).ok()?;
    let id = raw.ids.first().map(|id| id.text.clone());
    Some(
        rule.with_id(id)
            .with_max_age_seconds(max_age.flatten())
            .with_allowed_headers(headers?)
            .with_expose_headers(expose?),
    )
}

/// A whole number, with the white space around it that XML Schema allows (`xsd:integer`; S3: bad-maxage-text).
pub(super) fn seconds(age: &RawValue) -> Option<i64> {
    age.text.trim_matches([' ', '\t', '\r', '\n']).parse().ok()
}

/// The values of a list; `None` when one of them has a problem.
fn each<T>(raw: &[RawValue], problems: &mut Problems, parse: impl Fn(&str) -> Result<T, Problem>) -> Option<Vec<T>> {
    let mut values = Some(Vec::with_capacity(raw.len()));
    for value in raw {
        match parse(&value.text) {
            Ok(parsed) => {
                if let Some(values) = &mut values {
                    values.push(parsed);
                }
            }
            Err(problem) => {
                problems.push(value.offset, problem);
                values = None;
            }
        }
    }
    values
}
