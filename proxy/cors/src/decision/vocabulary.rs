//! The words for a decision: what the library decides is named here once, for metric labels, log fields, explanations and tests.

use crate::names::names;

/// The kind of a request to CORS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestKind {
    /// An OPTIONS request: S3 responds to every one of them from the rules alone.
    Preflight,
    /// Another request with an Origin: it is carried out whatever the rules say, only its response's headers differ.
    Actual,
    /// Another request without an Origin, or with an empty one: CORS has no part in it.
    NoOrigin,
}

/// How a decision came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// A rule grants the request.
    Allowed,
    /// No rule grants the request, or it is malformed.
    Denied,
    /// The bucket has no rules.
    NoRules,
    /// No rule grants the request, and none has to: the page has the same origin as what it requests, so the browser asks CORS
    /// nothing.
    SameOrigin,
}

/// Why a request is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The request is granted, or CORS has no part in it.
    None,
    /// No rule allows the origin.
    Origin,
    /// A rule allows the origin, none that does allows the method.
    Method,
    /// A rule allows origin and method, none that does allows the headers.
    Header,
    /// The bucket has no rules.
    NoRules,
    /// The request cannot be judged.
    Malformed,
}

/// A clause of a rule, in the order in which S3 checks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Clause {
    /// `AllowedOrigin`
    Origin,
    /// `AllowedMethod`
    Method,
    /// `AllowedHeader`
    Header,
}

names!(pub RequestKind: Preflight = "preflight", Actual = "actual", NoOrigin = "no_origin");
names!(pub Outcome: Allowed = "allowed", Denied = "denied", NoRules = "no_rules", SameOrigin = "same_origin");
names! {
    pub Reason: None = "none", Origin = "origin", Method = "method", Header = "header", NoRules = "no_rules",
    Malformed = "malformed",
}
names!(pub Clause: Origin = "origin", Method = "method", Header = "header");

impl From<Clause> for Reason {
    fn from(clause: Clause) -> Self {
        match clause {
            Clause::Origin => Self::Origin,
            Clause::Method => Self::Method,
            Clause::Header => Self::Header,
        }
    }
}
