//! The outcome of a decision, and the words for it: what the library decides is named here once, for metric labels, log fields,
//! explanations and tests.

use super::denial::Denial;
use super::grant::Grant;
use super::table::CompiledRule;
use std::fmt;

/// What a request is to CORS.
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
    /// It is granted, or CORS has no part in it.
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

/// Gives a closed set its names and the list of its values.
macro_rules! names {
    ($type:ident: $($value:ident = $name:literal),+ $(,)?) => {
        impl $type {
            /// All values, in order.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$value),+];

            /// The name, as metric labels, log fields and explanations have it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $name),+
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

names!(RequestKind: Preflight = "preflight", Actual = "actual", NoOrigin = "no_origin");
names!(Outcome: Allowed = "allowed", Denied = "denied", NoRules = "no_rules", SameOrigin = "same_origin");
names! {
    Reason: None = "none", Origin = "origin", Method = "method", Header = "header", NoRules = "no_rules",
    Malformed = "malformed",
}
names!(Clause: Origin = "origin", Method = "method", Header = "header");

impl From<Clause> for Reason {
    fn from(clause: Clause) -> Self {
        match clause {
            Clause::Origin => Self::Origin,
            Clause::Method => Self::Method,
            Clause::Header => Self::Header,
        }
    }
}

/// What the rules say to a request.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// CORS has no part in it: there is no Origin and it is no preflight, or the page's origin is that of the response.
    NotCors,
    /// A rule grants it.
    Granted(Grant),
    /// No rule grants it.
    Denied(Denial),
}

/// What was decided about, and what was decided.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Decision {
    /// What the request is to CORS.
    pub kind: RequestKind,
    /// What the rules say to it.
    pub verdict: Verdict,
}

impl Decision {
    /// The decision on a request that CORS has no part in; also the state before any request was judged.
    #[must_use]
    pub const fn not_cors() -> Self {
        Self { kind: RequestKind::NoOrigin, verdict: Verdict::NotCors }
    }

    /// The outcome; `None` where there was no Origin that CORS could have a part in.
    #[must_use]
    pub const fn outcome(&self) -> Option<Outcome> {
        match (&self.verdict, self.kind) {
            (Verdict::NotCors, RequestKind::Actual) => Some(Outcome::SameOrigin),
            (Verdict::NotCors, _) => None,
            (Verdict::Granted(_), _) => Some(Outcome::Allowed),
            (Verdict::Denied(denial), _) => Some(denial.outcome()),
        }
    }

    /// Why the request is not granted; [`Reason::None`] when it is, or when CORS had no part.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match &self.verdict {
            Verdict::NotCors | Verdict::Granted(_) => Reason::None,
            Verdict::Denied(denial) => denial.reason(),
        }
    }

    /// The grant, if there is one.
    #[must_use]
    pub const fn grant(&self) -> Option<&Grant> {
        match &self.verdict {
            Verdict::Granted(grant) => Some(grant),
            Verdict::NotCors | Verdict::Denied(_) => None,
        }
    }

    /// The denial, if there is one.
    #[must_use]
    pub const fn denial(&self) -> Option<&Denial> {
        match &self.verdict {
            Verdict::Denied(denial) => Some(denial),
            Verdict::NotCors | Verdict::Granted(_) => None,
        }
    }

    /// What exactly was refused ([`Denial::detail`]).
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.denial().and_then(Denial::detail)
    }

    /// The rule that granted.
    #[must_use]
    pub fn rule(&self) -> Option<&CompiledRule> {
        self.grant().map(Grant::rule)
    }
}
