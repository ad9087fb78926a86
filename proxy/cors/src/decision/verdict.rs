//! A decision: the verdict on a request, by its kind.

use super::denial::Denial;
use super::grant::Grant;
use super::table::CompiledRule;
use super::vocabulary::{Outcome, Reason, RequestKind};

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
