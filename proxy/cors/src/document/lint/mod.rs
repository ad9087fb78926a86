//! What S3 accepts and no one wants: rules that never match a browser, that open more than they seem to, that are never reached,
//! that do not do what their client needs.
//!
//! Decides: the warnings of a document, also of the readable part of one that is not valid. They change nothing.

pub(crate) mod browser_origin;
mod clients;
mod guide;
mod headers;
pub(crate) mod meant;
mod names;
mod names_of_s3;
pub(crate) mod origins;
mod public_suffix;
pub(crate) mod similar;
mod subsumption;

use super::readable::ReadableRule;
use super::warning::{Concern, Warning};
use super::{Document, RulePlaces};
use crate::{CorsRule, OriginPattern, Position};

/// The longest time that a browser keeps a preflight: Firefox a day, Chromium two hours.
pub(super) const LONGEST_MAX_AGE: i64 = 86_400;

/// A rule to look at.
struct Linted<'d> {
    /// From 1.
    number: usize,
    rule: &'d CorsRule,
    places: &'d RulePlaces,
    /// Whether everything that its author wrote is in it: of a part, nothing is missing.
    is_whole: bool,
}

/// The warnings as they are found.
#[derive(Default)]
struct Found(Vec<Warning>);

impl Found {
    fn push(&mut self, concern: Concern, position: Position) {
        self.0.push(Warning { concern, position });
    }
}

impl Document {
    /// The warnings, in the order of the rules.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let rules = self.configuration.rules().iter().zip(&self.places).zip(1..);
        let linted = rules.map(|((rule, places), number)| Linted { number, rule, places, is_whole: true });
        lint(&linted.collect::<Vec<_>>())
    }
}

impl Document {
    /// Returns the notes: good to know and no likely mistake, in the order of the rules.
    #[must_use]
    pub fn notes(&self) -> Vec<Warning> {
        let mut found = Found::default();
        for (rule, places) in self.configuration.rules().iter().zip(&self.places) {
            for (origin, place) in rule.allowed_origins().iter().zip(&places.origins) {
                let port = origins::note(origin, rule.allowed_origins());
                for concern in port.into_iter().chain(origins::example_note(origin)) {
                    found.push(concern, *place);
                }
            }
        }
        found.0
    }
}

/// The warnings about what can be read of a document with errors.
pub(super) fn of_readable(rules: &[ReadableRule]) -> Vec<Warning> {
    let linted = rules.iter().map(|readable| {
        let ReadableRule { number, ref rule, ref places, is_whole } = *readable;
        Linted { number, rule, places, is_whole }
    });
    lint(&linted.collect::<Vec<_>>())
}

/// For each rule the earlier ones that together match every request that it would, from 1; none for a rule that some request reaches.
pub(crate) fn unreached(rules: &[CorsRule]) -> Vec<Vec<usize>> {
    let places = RulePlaces::default();
    let linted = |(rule, number)| Linted { number, rule, places: &places, is_whole: true };
    let linted: Vec<_> = rules.iter().zip(1..).map(linted).collect();
    let takers = linted.iter().enumerate().map(|(index, rule)| {
        let mut found = Found::default();
        subsumption::unreached(rule, linted.get(..index).unwrap_or_default(), &mut found);
        found.0.into_iter().flat_map(|warning| match warning.concern {
            Concern::RuleNeverReached { earlier, .. } => vec![earlier],
            Concern::RuleTakenByEarlier { earlier, .. } => earlier.into(),
            _ => Vec::new(),
        })
    });
    takers.map(Iterator::collect).collect()
}

fn lint(rules: &[Linted<'_>]) -> Vec<Warning> {
    let mut found = Found::default();
    for (index, linted) in rules.iter().enumerate() {
        let earlier = rules.get(..index).unwrap_or_default();
        let is_guide = guide::is_rule(linted.rule);
        if !is_guide {
            origins(linted, &mut found);
            headers::misspelt(linted, &mut found);
        }
        if linted.is_whole && !is_guide {
            headers::uploads(linted, &mut found);
            headers::ranges(linted, &mut found);
        }
        max_age(linted, &mut found);
        if linted.is_whole && earlier.iter().all(|earlier| earlier.is_whole) {
            subsumption::unreached(linted, earlier, &mut found);
        }
    }
    found.0
}

fn origins(linted: &Linted<'_>, found: &mut Found) {
    let rule = linted.rule;
    let any = rule.allowed_origins().iter().position(OriginPattern::is_any);
    for (origin, place) in rule.allowed_origins().iter().zip(&linted.places.origins) {
        if let Some(concern) = origins::concern(origin, any.is_none()) {
            found.push(concern, *place);
        }
    }
    let place = any.and_then(|any| linted.places.origins.get(any));
    if let Some(place) = place.filter(|_| !rule.allowed_origins().iter().all(OriginPattern::is_any)) {
        found.push(Concern::AnyOriginBesideNamed, *place);
    }
}

fn max_age(linted: &Linted<'_>, found: &mut Found) {
    let out_of_range = linted.rule.max_age_seconds().filter(|seconds| !(0..=LONGEST_MAX_AGE).contains(seconds));
    if let Some(seconds) = out_of_range {
        found.push(Concern::MaxAgeOutOfRange(seconds), linted.places.max_age.unwrap_or(linted.places.rule));
    }
}
