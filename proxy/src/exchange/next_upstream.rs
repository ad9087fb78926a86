//! The step of a request from one upstream to the next.

use super::asked_upstream::AskedUpstream;
use super::head::RequestHead;
use super::known::Known;
use super::policy::Policy;
use super::questions::Questions;
use super::response_plan::Resend;
use super::signature_mismatch::code_of;
use super::signed_reads::claim::Claim;
use crate::telemetry::FallbackResult;
use http::StatusCode;
use std::time::SystemTime;

/// Sends a request to another upstream from now on. Returns false if that cannot be: it would read another bucket, or there are no
/// credentials to sign with.
pub(super) fn ask(policy: &Policy, head: &impl RequestHead, known: &mut Known, next: AskedUpstream) -> bool {
    let address = policy.address(head, &known.host);
    let names = policy.names.of_address(&address, known.host.get(), next.index);
    if names.is_empty() {
        return false;
    }
    if let Claim::Read(read) = &mut known.claim {
        let signer = policy.reads.as_ref().and_then(|reads| reads.signers.get(next.index).get(SystemTime::now()));
        let Some(signer) = signer else { return false };
        read.sign_with(signer);
    } else {
        let healing = policy.healing.as_ref();
        known.questions = Questions::begin(names, healing, head, (known.host.prefix, next.index));
    }
    (known.asked, known.upstream_time) = (next, None);
    true
}

/// Returns true if another upstream is asked, after this response.
pub(super) fn asks_next_upstream<'l>(
    policy: &Policy,
    (status, resend): (StatusCode, Resend<'_>),
    lines: impl Iterator<Item = (&'l [u8], &'l [u8])>,
    head: &impl RequestHead,
    known: &mut Known,
) -> bool {
    if known.asked.is_fallback() {
        known.fallback = Some(FallbackResult::of(status.as_u16()));
        return false;
    }
    if !resend.is_possible {
        return false;
    }
    // The response to HEAD has no document: its 404 is about the key or the bucket.
    let has_document = head.method() != "HEAD" || known.by_get.is_some();
    let is_missing = !has_document || says_missing(resend.document);
    let Some(next) = known.asked.after((status, is_missing), lines) else { return false };
    if let Some(healing) = &policy.healing {
        known.questions.accepted(healing, status);
    }
    let asks = ask(policy, head, known, next);
    // Until a response says otherwise.
    known.fallback = (asks && next.is_fallback()).then_some(FallbackResult::Failed);
    asks
}

/// Asks the first upstream again for the next thing that a read leads to, such as the page for a missing object.
pub(super) fn begin_again(policy: &Policy, head: &impl RequestHead, known: &mut Known) {
    if known.asked.is_fallback() {
        // Where it cannot be asked, the fallback is.
        ask(policy, head, known, known.asked.begun_again());
    }
}

fn says_missing(document: &[u8]) -> bool {
    matches!(code_of(document), Some(b"NoSuchKey" | b"NoSuchBucket"))
}
