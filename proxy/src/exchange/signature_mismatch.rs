//! What a proxy is blamed for most: a signature that fails. The upstream reports it with 403 and cannot say why; here the request is
//! known as it came. Each is counted by its cause, and the log says what to set.

use super::head::RequestHead;
use super::known::Known;
use super::policy::Policy;
use super::short_text::ShortText;
use super::signature_cause::{Rejected, Rejection, advice};
use crate::observe::RefusedSignature;
use crate::telemetry::printable;
use std::time::SystemTime;

/// How far into a body the code is looked for: before it there is at most the XML declaration and the root element.
const LOOKED_AT: usize = 1024;

/// Looks for the code of an error in the head of a response that may report a failed signature. For a HEAD it is all there is.
pub(super) fn examine_code(policy: &Policy, minio: Option<&[u8]>, head: &impl RequestHead, known: &mut Known) {
    if known.may_be_mismatch && head.method() == "HEAD" {
        known.may_be_mismatch = false;
        diagnose(policy, minio.map_or(Some(Rejection::Unsaid), |code| Rejection::of(code, &[])), head, known);
    }
}

/// Looks at the first bytes of the body of such a response.
pub(super) fn examine_body(policy: &Policy, body: &[u8], head: &impl RequestHead, known: &mut Known) {
    if !known.may_be_mismatch || body.is_empty() {
        return;
    }
    known.may_be_mismatch = false;
    diagnose(policy, reported(body), head, known);
}

/// Counts a rejection that has to do with the signature, and writes what to do about it.
fn diagnose(policy: &Policy, rejection: Option<Rejection>, head: &impl RequestHead, known: &Known) {
    let Some(rejection) = rejection else { return };
    let clocks = (SystemTime::now(), known.upstream_clock);
    let mut rejected = Rejected::new(head, policy.host_for_upstream(known), clocks);
    (rejected.is_by_get, rejected.presigned_head) = (known.by_get.is_some(), policy.presigned_head);
    rejected.is_named_host = policy.signed_names(known).are_for_signatures();
    let Some((cause, header)) = rejected.cause(rejection) else { return };
    if rejection == Rejection::Mismatch {
        policy.metrics.signatures.mismatched();
    }
    policy.metrics.signatures.failed(cause);
    let advice = advice(cause, policy.presigned_head);
    policy.refused_signatures.keep(&RefusedSignature {
        request_id: known.id.as_str(),
        upstream_request_id: known.upstream_id.as_ref().map(ShortText::as_str),
        at: clocks.0,
        bucket: known.label(),
        method: head.method(),
        cause: cause.as_str(),
        header,
        client_host: rejected.hosts.0,
        sent_host: rejected.hosts.1,
        is_healed: false,
        advice,
    });
    if !policy.signature_log.allows(cause) {
        return;
    }
    let text = |bytes: &[u8]| printable(bytes).into_owned();
    let (received, sent) = rejected.hosts;
    tracing::warn!(
        request_id = known.id.as_str(),
        method = head.method(),
        bucket = known.label(),
        cause = cause.as_str(),
        header = header.map(|name| text(name.as_bytes())),
        client_host = text(received.as_bytes()),
        host_signed = rejected.host_signed.as_str(),
        sent_host = text(sent.as_bytes()),
        in_front = rejected.in_front().map(text),
        signed_seconds_ago = rejected.signed_seconds_ago(),
        advice,
        "the upstream rejects a signature"
    );
}

/// What the beginning of an error document says.
pub(super) fn reported(body: &[u8]) -> Option<Rejection> {
    let (code, document) = split_at_code(body)?;
    Rejection::of(code, document)
}

/// The code in the beginning of an error document.
pub(super) fn code_of(body: &[u8]) -> Option<&[u8]> {
    split_at_code(body).map(|(code, _)| code)
}

/// The code, and the document from it on.
fn split_at_code(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = body.get(..LOOKED_AT).unwrap_or(body);
    let document = start.get(memchr::memmem::find(start, b"<Code>")? + b"<Code>".len()..)?;
    Some((document.get(..memchr::memmem::find(document, b"</Code>")?)?, document))
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
            (
                error("AccessDenied", "There were headers present in the request which were not signed"),
                Some(Rejection::Absent),
            ),
            (error("InvalidRequest", "Bad request: signed header `range` is not present"), Some(Rejection::Absent)),
            (error("InvalidRequest", "Bad request: Date is too old"), Some(Rejection::Expired)),
            (error("InvalidRequest", "Bad request"), None),
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
}
