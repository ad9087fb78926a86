//! What a proxy is blamed for most: a signature that does not match. The upstream says so in the body of its 403, and cannot say
//! why; here both hosts are known, the one that the client signed and the one that was sent on.

use super::Gateway;
use super::context::Context;
use super::request::host;
use crate::config::UpstreamHost;
use crate::s3::signature::HostSignature;
use crate::telemetry::log::printable;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use pingora::http::RequestHeader;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// S3's code, as every S3 server writes it.
const CODE: &[u8] = b"<Code>SignatureDoesNotMatch</Code>";
/// How far into a body the code is looked for: before it there is at most the XML declaration and the root element.
const LOOKED_AT: usize = 1024;

/// Says when a line was last written.
pub(super) struct Doctor {
    started: Instant,
    /// The second in which the last line was written, from 1.
    last: AtomicU64,
}

impl Default for Doctor {
    fn default() -> Self {
        Self { started: Instant::now(), last: AtomicU64::new(0) }
    }
}

impl Doctor {
    /// Whether there may be a line now: one a second, or a client with a wrong key fills the log.
    fn may_speak(&self) -> bool {
        let second = self.started.elapsed().as_secs() + 1;
        self.last.swap(second, Ordering::Relaxed) != second
    }
}

/// Whether an answer with this status may say it: S3 says it with 403 only.
pub(super) fn may_be_mismatch(status: StatusCode) -> bool {
    status == StatusCode::FORBIDDEN
}

impl Gateway {
    /// Counts and explains an answer whose body begins so, when it says that the signature does not match.
    pub(super) fn examine(&self, body: &[u8], request: &RequestHeader, ctx: &Context) {
        if !says_mismatch(body) {
            return;
        }
        self.metrics.http.signature_mismatches.inc();
        if !self.doctor.may_speak() {
            return;
        }
        let received = host(request).unwrap_or_default();
        let sent = match &self.upstream_host {
            UpstreamHost::Preserve => received,
            UpstreamHost::Name(name) => name,
        };
        let authorization = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let signed = HostSignature::of(authorization, request.uri.query());
        let advice = advice(received, sent, signed, &request.headers);
        tracing::warn!(
            request_id = ctx.id.as_str(),
            method = request.method.as_str(),
            bucket = ctx.bucket.as_ref().map(|bucket| &*bucket.label),
            client_host = &*printable(received.as_bytes()),
            host_signed = signed.as_str(),
            sent_host = &*printable(sent.as_bytes()),
            advice,
            "the upstream says that the signature does not match"
        );
    }
}

fn says_mismatch(body: &[u8]) -> bool {
    let start = body.get(..LOOKED_AT).unwrap_or(body);
    start.windows(CODE.len()).any(|window| window == CODE)
}

/// What to set, by what is known.
fn advice(received: &str, sent: &str, signed: HostSignature, headers: &HeaderMap) -> &'static str {
    let forwarded = headers.get("x-forwarded-host").and_then(|value| value.to_str().ok());
    let was_rewritten_before = forwarded.is_some_and(|forwarded| !forwarded.eq_ignore_ascii_case(received));
    match signed {
        HostSignature::Absent => "the client did not sign Host, so the host is not the cause: look at its secret key",
        _ if received != sent => {
            "set upstream.host to preserve, or let clients sign for the host that is sent: the upstream checks that one"
        }
        _ if was_rewritten_before => {
            "a proxy in front of this one has changed Host (see X-Forwarded-Host): let it pass on the client's own"
        }
        _ => {
            "Host was passed on as it came: look at the client's secret key and region, and whether something before this proxy \
             changes Host, path or signed headers"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

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
            assert_eq!(says_mismatch(body.as_bytes()), says, "{body}");
        }
    }

    #[test]
    fn advice_names_whoever_changed_the_host() {
        let none = HeaderMap::new();
        let forwarded = |host| headers(&[("x-forwarded-host", host)]);
        for (sent, signed, map, said) in [
            ("minio:9000", HostSignature::Covered, &none, "upstream.host to preserve"),
            ("minio:9000", HostSignature::Unknown, &none, "upstream.host to preserve"),
            ("s3.example", HostSignature::Covered, &forwarded("public.example"), "proxy in front"),
            ("s3.example", HostSignature::Covered, &forwarded("S3.example"), "passed on as it came"),
            ("s3.example", HostSignature::Covered, &none, "passed on as it came"),
            ("minio:9000", HostSignature::Absent, &none, "not the cause"),
        ] {
            let advice = advice("s3.example", sent, signed, map);
            assert!(advice.contains(said), "{sent} {signed:?}: {advice}");
        }
    }

    #[test]
    fn there_is_at_most_one_line_a_second() {
        let doctor = Doctor::default();
        let spoken = (0..1000).filter(|_| doctor.may_speak()).count();
        assert!((1..=2).contains(&spoken), "{spoken}");
    }
}
