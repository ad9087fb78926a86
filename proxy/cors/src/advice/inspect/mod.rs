//! Every rule of a document, clause by clause, with what each clause lacks, and which rules come too late.
//!
//! Decides: how near a rule comes, and what an earlier rule takes from it. Must not know: what to change.

mod grant;
mod headers;
pub(crate) mod origin;

pub use grant::GrantDifference;
pub use headers::HeaderFinding;

use crate::decision::asked::Asked;
use crate::document::lint::unreached;
use crate::method::AskedMethod;
use crate::{AllowedMethod, CorsConfiguration, CorsRequest, CorsRule};
use origin::OriginDifference;

/// What one rule says to a request, in full.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleInspection {
    /// The rule's place in the document, from 1.
    pub number: usize,
    /// Where the origin stops matching; `None` where the rule allows it.
    pub origin: Option<OriginDifference>,
    /// Why the method is not allowed; `None` where it is.
    pub method: Option<MethodDifference>,
    /// Every header that was asked for, in the request's order.
    pub headers: Vec<HeaderFinding>,
    /// Of a rule that allows the request, the earlier one that is taken.
    pub taken_by: Option<Taken>,
    /// The earlier rules, from 1, that together take every request that this rule allows; empty for a rule that some request reaches.
    pub never_reached: Vec<usize>,
}

/// Why a rule does not allow a method.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MethodDifference {
    /// The rule allows others.
    NotListed(Vec<AllowedMethod>),
    /// It is the name of a method in another case.
    Case(AllowedMethod),
    /// No rule of S3 can allow it.
    NotOfS3,
}

/// The rule that is taken before another that allows the request too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Taken {
    /// The rule that is taken, from 1.
    pub rule: usize,
    /// What the later rule would grant otherwise; empty where it would grant the same.
    pub differences: Vec<GrantDifference>,
}

impl MethodDifference {
    /// The name, for machines.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotListed(_) => "not_listed",
            Self::Case(_) => "case",
            Self::NotOfS3 => "not_of_s3",
        }
    }

    /// The difference, for people: what stands after "rule 1".
    #[must_use]
    pub fn message(&self, asked: &str) -> String {
        match self {
            Self::NotListed(methods) => {
                let methods: Vec<_> = methods.iter().copied().map(AllowedMethod::as_str).collect();
                format!("allows {}; the page asks for {asked}", methods.join(", "))
            }
            Self::Case(method) => format!("cannot allow {asked:?}: methods are compared with case, write {method}"),
            Self::NotOfS3 => format!("cannot allow {asked}: S3 has rules for GET, PUT, HEAD, POST and DELETE only"),
        }
    }

    fn of(rule: &CorsRule, asked: &[u8], method: AskedMethod) -> Option<Self> {
        match method {
            AskedMethod::Allowable(method) if rule.allowed_methods().contains(&method) => None,
            AskedMethod::Allowable(_) => Some(Self::NotListed(rule.allowed_methods().to_vec())),
            AskedMethod::Other => {
                let meant = AllowedMethod::from_name(&asked.to_ascii_uppercase());
                Some(meant.map_or(Self::NotOfS3, Self::Case))
            }
        }
    }
}

/// Looks at every rule of a document as [`explain`](crate::explain) does, for what people want to know of each. It is empty for a request
/// that the rules are not asked about: without an Origin, or malformed.
#[must_use]
pub fn inspect(configuration: &CorsConfiguration, request: &CorsRequest<'_>) -> Vec<RuleInspection> {
    let Ok(asked) = Asked::read(request) else { return Vec::new() };
    let rules = configuration.rules();
    let names: Vec<_> = asked.headers.iter().map(|name| String::from_utf8_lossy(name).to_ascii_lowercase()).collect();
    let mut inspected: Vec<_> = (rules.iter().zip(unreached(rules)).zip(1..))
        .map(|((rule, never_reached), number)| RuleInspection {
            number,
            origin: OriginDifference::nearest(rule.allowed_origins(), asked.origin),
            method: MethodDifference::of(rule, request.method_in_question(), asked.method),
            headers: names.iter().map(|name| HeaderFinding::of(rule, name)).collect(),
            taken_by: None,
            never_reached,
        })
        .collect();
    let allows = |rule: &RuleInspection| {
        let all_headers = !asked.headers.is_too_long() && rule.headers.iter().all(|header| header.allowed_by.is_some());
        rule.origin.is_none() && rule.method.is_none() && all_headers
    };
    let mut matching = inspected.iter_mut().zip(rules).filter(|(rule, _)| allows(rule));
    if let Some((first, taken)) = matching.next() {
        let number = first.number;
        for (later, rule) in matching {
            later.taken_by = Some(Taken { rule: number, differences: GrantDifference::between(rule, taken) });
        }
    }
    inspected
}
