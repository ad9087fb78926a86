//! Requests for the operations: who has signed them, and what the signature covers.

use crate::exchange::failure::Failure;
use crate::exchange::forwarding::is_encrypted;
use crate::exchange::head::RequestHead;
use crate::exchange::known::Known;
use crate::exchange::policy::Policy;
use crate::exchange::reply::Reply;
use crate::exchange::stages::{Exchange, Forward, Replying};
use crate::s3::aws_chunked::MAX_FRAMING;
use crate::s3::bucket_cors::{Operation, bucket_of};
use crate::s3::credential::{Claims, Covers, Credential, NoCredential};
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::placed_signature::PlacedSignature;
use crate::telemetry::OperationResult;
use s3_cors::MAX_DOCUMENT_LENGTH;
use std::time::{Duration, SystemTime};

/// The furthest ahead that a request may be signed (S3 API, RequestTimeTooSkewed). A write that is signed later than any clock would lock
/// its bucket until then: only a later one may follow it.
const MAX_AHEAD: Duration = Duration::from_secs(15 * 60);

/// An operation by someone who has signed it.
#[derive(Debug)]
pub(in crate::exchange) struct SignedOperation {
    pub(super) operation: Operation,
    pub(super) bucket: Box<str>,
    pub(super) access_key: Box<str>,
    pub(super) covers: Covers<'static>,
    pub(super) signature: PlacedSignature,
    /// The time of signing; of a write it is known.
    pub(super) signed_at: SystemTime,
    /// Set if no one on the way can have changed it.
    pub(super) is_encrypted: bool,
}

/// A request for one of the operations. Its body is read whole, and then the upstream judges it.
pub struct AskedOperation<H: RequestHead> {
    pub(super) forward: Forward<H>,
    pub(super) signed: SignedOperation,
}

impl<H: RequestHead> AskedOperation<H> {
    /// The longest body of such a request, in bytes: the longest document, in chunks of its own coding.
    pub(in crate::exchange) const MAX_BODY: usize = MAX_DOCUMENT_LENGTH + MAX_FRAMING;

    pub(in crate::exchange) const fn new(forward: Forward<H>, signed: SignedOperation) -> Self {
        Self { forward, signed }
    }

    /// The request on its way to the upstream.
    pub const fn question(&mut self) -> &mut Forward<H> {
        &mut self.forward
    }

    /// Refuses a body that is longer than any can be: no more of it is read.
    pub(in crate::exchange) fn body_too_long(self) -> Replying<H> {
        let error = S3Error::new(ErrorCode::MaxMessageLengthExceeded, "Your request was too big.");
        let Exchange { policy, known, .. } = &*self.forward.exchange;
        let reply = rejected(policy, self.signed.operation, &error, known);
        Replying::new(self.forward.exchange, Reply { ends_connection: true, ..reply })
    }

    /// Counts and logs a failure, and makes the reply to it, if the client is still there.
    #[must_use]
    pub fn fail(self, failure: Failure) -> Option<Replying<H>> {
        self.forward.fail(failure, false)
    }
}

/// Recognises an operation that is carried out here, with the upstream's word; an error is the reply to one that the upstream need not
/// see. Any other request is the upstream's.
pub(in crate::exchange) fn operation<H: RequestHead>(
    exchange: &Exchange<H>,
) -> Option<Result<SignedOperation, Box<Reply>>> {
    let Exchange { policy, head, peer, known, .. } = exchange;
    policy.api.as_ref()?;
    let operation = Operation::of(head.method(), head.query())?;
    let address = policy.address(head, &known.host);
    let path = known.host.inner(head.path());
    let bucket = bucket_of(&address, path)?;
    // The name is in a Host that the upstream does not see: it would judge another request.
    let is_in_host = path == "/" && known.host.get().is_none();
    if is_in_host && policy.host_for_upstream(known).is_some() {
        return None;
    }
    let signed = signed(operation, bucket, head, is_encrypted(head, peer, known.lines.has_forwarding))?;
    Some(signed.map_err(|error| Box::new(rejected(policy, operation, &error, known))))
}

