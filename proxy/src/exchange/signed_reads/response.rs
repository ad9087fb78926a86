//! Replies of ours in place of an upstream's response, and what a response means to the request's claim.

use super::answer::{ReadOutcome, answer};
use super::claim::{Claim, Opening, Refused};
use crate::exchange::grants::location;
use crate::exchange::head::RequestHead;
use crate::exchange::known::Known;
use crate::exchange::policy::Policy;
use crate::exchange::reply::Reply;
use crate::exchange::response_notes::NO_REFERRER;
use crate::exchange::response_plan::ResponsePlan;
use crate::s3::error::ErrorCode;
use crate::telemetry::GrantResult;
use http::{HeaderValue, StatusCode, header};

const TWO_READINGS: &str = "Servers differ about the key that this path names.";

/// The meaning of a response to a request's claim.
pub(in crate::exchange) enum Judgement {
    /// None: it is judged like any other.
    Usual,
    /// The next step is this.
    Plan(ResponsePlan),
    /// The client gets it, with this status in place of its own.
    Relay(Option<StatusCode>),
}

/// Takes the status of a response, and the beginning of its document where it decides.
pub(in crate::exchange) fn judged_claim(
    policy: &Policy,
    (status, document): (StatusCode, &[u8]),
    head: &impl RequestHead,
    known: &mut Known,
) -> Judgement {
    let Some(reads) = &policy.reads else { return Judgement::Usual };
    let reply = match &mut known.claim {
        Claim::Read(read) => match answer(reads, read, head, (status, document)) {
            ReadOutcome::Relay(status) => return Judgement::Relay(status),
            ReadOutcome::Again => return Judgement::Plan(ResponsePlan::Again),
            ReadOutcome::Error(code) => error(policy, code, known),
            ReadOutcome::Moved(location) => Reply::moved(StatusCode::FOUND, location),
        },
        Claim::Opens(opening) if is_allowed(status) => {
            let Some(reply) = opened(opening, head, known.host.prefix) else { return Judgement::Usual };
            policy.metrics.grants.count(GrantResult::Opened);
            reply
        }
        _ => return Judgement::Usual,
    };
    known.in_place = Some(Box::new(reply));
    Judgement::Plan(ResponsePlan::Reply)
}

/// Returns true if the upstream has allowed to read.
const fn is_allowed(status: StatusCode) -> bool {
    matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED)
}

/// The redirect to the same object below a token. It stays on its origin, so that CORS holds through it (Fetch, HTTP-redirect fetch).
fn opened(opening: &Opening, head: &impl RequestHead, prefix: usize) -> Option<Reply> {
    let (prefix, path) = head.path().split_at_checked(prefix)?;
    let (bucket, key) = path.split_at_checked(path.len().checked_sub(opening.key_length)?)?;
    let bucket = if opening.is_in_host { None } else { Some(bucket.trim_matches('/')) };
    let path = location(prefix, bucket, &opening.token, key);
    let mut reply = Reply::moved(StatusCode::TEMPORARY_REDIRECT, HeaderValue::try_from(path).ok()?);
    let of_the_token = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store")), NO_REFERRER.clone()];
    reply.lines = reply.lines.into_iter().chain(of_the_token).collect();
    Some(reply)
}

/// The reply to a request that ends here.
pub(in crate::exchange) fn refused_read(policy: &Policy, why: Refused, known: &Known) -> Reply {
    let with = |code: ErrorCode, message: &str| policy.replies.error(code.status(), code.as_str(), message, &[], known);
    let refused_token = |reply: Reply, result| {
        policy.metrics.grants.count(result);
        Reply { lines: Box::new([NO_REFERRER.clone()]), ..reply }
    };
    match why {
        Refused::TwoReadings => with(ErrorCode::InvalidUri, TWO_READINGS),
        Refused::Query => with(ErrorCode::AccessDenied, "Objects are read here without a query."),
        Refused::NoCredentials => {
            if policy.reads.as_ref().is_some_and(|reads| reads.missing_log.allows()) {
                tracing::error!("there are no credentials to sign reads with");
            }
            with(
                ErrorCode::ServiceUnavailable,
                "The credentials to read this object with are not available. Please try again.",
            )
        }
        Refused::TokenMethod => {
            refused_token(with(ErrorCode::AccessDenied, "A token is for GET and HEAD alone."), GrantResult::Method)
        }
        Refused::TokenReadings => refused_token(with(ErrorCode::InvalidUri, TWO_READINGS), GrantResult::Unreadable),
        Refused::Token(why) => refused_token(with(ErrorCode::AccessDenied, &why.to_string()), why.result()),
    }
}

/// S3's error in place of what the upstream says.
fn error(policy: &Policy, code: ErrorCode, known: &Known) -> Reply {
    let message = match code {
        ErrorCode::NoSuchKey => "The specified key does not exist.",
        ErrorCode::ServiceUnavailable => {
            "The storage server does not accept what reads are signed with here. Please try again."
        }
        ErrorCode::InvalidRequest => "The storage server does not accept the request.",
        ErrorCode::AccessDenied => "Access Denied",
        _ => "We encountered an internal error. Please try again.",
    };
    policy.replies.error(code.status(), code.as_str(), message, &[], known)
}
