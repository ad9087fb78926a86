//! What a rule allows, compared with one request: whether it allows it, and whether it allows nothing but it.
//!
//! The empty `AllowedHeader` and those that repeat another allow no request of their own.

use super::wanted::Wanted;
use crate::{CorsRule, HeaderPattern};

impl Wanted {
    pub(super) fn has_origin_of(&self, rule: &CorsRule) -> bool {
        rule.allowed_origins().iter().any(|pattern| pattern.matches(self.origin().as_str().as_bytes()))
    }

    pub(super) fn has_method_of(&self, rule: &CorsRule) -> bool {
        rule.allowed_methods().contains(&self.method())
    }

    /// Whether the rule has a say on requests with this origin and this method.
    pub(super) fn is_near(&self, rule: &CorsRule) -> bool {
        self.has_origin_of(rule) && self.has_method_of(rule)
    }

    pub(super) fn is_allowed_by(&self, rule: &CorsRule) -> bool {
        self.is_near(rule) && self.headers().iter().all(|header| allows(rule, header))
    }

    /// The headers that the rule does not allow.
    pub(super) fn missing_in(&self, rule: &CorsRule) -> Vec<HeaderPattern> {
        self.headers().iter().filter(|header| !allows(rule, header)).cloned().collect()
    }

    /// Whether the rule is for this origin alone.
    pub(super) fn is_only_origin_of(&self, rule: &CorsRule) -> bool {
        rule.allowed_origins().iter().all(|pattern| pattern == self.origin())
    }

    /// Whether the rule is for this method alone.
    pub(super) fn is_only_method_of(&self, rule: &CorsRule) -> bool {
        rule.allowed_methods().iter().all(|method| *method == self.method())
    }

    /// Whether every header that the rule allows is one of these.
    pub(super) fn has_every_header_of(&self, rule: &CorsRule) -> bool {
        rule.allowed_headers().iter().all(|pattern| {
            let text = pattern.as_str();
            text.is_empty() || self.headers().iter().any(|header| header.as_str().eq_ignore_ascii_case(text))
        })
    }
}

pub(super) fn allows(rule: &CorsRule, header: &HeaderPattern) -> bool {
    rule.allowed_headers().iter().any(|pattern| pattern.matches(header.as_str()))
}
