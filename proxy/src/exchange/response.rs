//! The response's head: what the upstream said about CORS is removed, what the rules say is added.

use super::{Context, Exchange};
use crate::config::{ResourcePolicy, TimingAllowOrigin, VaryPolicy};
use http::{HeaderName, HeaderValue, header};
use s3_cors::{Decision, Grant, VaryMerge, merge_vary};

static VARY: HeaderName = header::VARY;
static DECISION: HeaderName = HeaderName::from_static("x-s3cors-decision");
static TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");
static RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
static CROSS_ORIGIN: HeaderValue = HeaderValue::from_static("cross-origin");
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
    let is_cors = || name.get(..CORS_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(CORS_PREFIX));
    // No name that is removed has another first letter: most lines are judged by theirs.
    match name.first() {
        Some(b'a' | b'A') => is_cors(),
        Some(b'k' | b'K' | b'p' | b'P' | b't' | b'T') => HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop)),
        _ => false,
    }
}

/// The headers that a response gets: each replaces all lines of its name.
///
/// `Timing-Allow-Origin` and `Cross-Origin-Resource-Policy` are no part of S3's CORS, and only there if the configuration asks for them.
/// They are on errors and on the proxy's own replies too: a browser then tells the page the status instead of a blocked response.
pub struct Additions<'c> {
    grant: Option<&'c Grant>,
    /// Whether the grant alone decides who may read the response's times (Fetch, TAO check).
    decides_timing: bool,
    /// Who may embed the response without CORS (Fetch, cross-origin resource policy check).
    resource_policy: Option<&'static HeaderValue>,
    vary: Option<HeaderValue>,
    decision: Option<HeaderValue>,
}

impl Exchange {
    /// What every response gets, whatever its status (S3: sd-missing-anon-403, sd-missing-signed-404, sd-head-anon-403). `vary` are
    /// the `Vary` lines that are there.
    pub fn response_additions<'c, 'v>(
        &self,
        ctx: &'c Context,
        vary: impl IntoIterator<Item = &'v [u8]>,
    ) -> Additions<'c> {
        let grant = ctx.decision.grant();
        let varies = match self.cors.vary {
            // S3 sends it with grants only, and a cache then keeps a response without CORS headers for everyone.
            VaryPolicy::Always => ctx.has_rules(),
            VaryPolicy::Matched => grant.is_some(),
        };
        let vary = match varies.then(|| merge_vary(vary)) {
            Some(VaryMerge::Set(merged)) => Some(merged),
            Some(VaryMerge::Complete) | None => None,
        };
        let embeds = self.cors.resource_policy == ResourcePolicy::CrossOrigin && ctx.has_rules();
        Additions {
            grant,
            decides_timing: self.cors.timing_allow_origin == TimingAllowOrigin::Granted,
            resource_policy: embeds.then_some(&CROSS_ORIGIN),
            vary,
            decision: self.cors.debug_header.then(|| debug_value(&ctx.decision)),
        }
    }
}

impl Additions<'_> {
    /// Whether the lines with this name, in any case, are replaced, if only by nothing. Those of a grant are not asked about: no
    /// upstream's line of such a name comes this far ([`is_removed`]).
    #[must_use]
    pub fn replaces(&self, name: &[u8]) -> bool {
        let is = |own: &HeaderName| name.eq_ignore_ascii_case(own.as_str().as_bytes());
        (self.vary.is_some() && is(&VARY))
            || (self.decision.is_some() && is(&DECISION))
            || (self.decides_timing && is(&TIMING_ALLOW_ORIGIN))
            || (self.resource_policy.is_some() && is(&RESOURCE_POLICY))
    }

    /// Hands over each header.
    pub fn for_each(&self, mut set: impl FnMut(&HeaderName, &HeaderValue)) {
        if let Some(grant) = self.grant {
            grant.for_each_header(&mut set);
        }
        self.others().for_each(|(name, value)| set(name, value));
    }

    /// Writes the same as lines of HTTP/1.1, in the same order.
    pub fn write_lines(&self, mut write: impl FnMut(&[u8])) {
        if let Some(grant) = self.grant {
            grant.write_lines(&mut write);
        }
        for (name, value) in self.others() {
            [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].into_iter().for_each(&mut write);
        }
    }

    fn others(&self) -> impl Iterator<Item = (&'static HeaderName, &HeaderValue)> {
        let timing = self.grant.filter(|_| self.decides_timing).map(Grant::allow_origin);
        let all = [
            (&VARY, self.vary.as_ref()),
            (&TIMING_ALLOW_ORIGIN, timing),
            (&RESOURCE_POLICY, self.resource_policy),
            (&DECISION, self.decision.as_ref()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?)))
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
