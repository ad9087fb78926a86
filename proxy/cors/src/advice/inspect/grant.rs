//! What two rules would grant otherwise to the same request.

use crate::{AllowedMethod, CorsRule, ExposedHeader, OriginPattern};

/// What a later rule would grant, and what the rule that is taken grants.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GrantDifference {
    /// The header of the grant.
    pub header: &'static str,
    /// What the later rule would grant.
    pub later: String,
    /// What the rule that is taken grants.
    pub taken: String,
}

impl GrantDifference {
    /// A browser is told of all methods of the rule, but a page notices only what it may read, for how long, and with which
    /// credentials.
    pub(super) fn between(later: &CorsRule, taken: &CorsRule) -> Vec<Self> {
        let of = |rule: &CorsRule| {
            [
                ("access-control-allow-origin", origin(rule)),
                ("access-control-allow-methods", methods(rule)),
                ("access-control-expose-headers", exposed(rule)),
                ("access-control-max-age", rule.max_age_seconds().map_or_else(none, |seconds| seconds.to_string())),
            ]
        };
        let pairs = of(later).into_iter().zip(of(taken));
        let different = pairs.filter(|((_, later), (_, taken))| later != taken);
        different.map(|((header, later), (_, taken))| Self { header, later, taken }).collect()
    }
}

fn none() -> String {
    "none".to_owned()
}

fn origin(rule: &CorsRule) -> String {
    let is_for_any = rule.allowed_origins().iter().any(OriginPattern::is_any);
    if is_for_any { "*, without credentials" } else { "the page's origin, with credentials" }.to_owned()
}

/// In S3's order, since the order of a rule means nothing.
fn methods(rule: &CorsRule) -> String {
    let methods = AllowedMethod::ALL.into_iter().filter(|method| rule.allowed_methods().contains(method));
    methods.map(AllowedMethod::as_str).collect::<Vec<_>>().join(", ")
}

fn exposed(rule: &CorsRule) -> String {
    let names = rule.expose_headers().iter().map(ExposedHeader::as_str).filter(|name| !name.is_empty());
    let mut names: Vec<_> = names.map(str::to_ascii_lowercase).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { none() } else { names.join(", ") }
}
