//! The response's head: what the upstream said about CORS is removed, what the rules say is added.

use super::{Context, Exchange};
use crate::config::VaryPolicy;
use http::header::VARY;
use http::{HeaderName, HeaderValue};
use s3_cors::{Decision, VaryMerge, merge_vary};

const DECISION: HeaderName = HeaderName::from_static("x-s3cors-decision");
/// The names that begin so are CORS headers, whatever comes.
const CORS_PREFIX: &[u8] = b"access-control-";
/// Headers for the upstream's connection only that drivers do not remove by themselves (RFC 9110 §7.6.1). Trailers are dropped, and
/// their announcement with them.
const HOP_BY_HOP: [&[u8]; 3] = [b"keep-alive", b"proxy-connection", b"trailer"];

/// Whether a header line of an upstream's response ends here, by its name in any case.
///
/// Every `Access-Control-*` does: with two of a kind the browser refuses both (Fetch, CORS check), and one that we did not set may
/// say what the rules do not.
#[must_use]
pub fn is_removed(name: &[u8]) -> bool {
    let is_cors = name.get(..CORS_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(CORS_PREFIX));
    is_cors || HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop))
}

impl Exchange {
    /// Hands over each header that replaces all lines of its name, on every response whatever its status
    /// (S3: sd-missing-anon-403, sd-missing-signed-404, sd-head-anon-403). `vary` are the `Vary` lines that are there.
    pub fn response_additions<'v>(
        &self,
        ctx: &Context,
        vary: impl IntoIterator<Item = &'v [u8]>,
        mut set: impl FnMut(&HeaderName, &HeaderValue),
    ) {
        let grant = ctx.decision.grant();
        if let Some(grant) = grant {
            grant.for_each_header(&mut set);
        }
        let varies = match self.cors.vary {
            // S3 sends it with grants only, and a cache then keeps a response without CORS headers for everyone.
            VaryPolicy::Always => ctx.has_rules(),
            VaryPolicy::Matched => grant.is_some(),
        };
        if varies && let VaryMerge::Set(merged) = merge_vary(vary) {
            set(&VARY, &merged);
        }
        if self.cors.debug_header {
            set(&DECISION, &debug_value(&ctx.decision));
        }
    }
}

/// What was decided and why, for `x-s3cors-decision`.
fn debug_value(decision: &Decision) -> HeaderValue {
    let Some(outcome) = decision.outcome() else { return HeaderValue::from_static("none") };
    let text = match decision.rule() {
        Some(rule) => format!("{outcome}; rule={}", rule.number()),
        None => format!("{outcome}; reason={}", decision.reason()),
    };
    #[expect(clippy::expect_used, reason = "labels and a number")]
    HeaderValue::try_from(text).expect("labels are ASCII")
}

#[cfg(test)]
mod tests {
    use super::is_removed;

    #[test]
    fn no_cors_header_of_an_upstream_survives_in_any_spelling() {
        for (name, removed) in [
            ("Access-Control-Allow-Origin", true),
            ("access-control-allow-origin", true),
            ("ACCESS-CONTROL-ALLOW-PRIVATE-NETWORK", true),
            ("Access-Control-Something-New", true),
            ("Keep-Alive", true),
            ("proxy-connection", true),
            ("Trailer", true),
            ("ETag", false),
            ("Access-Control", false),
            ("x-access-control-allow-origin", false),
            ("", false),
        ] {
            assert_eq!(is_removed(name.as_bytes()), removed, "{name}");
        }
    }
}
