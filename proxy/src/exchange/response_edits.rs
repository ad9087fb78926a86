//! The response's head for the client: an upstream's CORS headers are removed, those of the rules are added.

use super::head_retry::FullLength;
use super::known::Known;
use super::response_notes::ResponseNotes;
use super::response_plan::Shown;
use super::take_headers::TakeHeaders;
use crate::config::{Cors, ResourcePolicy, TimingAllowOrigin, VaryPolicy};
use http::{HeaderName, HeaderValue, StatusCode, header};
use s3_cors::{Decision, Grant, VaryMerge, merge_vary};

static VARY: HeaderName = header::VARY;
static DECISION: HeaderName = HeaderName::from_static("x-s3cors-decision");
static TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");
static CONTENT_RANGE: HeaderName = header::CONTENT_RANGE;
static RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
static CROSS_ORIGIN: HeaderValue = HeaderValue::from_static("cross-origin");
/// The names that begin so are CORS headers, whatever comes.
const CORS_PREFIX: &[u8] = b"access-control-";

/// Returns true for every `Access-Control-*`, in any case. An upstream's end here: with two of a kind the browser refuses both (Fetch, CORS
/// check), and one that we did not set may say what the rules do not.
#[must_use]
pub fn is_cors_header(name: &[u8]) -> bool {
    name.get(..CORS_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(CORS_PREFIX))
}

/// The difference between a response as it came and as the client sees it: each header that comes replaces all lines of its name.
///
/// `Timing-Allow-Origin` and `Cross-Origin-Resource-Policy` are no part of S3's CORS, and only there if the configuration asks for them.
/// They are on errors and on the proxy's own replies too: a browser then tells the page the status instead of a blocked response.
pub struct ResponseEdits<'x> {
    grant: Option<&'x Grant>,
    /// Set if the grant alone decides who may read the response's times (Fetch, TAO check).
    decides_timing: bool,
    /// The sites that may embed the response without CORS (Fetch, cross-origin resource policy check).
    resource_policy: Option<&'static HeaderValue>,
    vary: Option<HeaderValue>,
    decision: Option<HeaderValue>,
    /// The status in place of the upstream's own.
    status: Option<StatusCode>,
    /// The length of the whole, where the upstream was asked for a part.
    full_length: Option<FullLength>,
    /// The parts of the response that decide about further headers.
    notes: Option<&'x ResponseNotes>,
}

impl<'x> ResponseEdits<'x> {
    /// Makes the edits of every response, whatever its status (S3: sd-missing-anon-403, sd-missing-signed-404, sd-head-anon-403). `vary` are the
    /// `Vary` lines that are there.
    pub(super) fn new<'v>(
        cors: &Cors,
        known: &'x Known,
        shown: Shown,
        vary: impl IntoIterator<Item = &'v [u8]>,
    ) -> Self {
        let grant = known.decision.grant();
        let varies = match cors.vary {
            // S3 sends it with grants only, and a cache then keeps a response without CORS headers for everyone.
            VaryPolicy::Always => known.has_rules(),
            VaryPolicy::Matched => grant.is_some(),
        };
        let vary = match varies.then(|| merge_vary(vary)) {
            Some(VaryMerge::Set(merged)) => Some(merged),
            Some(VaryMerge::Complete) | None => None,
        };
        let embeds = cors.resource_policy == ResourcePolicy::CrossOrigin && known.has_rules();
        Self {
            grant,
            decides_timing: cors.timing_allow_origin == TimingAllowOrigin::Granted,
            resource_policy: embeds.then_some(&CROSS_ORIGIN),
            vary,
            decision: cors.debug_header.then(|| debug_value(&known.decision)),
            status: shown.status,
            full_length: shown.full_length,
            notes: known.notes.as_deref(),
        }
    }

    /// The status in place of the upstream's own.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status.or_else(|| self.full_length.map(FullLength::status))
    }

    /// The length in place of the upstream's own, in bytes.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.full_length.map(FullLength::length)
    }

    /// Returns true if the lines with this name, in any case, end here.
    #[must_use]
    pub fn removes(&self, name: &[u8]) -> bool {
        let is = |own: &HeaderName| name.eq_ignore_ascii_case(own.as_str().as_bytes());
        // Most lines are judged by their first letter.
        let is_ours = match name.first() {
            Some(b'a' | b'A') => is_cors_header(name),
            Some(b'v' | b'V') => self.vary.is_some() && is(&VARY),
            Some(b'x' | b'X') => self.decision.is_some() && is(&DECISION),
            Some(b't' | b'T') => self.decides_timing && is(&TIMING_ALLOW_ORIGIN),
            Some(b'c' | b'C') => self.resource_policy.is_some() && is(&RESOURCE_POLICY),
            _ => false,
        };
        let is_ours = is_ours || self.notes.is_some_and(|notes| notes.replaces(name));
        is_ours || self.full_length.is_some_and(|length| length.replaces(name))
    }

    /// Hands over each header that comes.
    pub fn for_each_header(&self, to: &mut impl TakeHeaders) {
        if let Some(grant) = self.grant {
            to.grant(grant);
        }
        let timing = self.grant.filter(|_| self.decides_timing).map(Grant::allow_origin);
        let content_range = self.full_length.and_then(FullLength::content_range);
        let others = [
            (&VARY, self.vary.as_ref()),
            (&CONTENT_RANGE, content_range.as_ref()),
            (&TIMING_ALLOW_ORIGIN, timing),
            (&RESOURCE_POLICY, self.resource_policy),
            (&DECISION, self.decision.as_ref()),
        ];
        others
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .for_each(|(name, value)| to.header(name, value));
        if let Some(notes) = self.notes {
            notes.for_each_header(to);
        }
    }
}

/// The value of `x-s3cors-decision`.
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
    use super::is_cors_header;

    #[test]
    fn no_cors_header_of_an_upstream_survives_in_any_spelling() {
        for (name, is_cors) in [
            ("Access-Control-Allow-Origin", true),
            ("access-control-allow-origin", true),
            ("ACCESS-CONTROL-ALLOW-PRIVATE-NETWORK", true),
            ("Access-Control-Something-New", true),
            ("ETag", false),
            ("Access-Control", false),
            ("x-access-control-allow-origin", false),
            ("", false),
        ] {
            assert_eq!(is_cors_header(name.as_bytes()), is_cors, "{name}");
        }
    }
}
