//! What a proxy is blamed for most: a signature that does not match. The upstream reports it in the body of its 403 and cannot say
//! why; here both hosts are known, the one that the client signed and the one that was sent on.

use super::head::RequestHead;
use super::{Context, Exchange};
use crate::s3::signature::HostSignature;
use crate::telemetry::printable;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// S3's code, as every S3 server writes it.
const CODE: &[u8] = b"<Code>SignatureDoesNotMatch</Code>";
/// How far into a body the code is looked for: before it there is at most the XML declaration and the root element.
const LOOKED_AT: usize = 1024;

/// Allows one log line a second: without it a client with a wrong key fills the log.
pub(super) struct LogLimiter {
    started: Instant,
    /// The second in which the last line was written, from 1.
    last: AtomicU64,
}

impl Default for LogLimiter {
    fn default() -> Self {
        Self { started: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl LogLimiter {
    fn allows(&self) -> bool {
        let second = self.started.elapsed().as_secs() + 1;
        self.last.swap(second, Ordering::Relaxed) != second
    }
}

impl Exchange {
    /// Looks at the first bytes of a response's body: counts and explains a signature mismatch.
    pub fn examine_body(&self, body: &[u8], head: &impl RequestHead, ctx: &mut Context) {
        if !ctx.may_be_mismatch || body.is_empty() {
            return;
        }
        ctx.may_be_mismatch = false;
        if !reports_mismatch(body) {
            return;
        }
        self.metrics.http.signature_mismatches.inc();
        if !self.mismatches.allows() {
            return;
        }
        let received = head.host().unwrap_or_default();
        let sent = self.host_for_upstream(ctx).unwrap_or(received);
        let signed = HostSignature::of(head.text("authorization"), head.query());
        let advice = advice(received, sent, signed, head.text("x-forwarded-host"));
        tracing::warn!(
            request_id = ctx.request_id(),
            method = head.method(),
            bucket = ctx.label(),
            client_host = &*printable(received.as_bytes()),
            host_signed = signed.as_str(),
            sent_host = &*printable(sent.as_bytes()),
            advice,
            "the upstream reports a signature mismatch"
        );
    }
}

fn reports_mismatch(body: &[u8]) -> bool {
    let start = body.get(..LOOKED_AT).unwrap_or(body);
    memchr::memmem::find(start, CODE).is_some()
}

/// What to set, by what is known.
fn advice(received: &str, sent: &str, signed: HostSignature, forwarded: Option<&str>) -> &'static str {
    let was_rewritten_before = forwarded.is_some_and(|forwarded| !forwarded.eq_ignore_ascii_case(received));
    match signed {
        HostSignature::Absent => "the client did not sign Host, so the host is not the cause: check its secret key",
        _ if received != sent => {
            "set upstream.host to preserve, or let clients sign for the host that is sent: the upstream checks that one"
        }
        _ if was_rewritten_before => {
            "a proxy in front of this one has changed Host (see X-Forwarded-Host): let it pass on the client's own"
        }
        _ => {
            "Host was passed on as it came: check the client's secret key and region, and whether something before this proxy \
             changes Host, path or signed headers"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_counts_where_it_stands_at_the_start() {
        let error =
            |code: &str| format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>m</Message></Error>");
        let after = |length: usize| "x".repeat(length) + "<Code>SignatureDoesNotMatch</Code>";
        for (body, says) in [
            (error("SignatureDoesNotMatch"), true),
            (error("AccessDenied"), false),
            (error("SignatureDoesNotMatchX"), false),
            (String::new(), false),
            (after(LOOKED_AT - CODE.len()), true),
            (after(LOOKED_AT - CODE.len() + 1), false),
        ] {
            assert_eq!(reports_mismatch(body.as_bytes()), says, "{body}");
        }
    }

    #[test]
    fn advice_names_what_changed_the_host() {
        use HostSignature::{Absent, Covered, Unknown};
        for (sent, signed, forwarded, said) in [
            ("minio:9000", Covered, None, "upstream.host to preserve"),
            ("minio:9000", Unknown, None, "upstream.host to preserve"),
            ("s3.example", Covered, Some("public.example"), "proxy in front"),
            ("s3.example", Covered, Some("S3.example"), "passed on as it came"),
            ("s3.example", Covered, None, "passed on as it came"),
            ("minio:9000", Absent, None, "not the cause"),
        ] {
            let advice = advice("s3.example", sent, signed, forwarded);
            assert!(advice.contains(said), "{sent} {signed:?}: {advice}");
        }
    }

    #[test]
    fn there_is_at_most_one_line_a_second() {
        let limiter = LogLimiter::default();
        let lines = (0..1000).filter(|_| limiter.allows()).count();
        assert!((1..=2).contains(&lines), "{lines}");
    }
}
