//! The head of an upstream's response: what is noted of it, and whether the client gets this response or a second one.
//!
//! Decides: which responses are looked at, and whether a request is asked again. Must not know: what becomes of the notes.

use super::head::RequestHead;
use super::head_retry::{self, AsHead, FullLength};
use super::known::{Known, UpstreamId};
use super::policy::Policy;
use super::signature_mismatch::examine_code;
use crate::config::PresignedHead;
use crate::telemetry::ByGet;
use http::StatusCode;
use s3_cors::Outcome;

const REQUEST_ID: &[u8] = b"x-amz-request-id";
const DATE: &[u8] = b"date";
/// MinIO says in a header what the response to a HEAD cannot have a body for.
const MINIO_CODE: &[u8] = b"x-minio-error-code";

/// The step after the head of an upstream's final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponsePlan {
    /// The request is asked again, with other edits. This head is kept: it may be the one that is relayed in the end.
    Again,
    /// A response is relayed.
    Relay(Shown),
}

/// The response that the client sees. Only the exchange makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    pub(super) full_length: Option<FullLength>,
    is_retry: bool,
    is_first: bool,
}

impl Shown {
    /// The response that came.
    pub(super) const fn as_it_came() -> Self {
        Self { full_length: None, is_retry: false, is_first: false }
    }

    /// Returns true if the head of the first response is shown, not that of the second.
    #[must_use]
    pub const fn is_first(self) -> bool {
        self.is_first
    }

    /// Returns true if the body that came is not for the client, who asked HEAD.
    #[must_use]
    pub const fn is_head_only(self) -> bool {
        self.is_retry
    }
}

/// Notes the head of the upstream's final response. `first` are the lines of the response before it, if the request was asked again.
pub(super) fn answered<'l, L>(
    policy: &Policy,
    (status, lines): (StatusCode, L),
    first: Option<L>,
    head: &impl RequestHead,
    known: &mut Known,
) -> ResponsePlan
where
    L: Iterator<Item = (&'l [u8], &'l [u8])> + Clone,
{
    known.upstream_time = known.upstream_started.map(|started| started.elapsed());
    // S3 reports a failed signature with 403 only. That of a GET that the client did not ask for is not about its request.
    known.may_be_mismatch = status == StatusCode::FORBIDDEN && known.by_get.is_none();
    let mut shown = Shown::as_it_came();
    match first {
        None if asks_again(policy, status, head) => {
            known.by_get = Some(ByGet::Failed);
            return ResponsePlan::Again;
        }
        None => examine_head(policy, lines, head, known),
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
            examine_head(policy, if shown.is_first { first } else { lines }, head, known);
        }
    }
    ResponsePlan::Relay(shown)
}

fn asks_again(policy: &Policy, status: StatusCode, head: &impl RequestHead) -> bool {
    status == StatusCode::FORBIDDEN && policy.presigned_head == PresignedHead::ByGet && head_retry::may_retry(head)
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