pub(super) fn rejected(policy: &Policy, operation: Operation, error: &S3Error, known: &Known) -> Reply {
    count(policy, operation, OperationResult::Rejected);
    error_reply(policy, error, known)
}

pub(super) fn error_reply(policy: &Policy, error: &S3Error, known: &Known) -> Reply {
    policy.replies.error(error.code.status(), error.code.as_str(), &error.message, &[], known)
}

pub(super) fn count(policy: &Policy, operation: Operation, result: OperationResult) {
    policy.metrics.bucket_cors.count(operation.as_str(), result);
}

/// Reads who has signed a request and what the signature covers. `None` where the signature is no signature: no server can confirm it, so
/// the request is the upstream's alone.
fn signed(
    operation: Operation,
    bucket: &str,
    head: &impl RequestHead,
    is_encrypted: bool,
) -> Option<Result<SignedOperation, S3Error>> {
    let credential = match claims(head).ok_or(NoCredential::Ambiguous).and_then(Credential::of) {
        Err(NoCredential::Malformed) => return None,
        credential => credential.map_err(unsigned),
    };
    Some(credential.and_then(|credential| checked(operation, bucket, credential, is_encrypted)))
}

fn denied(message: &'static str) -> S3Error {
    S3Error::new(ErrorCode::AccessDenied, message)
}

fn unsigned(why: NoCredential) -> S3Error {
    match why {
        // An upstream's own policy may allow everyone; rules are never anyone's to change.
        NoCredential::Anonymous => denied("Access Denied"),
        NoCredential::Repeated => {
            S3Error::new(ErrorCode::AuthorizationHeaderMalformed, "A part of the authorization header is there twice.")
        }
        NoCredential::Ambiguous | NoCredential::Malformed => {
            denied("The request must be signed with exactly one signature that says what it covers.")
        }
    }
}

fn checked(
    operation: Operation,
    bucket: &str,
    credential: Credential<'_>,
    is_encrypted: bool,
) -> Result<SignedOperation, S3Error> {
    if matches!(credential.covers, Covers::Headers(_)) && !credential.covers.has("host") {
        return Err(denied("There were headers present in the request which were not signed: host"));
    }
    let Some(signed_at) = credential.signed_at else {
        return Err(denied("AWS authentication requires a valid Date or x-amz-date header"));
    };
    if signed_at > SystemTime::now() + MAX_AHEAD {
        let message = "The difference between the request time and the server's time is too large.";
        return Err(S3Error::new(ErrorCode::RequestTimeTooSkewed, message));
    }
    Ok(SignedOperation {
        operation,
        bucket: bucket.into(),
        access_key: credential.access_key.into(),
        covers: match credential.covers {
            Covers::Headers(names) => Covers::Headers(names.into_owned().into()),
            Covers::Version2 => Covers::Version2,
        },
        signature: credential.signature,
        signed_at,
        is_encrypted,
    })
}

/// The parts of a head that say who has signed it; `None` where one is there twice, or where an underscore stands for a hyphen: a server
/// that has its headers as CGI variables reads both as one.
fn claims(head: &impl RequestHead) -> Option<Claims<'_>> {
    let mut claims = Claims { query: head.query(), ..Claims::default() };
    for (name, value) in head.lines() {
        let place = match name {
            _ if name.eq_ignore_ascii_case(b"authorization") => &mut claims.authorization,
            _ if name.eq_ignore_ascii_case(b"x-amz-date") => &mut claims.amz_date,
            _ if name.eq_ignore_ascii_case(b"date") => &mut claims.date,
            _ if is_amz_with_underscore(name) => return None,
            _ => continue,
        };
        if place.replace(str::from_utf8(value).ok()?).is_some() {
            return None;
        }
    }
    Some(claims)
}

fn is_amz_with_underscore(name: &[u8]) -> bool {
    let is = |(byte, wanted): (&u8, &u8)| byte.eq_ignore_ascii_case(wanted) || (*wanted == b'-' && *byte == b'_');
    name.contains(&b'_') && name.len() > 6 && name.iter().zip(b"x-amz-").all(is)
}
