//! The needs of clients against a document's rules.
//!
//! Decides: what the rules lack for a client's requests. Each has to get through from one origin at least: a document may allow
//! another origin less on purpose.

use super::super::profile::Profile;
use super::super::requests::ClientRequest;
use super::super::warning::{Concern, Missing, Warning};
use super::headers::{allows, allows_header, exposes};
use super::origins::example;
use crate::{CorsRule, Document, OriginPattern};

impl Document {
    /// What this client could not do from the origin that can do most of it; empty when it would work.
    #[must_use]
    pub fn unserved(&self, profile: Profile) -> Vec<Warning> {
        let patterns = || self.configuration.rules().iter().flat_map(CorsRule::allowed_origins);
        let of_origins = patterns().filter_map(|pattern| {
            let origin = example(pattern)?;
            let lacking = profile.requests().iter().filter_map(|step| self.lacking(step, origin.as_bytes()));
            Some((pattern.as_str(), lacking.collect::<Vec<_>>()))
        });
        let (origin, lacking) =
            of_origins.min_by_key(|(_, lacking)| (count_needed(lacking), lacking.len())).unwrap_or_else(|| {
                let never = profile.requests().iter().map(|step| (0, step, Missing::Origin));
                (patterns().next().map_or("", OriginPattern::as_str), never.collect())
            });
        // What the client always needs is not repeated for an option of it.
        let needed = |missing: &Missing| {
            lacking.iter().any(|(_, request, other)| {
                request.option().is_none() && (other == missing || *other == Missing::Origin)
            })
        };
        let told = lacking.iter().filter(|(_, request, missing)| request.option().is_none() || !needed(missing));
        let warning = |(rule, step, missing): (usize, &ClientRequest, Missing)| Warning {
            concern: Concern::ProfileNotServed {
                profile,
                step: step.task(),
                option: step.option(),
                origin: origin.into(),
                missing,
            },
            position: self.places.get(rule).map(|places| places.rule).unwrap_or_default(),
        };
        told.cloned().map(warning).collect()
    }

    /// What a step lacks, and the rule (from 0) that would need the least for it.
    fn lacking<'s>(&self, step: &'s ClientRequest, origin: &[u8]) -> Option<(usize, &'s ClientRequest, Missing)> {
        let rules = self.configuration.rules().iter().enumerate();
        let of_origin: Vec<_> = rules.filter(|(_, rule)| allows_origin(rule, origin)).collect();
        let of_method = || of_origin.iter().filter(|(_, rule)| allows(rule, step.method()));
        let Some((closest, rule)) = of_method().min_by_key(|(_, rule)| unallowed(rule, step).len()) else {
            let first = of_origin.first().map_or(0, |(index, _)| *index);
            return Some((first, step, Missing::Method(step.method())));
        };
        let unallowed = unallowed(rule, step);
        if !unallowed.is_empty() {
            return Some((*closest, step, Missing::AllowedHeaders(unallowed.into())));
        }
        // The request itself does not name its headers as its preflight does: the first rule for origin and method is its rule.
        let (first, rule) = of_method().next()?;
        let unread: Vec<_> = step.reads().iter().copied().filter(|header| !exposes(rule, header)).collect();
        (!unread.is_empty()).then(|| (*first, step, Missing::ExposeHeaders(unread.into())))
    }
}

/// Counts those of these requests that the client always sends.
fn count_needed(lacking: &[(usize, &ClientRequest, Missing)]) -> usize {
    lacking.iter().filter(|(_, request, _)| request.option().is_none()).count()
}

fn allows_origin(rule: &CorsRule, origin: &[u8]) -> bool {
    rule.allowed_origins().iter().any(|pattern| pattern.matches(origin))
}

fn unallowed(rule: &CorsRule, step: &ClientRequest) -> Vec<&'static str> {
    step.headers().iter().copied().filter(|header| !allows_header(rule, header)).collect()
}
