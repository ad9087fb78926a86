//! A configuration prepared for requests: header values built, origins indexed, patterns lower-cased.
//!
//! Everything that a request does not change is prepared here, so that a decision is comparisons and clones of shared bytes.

use super::origins::{OriginIndex, RuleSet};
use super::terms::{Credentials, TermSet, Terms};
use crate::{CorsConfiguration, CorsRule};
use std::sync::Arc;

/// The rules of one bucket, immutable and prepared.
#[derive(Clone, Debug)]
pub struct RuleTable {
    rules: Box<[Arc<CompiledRule>]>,
    origins: OriginIndex,
}

/// One rule, prepared. Its origins are in its table's index.
#[derive(Debug)]
pub struct CompiledRule {
    number: usize,
    name: Box<str>,
    has_id: bool,
    is_for_any: bool,
    pub(crate) terms: Arc<Terms>,
}

impl RuleTable {
    /// Prepares a configuration.
    #[must_use]
    pub fn new(configuration: &CorsConfiguration, credentials: Credentials) -> Self {
        let origins = OriginIndex::new(configuration);
        let rules = configuration.rules().iter().enumerate();
        let rules = rules.map(|(place, rule)| {
            let is_for_any = origins.allows_any(place);
            Arc::new(CompiledRule::new(place + 1, rule, is_for_any, credentials))
        });
        Self { rules: rules.collect(), origins }
    }

    /// The rules, in order.
    #[must_use]
    pub fn rules(&self) -> &[Arc<CompiledRule>] {
        &self.rules
    }

    /// Makes the rules use the terms of the set where it has equal ones, and adds the others to it. Rules that a grant already
    /// refers to stay as they are: share a table before it is asked.
    pub fn share(&mut self, terms: &mut TermSet) {
        for rule in self.rules.iter_mut().filter_map(Arc::get_mut) {
            terms.share(&mut rule.terms);
        }
    }

    /// The places of the rules that allow this origin.
    pub(crate) fn rules_for(&self, origin: &str) -> RuleSet {
        self.origins.rules_for(origin.as_bytes())
    }

    /// The rules at these places, in order.
    pub(crate) fn at(&self, places: RuleSet) -> impl Iterator<Item = &Arc<CompiledRule>> {
        places.iter().filter_map(|place| self.rules.get(place))
    }
}

impl CompiledRule {
    fn new(number: usize, rule: &CorsRule, is_for_any: bool, credentials: Credentials) -> Self {
        let id = rule.id().filter(|id| !id.is_empty());
        Self {
            number,
            name: id.map_or_else(|| number.to_string().into(), Into::into),
            has_id: id.is_some(),
            is_for_any,
            terms: Arc::new(Terms::new(rule, is_for_any, credentials)),
        }
    }

    /// The rule's place in the document, from 1.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }

    /// The rule's ID, if it has one that is not empty.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.has_id.then_some(&self.name)
    }

    /// The rule's ID, or its number: what metrics, logs and explanations call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether `*` is among the origins. The grant is then `*`, for every origin and without credentials. It is not known what S3
    /// grants when other origins stand before the `*`; this choice never adds credentials.
    pub(crate) const fn grants_any_origin(&self) -> bool {
        self.is_for_any
    }
}
