//! What to change so that a request is allowed, and nothing else with it.
//!
//! Decides: the smallest change of a document, the fewest rules for a set of requests, and why a clause does not hold. Must not know:
//! who asks, or how it is shown.

pub(crate) mod cannot;
pub(crate) mod change;
mod exact;
pub(crate) mod inspect;
pub(crate) mod meaning;
mod methods;
pub(crate) mod rules;
pub(crate) mod wanted;
