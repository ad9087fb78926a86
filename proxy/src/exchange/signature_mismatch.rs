//! What a proxy is blamed for most: a signature that fails. The upstream reports it with 403 and cannot say why; here the request is
//! known as it came. Each is counted by its cause, and the log says what to set.

use super::head::RequestHead;
use super::signature_cause::{Rejected, Rejection, advice};
use super::{Context, Exchange};
use crate::telemetry::{SignatureCause, printable};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

/// How far into a body the code is looked for: before it there is at most the XML declaration and the root element.
const LOOKED_AT: usize = 1024;

/// Allows one log line a minute for each cause: without it a client with a wrong key fills the log.
pub(super) struct LogLimiter {
    started: Instant,
    /// The second in which the last line about each cause was written, from 1; 0 is never.
    last: [AtomicU64; SignatureCause::ALL.len()],
}

impl Default for LogLimiter {
    fn default() -> Self {
        Self { started: Instant::now(), last: Default::default() }
    }
}

impl LogLimiter {
    const SECONDS: u64 = 60;

    fn allows(&self, cause: SignatureCause) -> bool {
        self.allows_at(self.started.elapsed().as_secs() + 1, cause)
    }

    fn allows_at(&self, second: u64, cause: SignatureCause) -> bool {
        let is_due = |last| (last == 0 || second >= last + Self::SECONDS).then_some(second);
        let last = self.last.get(cause as usize);
        last.is_some_and(|last| last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_due).is_ok())
    }
}

impl Exchange {
    /// Looks at what the head of a response that [may report a failed signature](Context::upstream_answered) says of it. For a HEAD it is
    /// all there is.
    pub(super) fn examine_code(&self, minio: Option<&[u8]>, head: &impl RequestHead, ctx: &mut Context) {
        if ctx.may_be_mismatch && head.method() == "HEAD" {
            ctx.may_be_mismatch = false;
            self.diagnose(minio.map_or(Some(Rejection::Unsaid), |code| Rejection::of(code, &[])), head, ctx);
        }
    }

    /// Looks at the first bytes of the body of such a response.
    pub fn examine_body(&self, body: &[u8], head: &impl RequestHead, ctx: &mut Context) {
        if !ctx.may_be_mismatch || body.is_empty() {
            return;
        }
        ctx.may_be_mismatch = false;
        self.diagnose(reported(body), head, ctx);
    }

    /// Counts a rejection that has to do with the signature, and writes what to do about it.
    fn diagnose(&self, rejection: Option<Rejection>, head: &impl RequestHead, ctx: &Context) {
        let Some(rejection) = rejection else { return };
        let clocks = (SystemTime::now(), ctx.upstream_clock);
        let mut rejected = Rejected::new(head, self.host_for_upstream(ctx), clocks);
        rejected.is_by_get = ctx.by_get.is_some();
        let Some((cause, header)) = rejected.cause(rejection) else { return };
        if rejection == Rejection::Mismatch {
            self.metrics.signatures.mismatched();
        }
        self.metrics.signatures.failed(cause);
        if !self.signature_log.allows(cause) {
            return;
        }
        let text = |bytes: &[u8]| printable(bytes).into_owned();
        let (received, sent) = rejected.hosts;
        tracing::warn!(
            request_id = ctx.request_id(),
            method = head.method(),
            bucket = ctx.label(),
            cause = cause.as_str(),
            header = header.map(|name| text(name.as_bytes())),
            client_host = text(received.as_bytes()),
            host_signed = rejected.host_signed.as_str(),
            sent_host = text(sent.as_bytes()),
            in_front = rejected.in_front().map(text),
            signed_seconds_ago = rejected.signed_seconds_ago(),
            advice = advice(cause),
            "the upstream rejects a signature"
        );
    }
}

/// What the beginning of an error document says.
fn reported(body: &[u8]) -> Option<Rejection> {
    let start = body.get(..LOOKED_AT).unwrap_or(body);
    let code = start.get(memchr::memmem::find(start, b"<Code>")? + b"<Code>".len()..)?;
    Rejection::of(code.get(..memchr::memmem::find(code, b"</Code>")?)?, code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_counts_where_it_stands_at_the_start() {
        const CODE: &str = "<Code>SignatureDoesNotMatch</Code>";
        let error = |code: &str, message: &str| {
            format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>")
        };
        let after = |length: usize| "x".repeat(length) + CODE;
        for (body, says) in [
            (error("SignatureDoesNotMatch", "m"), Some(Rejection::Mismatch)),
            (error("RequestTimeTooSkewed", "m"), Some(Rejection::Skewed)),
            (error("AccessDenied", "Request has expired"), Some(Rejection::Expired)),
            (error("AccessDenied", "Access Denied"), Some(Rejection::Denied)),
            (error("SignatureDoesNotMatchX", "m"), None),
            (error("InvalidAccessKeyId", CODE), None),
            ("<Code>SignatureDoesNotMatch".to_owned(), None),
            (String::new(), None),
            (after(LOOKED_AT - CODE.len()), Some(Rejection::Mismatch)),
            (after(LOOKED_AT - CODE.len() + 1), None),
        ] {
            assert_eq!(reported(body.as_bytes()), says, "{body}");
        }
    }

    #[test]
    fn there_is_one_line_a_minute_for_each_cause() {
        let limiter = LogLimiter::default();
        let (host, key) = (SignatureCause::HostReplaced, SignatureCause::Unknown);
        for (second, cause, is_allowed) in [
            (1, host, true),
            (1, host, false),
            (1, key, true),
            (59, host, false),
            (60, host, false),
            (61, host, true),
            (90, key, true),
            (120, host, false),
            (121, host, true),
        ] {
            assert_eq!(limiter.allows_at(second, cause), is_allowed, "second {second}, {cause:?}");
        }
        assert!(!limiter.allows(key) && limiter.allows(SignatureCause::Expired));
    }
}
