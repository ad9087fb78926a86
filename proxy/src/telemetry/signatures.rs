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
    HeaderRepeated = "header_repeated", CookieLines = "cookie_lines", HopByHop = "hop_by_hop",
    ClientClock = "client_clock", UpstreamClock = "upstream_clock", Expired = "expired", HeadByGet = "head_by_get",
    Unknown = "unknown",
}

/// The counters.
pub struct SignatureCounters {
    mismatches: IntCounter,
    failures: [IntCounter; SignatureCause::ALL.len()],
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
        Ok(Self {
            mismatches: register(registry, mismatches)?,
            failures: SignatureCause::ALL.map(|cause| failures.with_label_values(&[cause.as_str()])),
        })
    }

    /// Counts a request by its cause.
    pub fn failed(&self, cause: SignatureCause) {
        if let Some(counter) = self.failures.get(cause as usize) {
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
        assert_eq!(SignatureCause::ALL.map(SignatureCause::as_str).into_iter().collect::<BTreeSet<_>>().len(), 13);
    }
}
