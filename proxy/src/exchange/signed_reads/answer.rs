//! The response to a read that is signed here, as the client sees it.
//!
//! A site has pages for folders and errors, as S3's websites have (S3 user guide, "Hosting a static website"). An error that is about the
//! signature is ours: what the upstream says of it has our access key in it, and what was signed.

use super::read::{ReadStep, SignedRead};
use super::reads::SignedReads;
use crate::exchange::head::RequestHead;
use crate::exchange::signature_cause::Rejection;
use crate::exchange::signature_mismatch::{code_of, reported};
use crate::s3::error::ErrorCode;
use http::{HeaderValue, StatusCode};
use std::sync::Arc;

/// The fate of a response.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::exchange) enum ReadOutcome {
    /// The client gets it, with this status in place of its own.
    Relay(Option<StatusCode>),
    /// The upstream is asked something else.
    Again,
    /// The client gets an error of ours.
    Error(ErrorCode),
    /// The client asks again, with a slash at the end of the path.
    Moved(HeaderValue),
}

/// Returns true if the beginning of a response's document decides.
pub(in crate::exchange) fn wants_document(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// Takes a response: its status, and the beginning of its document where it has one.
pub(in crate::exchange) fn answer(
    reads: &SignedReads,
    read: &mut SignedRead,
    head: &impl RequestHead,
    (status, document): (StatusCode, &[u8]),
) -> ReadOutcome {
    match read.step {
        ReadStep::Object => {
            read.status = status;
            if wants_document(status) && is_of_signature(status, document) {
                return refused(reads, status, document);
            }
            of_object(read, head)
        }
        ReadStep::Folder if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE => {
            // Its text is the same path to all readers, so that no browser takes it for another host's.
            HeaderValue::try_from(format!("{}/", head.path()))
                .map_or(ReadOutcome::Error(ErrorCode::InternalError), ReadOutcome::Moved)
        }
        ReadStep::Folder => error_page(read),
        ReadStep::Error if status == StatusCode::OK => ReadOutcome::Relay(Some(read.status)),
        ReadStep::Error => of_status(read.status),
    }
}

fn of_object(read: &mut SignedRead, head: &impl RequestHead) -> ReadOutcome {
    if !matches!(read.status, StatusCode::NOT_FOUND | StatusCode::FORBIDDEN) {
        return if wants_document(read.status) { of_status(read.status) } else { ReadOutcome::Relay(None) };
    }
    let prefix = Arc::clone(&read.prefix);
    match &prefix.index {
        Some(index) if read.may_be_folder => {
            read.ask_for_index(head.path(), index);
            ReadOutcome::Again
        }
        _ => error_page(read),
    }
}

fn error_page(read: &mut SignedRead) -> ReadOutcome {
    let prefix = Arc::clone(&read.prefix);
    match &prefix.error {
        Some(key) => {
            read.ask_for_error(key);
            ReadOutcome::Again
        }
        None if read.step == ReadStep::Object && read.status == StatusCode::NOT_FOUND => ReadOutcome::Relay(None),
        None => of_status(read.status),
    }
}

/// S3's error in place of the one that came.
fn of_status(status: StatusCode) -> ReadOutcome {
    ReadOutcome::Error(match status {
        StatusCode::NOT_FOUND => ErrorCode::NoSuchKey,
        StatusCode::BAD_REQUEST => ErrorCode::InvalidRequest,
        _ => ErrorCode::AccessDenied,
    })
}

/// Returns true if an upstream refuses our signature or our key. HEAD has no document, and its 403 is S3's for a key that may not be read.
fn is_of_signature(status: StatusCode, document: &[u8]) -> bool {
    const CODES: [&[u8]; 10] = [
        b"AuthorizationHeaderMalformed",
        b"ExpiredToken",
        b"InvalidAccessKeyId",
        b"InvalidClientTokenId",
        b"InvalidSecurity",
        b"InvalidToken",
        b"RequestExpired",
        b"RequestTimeTooSkewed",
        b"SignatureDoesNotMatch",
        b"TokenRefreshRequired",
    ];
    let is_mismatch = || status != StatusCode::BAD_REQUEST && reported(document) == Some(Rejection::Mismatch);
    code_of(document).is_some_and(|code| CODES.contains(&code)) || is_mismatch()
}

fn refused(reads: &SignedReads, status: StatusCode, document: &[u8]) -> ReadOutcome {
    if reads.refused_log.allows() {
        let code = code_of(document).and_then(|code| str::from_utf8(code).ok()).unwrap_or_default();
        tracing::error!(
            status = status.as_u16(),
            code,
            advice = "check the credentials that sign reads, their region (upstream.credentials) and the clock",
            "the upstream refuses what is signed here"
        );
    }
    ReadOutcome::Error(ErrorCode::ServiceUnavailable)
}
