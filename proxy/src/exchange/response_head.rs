//! The head of an upstream's response: what is noted of it, and whether the client gets this response or a second one.
//!
//! Decides: which responses are looked at, and whether a request is asked again. Must not know: what becomes of the notes.

use super::head::RequestHead;
use super::head_retry::{self, AsHead};
use super::known::{Known, UpstreamId};
use super::location::with_prefix;
use super::next_upstream::{asks_next_upstream, begin_again};
use super::no_vary_search::{Keeping, is_kept, is_presigned_get};
use super::policy::Policy;
use super::response_notes::ResponseNotes;
use super::response_plan::{Resend, ResponsePlan, Shown};
use super::sandbox::can_run_script;
use super::short_text::ShortText;
use super::signature_cause::{Rejected, Rejection};
use super::signature_mismatch::{examine_code, reported};
use super::signed_reads::response::{Judgement, judged_claim};
use crate::config::PresignedHead;
use crate::observe::RefusedSignature;
use crate::telemetry::{ByGet, HealCause, HealResult, SignatureCause, printable};
use http::{HeaderValue, StatusCode};
use s3_cors::Outcome;
use std::time::SystemTime;

const REQUEST_ID: &[u8] = b"x-amz-request-id";
const DATE: &[u8] = b"date";
/// MinIO says in a header what the response to a HEAD cannot have a body for.
const MINIO_CODE: &[u8] = b"x-minio-error-code";

const ADVICE: &str = "put the name that most clients sign for first in upstream.host or upstream_host, or give each kind of URL a name of \
                      its own in hosts; keep what rewrites Accept-Encoding from doing so";

/// Notes the head of the upstream's final response. `first` are the lines of the response before it, if the request was asked again.
pub(super) fn answered<'l, L>(
    policy: &Policy,
    (status, lines): (StatusCode, L),
    (first, resend): (Option<L>, Resend<'_>),
    head: &impl RequestHead,
    known: &mut Known,
) -> ResponsePlan
where
    L: Iterator<Item = (&'l [u8], &'l [u8])> + Clone,
{
    known.upstream_time = known.upstream_started.map(|started| started.elapsed());
    policy.upstreams.get(known.asked.index).responded(Some(status));
    if asks_next_upstream(policy, (status, resend), lines.clone(), head, known) {
        return ResponsePlan::Again;
    }
    match judged_claim(policy, (status, resend.document), head, known) {
        Judgement::Usual => {}
        Judgement::Plan(plan) => {
            begin_again(policy, head, known);
            examine_head(policy, lines, head, known);
            return plan;
        }
        Judgement::Relay(shown) => {
            known.notes = notes_of(policy, head, known, status, lines.clone());
            examine_head(policy, lines, head, known);
            return ResponsePlan::Relay(Shown { status: shown, ..Shown::as_it_came() });
        }
    }
    if asks_again(policy, status, head, known) || asks_in_another_form(policy, (status, resend), head, known) {
        return ResponsePlan::Again;
    }
    // S3 reports a failed signature with 403 only. MinIO and Garage say 400 where a signed header did not arrive, in the document. The
    // response to a GET that the client did not ask for is not about its request.
    let may_say_so = status == StatusCode::FORBIDDEN || (status == StatusCode::BAD_REQUEST && head.method() != "HEAD");
    known.may_be_mismatch = may_say_so && known.by_get.is_none();
    let mut shown = Shown::as_it_came();
    let lines = match first.filter(|_| known.by_get.is_some()) {
        None => lines,
        Some(first) => {
            let as_head = head_retry::shown(head, status, lines.clone());
            shown.is_retry = true;
            shown.is_first = as_head == AsHead::Rejected;
            if let AsHead::Whole(length) = as_head {
                shown.full_length = Some(length);
            }
            known.by_get = Some(if shown.is_first { ByGet::Rejected } else { ByGet::Answered });
            // The rejection of HEAD was not examined: another method might have been all that it takes.
            known.may_be_mismatch = shown.is_first;
            if shown.is_first { first } else { lines }
        }
    };
    known.notes = notes_of(policy, head, known, status, lines.clone());
    examine_head(policy, lines, head, known);
    ResponsePlan::Relay(shown)
}

/// Returns true if a presigned HEAD is asked again as GET.
fn asks_again(policy: &Policy, status: StatusCode, head: &impl RequestHead, known: &mut Known) -> bool {
    let asks = status == StatusCode::FORBIDDEN
        && known.by_get.is_none()
        && policy.presigned_head == PresignedHead::ByGet
        && head_retry::may_retry(head);
    if asks {
        known.by_get = Some(ByGet::Failed);
        known.questions.count_other();
    }
    asks
}

