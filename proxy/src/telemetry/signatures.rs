//! Requests whose signature an upstream rejects, by the cause that the proxy can see.

use super::registry::register;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

/// Why a signature fails, as far as a proxy can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureCause {
    /// This proxy sends another `Host` than the client signed.
    HostReplaced,
    /// A proxy in front has changed `Host`.
    HostChangedBefore,
    /// A proxy in front has changed the path.
    PathChangedBefore,
    /// `Accept-Encoding` is signed, and something in front has rewritten or removed it.
    AcceptEncoding,
    /// A signed header did not arrive.
    HeaderMissing,
    /// A signed header came in several lines.
    HeaderRepeated,
    /// `Cookie` is signed and came in several lines, which leave as one.
    CookieLines,
    /// A header of tracing is signed, which agents and proxies on the way write anew.
    TraceContext,
    /// The query of a presigned URL has what was added or rewritten after it was signed.
    QueryChanged,
    /// A signed header is for one connection only: every proxy may remove it.
    HopByHop,
    /// The client's clock is wrong.
    ClientClock,
    /// The client's clock agrees with this machine's, the upstream's does not.
    UpstreamClock,
    /// A presigned URL is past its time.
    Expired,
    /// A HEAD fails by a presigned URL, most likely one for GET.
    HeadByGet,
    /// Nothing that a proxy can see: a wrong key or region.
    Unknown,
}

names! {
    SignatureCause: HostReplaced = "host_replaced", HostChangedBefore = "host_changed_before",
    PathChangedBefore = "path_changed_before", AcceptEncoding = "accept_encoding", HeaderMissing = "header_missing",
    HeaderRepeated = "header_repeated", CookieLines = "cookie_lines",
    TraceContext = "trace_context", QueryChanged = "query_changed", HopByHop = "hop_by_hop",
    ClientClock = "client_clock", UpstreamClock = "upstream_clock", Expired = "expired", HeadByGet = "head_by_get",
    Unknown = "unknown",
}

/// The reason for which a request was asked again, or with a restored header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealCause {
    /// The signature was for another of the configured names.
    Host,
    /// Something on the way has replaced its `Accept-Encoding`.
    AcceptEncoding,
}

names!(HealCause: Host = "host", AcceptEncoding = "accept_encoding");

/// The end of such a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealResult {
    /// The upstream took the signature in the end.
    Healed,
    /// The upstream refused each form that it was asked in.
    Refused,
}

names!(HealResult: Healed = "healed", Refused = "refused");

/// The counters.
pub struct SignatureCounters {
    mismatches: IntCounter,
    failures: [IntCounter; SignatureCause::ALL.len()],
    heals: [[IntCounter; HealResult::ALL.len()]; HealCause::ALL.len()],
}

impl SignatureCounters {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let mismatches = IntCounter::new(
            "s3cors_signature_mismatches_total",
            "Answers of an upstream that say that the request's signature does not match.",
        )?;
        let failures = IntCounterVec::new(
            Opts::new(
                "s3cors_signature_failures_total",
                "Requests that an upstream rejects for their signature or its time, by the cause that the proxy sees.",
            ),
            &["cause"],
        )?;
        let failures = register(registry, failures)?;
        let heals = IntCounterVec::new(
            Opts::new(
                "s3cors_signature_heals_total",
                "Requests that were asked again because an upstream refused their signature, or with a restored header.",
            ),
            &["cause", "result"],
        )?;
        let heals = register(registry, heals)?;
        Ok(Self {
            mismatches: register(registry, mismatches)?,
            failures: SignatureCause::ALL.map(|cause| failures.with_label_values(&[cause.as_str()])),
            heals: HealCause::ALL
                .map(|cause| HealResult::ALL.map(|result| heals.with_label_values(&[cause.as_str(), result.as_str()]))),
        })
    }

    /// Counts a request by its cause.
    pub fn failed(&self, cause: SignatureCause) {
        if let Some(counter) = self.failures.get(cause as usize) {
            counter.inc();
        }
    }

    /// Counts a request that was asked again, or with a restored header.
    pub fn healed(&self, cause: HealCause, result: HealResult) {
        if let Some(counter) = self.heals.get(cause as usize).and_then(|results| results.get(result as usize)) {
            counter.inc();
        }
    }

    /// Counts a response that names a mismatch as the error.
    pub fn mismatched(&self) {
        self.mismatches.inc();
    }
}

#[cfg(test)]
mod tests {
    use super::SignatureCause;
    use std::collections::BTreeSet;

    #[test]
    fn each_cause_has_its_own_counter_and_word() {
        for (index, cause) in SignatureCause::ALL.into_iter().enumerate() {
            assert_eq!(cause as usize, index, "{cause:?}");
        }
        assert_eq!(SignatureCause::ALL.map(SignatureCause::as_str).into_iter().collect::<BTreeSet<_>>().len(), 15);
    }
}