/// Returns true if a request that is refused for its signature is asked again in another form. What came of it is noted.
fn asks_in_another_form(
    policy: &Policy,
    (status, resend): (StatusCode, Resend<'_>),
    head: &impl RequestHead,
    known: &mut Known,
) -> bool {
    let Some(healing) = policy.healing.as_ref().filter(|_| known.questions.is_of_a_kind()) else { return false };
    let refusal = if status == StatusCode::FORBIDDEN { refusal(resend.document, head, known) } else { None };
    let Some(rejection) = refusal else {
        known.questions.accepted(healing, status);
        healed(policy, HealResult::Healed, head, known);
        return false;
    };
    if is_encoding_replaced(rejection, head) {
        known.questions.encoding_is_replaced();
    }
    if resend.is_possible && known.questions.go_on(head) {
        return true;
    }
    if !resend.is_possible {
        known.questions.refused(healing, head);
    }
    healed(policy, HealResult::Refused, head, known);
    false
}

/// The refusal of a signature that a response with 403 is. That to a HEAD has no document, and may be one.
fn refusal(document: &[u8], head: &impl RequestHead, known: &Known) -> Option<Rejection> {
    if head.method() == "HEAD" && known.by_get.is_none() {
        return Some(Rejection::Unsaid);
    }
    reported(document).filter(|rejection| *rejection == Rejection::Mismatch)
}

/// Returns true if a refusal is put down to an `Accept-Encoding` that something on the way has replaced. A name that was configured is no
/// cause.
fn is_encoding_replaced(rejection: Rejection, head: &impl RequestHead) -> bool {
    let rejected = Rejected::new(head, None, (SystemTime::now(), None));
    rejected.cause(rejection).is_some_and(|(cause, _)| cause == SignatureCause::AcceptEncoding)
}

/// Counts a request that was asked again, or with a restored header.
fn healed(policy: &Policy, result: HealResult, head: &impl RequestHead, known: &Known) {
    let questions = &known.questions;
    if !questions.is_healing() {
        return;
    }
    let cause = if questions.restores_encoding() { HealCause::AcceptEncoding } else { HealCause::Host };
    policy.metrics.signatures.healed(cause, result);
    let (request_id, bucket, cause) = (known.id.as_str(), known.label(), cause.as_str());
    let client_host = head.host().unwrap_or_default();
    let sent_host = policy.host_for_upstream(known).unwrap_or(client_host);
    // A refusal is kept with what the proxy sees of its cause.
    if result == HealResult::Healed && questions.is_further() {
        policy.refused_signatures.keep(&RefusedSignature {
            request_id,
            upstream_request_id: known.upstream_id.as_ref().map(ShortText::as_str),
            at: SystemTime::now(),
            bucket,
            method: head.method(),
            cause,
            header: questions.restores_encoding().then_some("accept-encoding"),
            client_host,
            sent_host,
            is_healed: true,
            advice: ADVICE,
        });
    }
    let sent_host = &*printable(sent_host.as_bytes());
    tracing::debug!(
        request_id,
        bucket,
        cause,
        result = result.as_str(),
        sent_host,
        "a signature was asked about again"
    );
    if questions.is_further() && policy.healing_log.counts() {
        tracing::warn!(
            request_id,
            bucket,
            cause,
            sent_host,
            advice = ADVICE,
            "many requests a minute are asked again because their signature was refused"
        );
    }
}

/// Looks at the head of the response that the client gets; `None` where nothing depends on it.
fn notes_of<'l>(
    policy: &Policy,
    head: &impl RequestHead,
    known: &Known,
    status: StatusCode,
    lines: impl Iterator<Item = (&'l [u8], &'l [u8])>,
) -> Option<Box<ResponseNotes>> {
    let is_sandboxed = known.host.is_sandboxed;
    let is_moved = known.host.prefix > 0 && (status.is_redirection() || status == StatusCode::CREATED);
    let is_kept = policy.no_vary_search.is_on() && is_kept(status) && is_presigned_get(head);
    let hides_path = known.signed_read().is_some_and(|read| read.grant.is_some());
    if !is_sandboxed && !is_moved && !is_kept && !hides_path {
        return None;
    }
    let (mut notes, mut keeping) =
        (ResponseNotes { is_sandboxed, hides_path, ..ResponseNotes::default() }, Keeping::default());
    for (name, value) in lines {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        match name.len() {
            12 if is_sandboxed && is("content-type") => notes.can_run_script |= can_run_script(value),
            13 if is_kept && is("cache-control") => keeping.add(value),
            8 if is_moved && is("location") => notes.location = moved(policy, head, known, value),
            _ => {}
        }
    }
    notes.adds_private = is_kept && keeping.is_unsaid();
    notes.has_no_vary_search = is_kept && (keeping.is_unsaid() || keeping.is_for_reader());
    Some(Box::new(notes))
}

fn moved(policy: &Policy, head: &impl RequestHead, known: &Known, location: &[u8]) -> Option<HeaderValue> {
    let received = head.host().unwrap_or_default();
    let sent = policy.host_for_upstream(known).unwrap_or(received);
    let prefix = head.path().get(..known.host.prefix)?;
    HeaderValue::from_bytes(&with_prefix(location, prefix, received, sent)?).ok()
}

/// Looks at the head of the response that the client gets.
fn examine_head<'l>(
    policy: &Policy,
    lines: impl Iterator<Item = (&'l [u8], &'l [u8])>,
    head: &impl RequestHead,
    known: &mut Known,
) {
    // The browser shows the upstream's id, not ours: anyone who asks about a denial has that one.
    let wants_id = policy.access_log.is_some() || known.decision.outcome() == Some(Outcome::Denied);
    if !wants_id && !known.may_be_mismatch {
        return;
    }
    let mut minio_code = None;
    for (name, value) in lines {
        match name.len() {
            16 if wants_id && name.eq_ignore_ascii_case(REQUEST_ID) => {
                known.upstream_id = UpstreamId::of_token(value);
            }
            4 if known.may_be_mismatch && name.eq_ignore_ascii_case(DATE) => known.upstream_clock = time_of(value),
            18 if known.may_be_mismatch && name.eq_ignore_ascii_case(MINIO_CODE) => minio_code = Some(value),
            _ => {}
        }
    }
    examine_code(policy, minio_code, head, known);
}

fn time_of(date: &[u8]) -> Option<std::time::SystemTime> {
    str::from_utf8(date).ok().and_then(|date| httpdate::parse_http_date(date).ok())
}
