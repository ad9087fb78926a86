//! PutBucketCors, GetBucketCors and DeleteBucketCors in front of an upstream that has no such operations.
//!
//! The upstream is the judge: it gets the signed request first. Only where it says that it does not support the operation, which it says
//! to a request that it has authenticated and authorised, is the operation served from the rules. Before that the same request is sent
//! again with a broken signature: an upstream that does not refuse that has judged nothing.

mod confirm;
mod replays;
mod response;
mod write;

pub use confirm::{AfterConfirmation, Confirmed, ConfirmedWrite, ForgedRequest, Unconfirmed, Writing};
pub use response::{AfterUpstream, Response};

use super::head::RequestHead;
use super::{Context, Exchange, Peer, Reply};
use crate::config::{Config, RulesApi, UnsignedPayload};
use crate::s3::aws_chunked::MAX_FRAMING;
use crate::s3::bucket_cors::{Operation, bucket_of};
use crate::s3::credential::{Claims, Covers, Credential, NoCredential};
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::placed_signature::PlacedSignature;
use crate::telemetry::OperationResult;
use confirm::WritingState;
use replays::Replays;
use s3_cors::{MAX_DOCUMENT_LENGTH, WarningCode};
use std::time::{Duration, SystemTime};

/// The furthest ahead that a request may be signed (S3 API, RequestTimeTooSkewed). A write that is signed later than any clock would lock
/// its bucket until then: only a later one may follow it.
const MAX_AHEAD: Duration = Duration::from_secs(15 * 60);

/// What the operations need, where they are served here.
pub(super) struct Api {
    /// The warnings for which a document is refused.
    refused: Vec<WarningCode>,
    /// Whether a body that the signature does not cover may come without TLS.
    takes_unsigned: bool,
    writing: WritingState,
    replays: Replays,
}

impl Api {
    pub(super) fn of(config: &Config) -> Option<Self> {
        (config.rules.api == RulesApi::On).then(|| Self {
            refused: config.rules.refused().collect(),
            takes_unsigned: config.rules.unsigned_payload == UnsignedPayload::Any,
            writing: WritingState::default(),
            replays: Replays::default(),
        })
    }
}

/// A request for one of the operations, by someone who has signed it.
#[derive(Debug)]
pub struct BucketCors {
    operation: Operation,
    bucket: Box<str>,
    access_key: Box<str>,
    covers: Covers<'static>,
    signature: PlacedSignature,
    /// When it was signed; of a write it is known.
    signed_at: SystemTime,
    /// Whether no one on the way can have changed it.
    is_encrypted: bool,
}

impl BucketCors {
    /// The longest body of such a request, in bytes: the longest document, in chunks of its own coding.
    pub const MAX_BODY: usize = MAX_DOCUMENT_LENGTH + MAX_FRAMING;
}

impl Exchange {
    /// Whether a request that was judged is one of the operations and is carried out here, with the upstream's word; an error is the
    /// reply to one that the upstream need not see. `None` is forwarded like any other request.
    pub fn bucket_cors(
        &self,
        head: &impl RequestHead,
        peer: &Peer,
        ctx: &Context,
    ) -> Option<Result<BucketCors, Box<Reply>>> {
        self.api.as_ref()?;
        let operation = Operation::of(head.method(), head.query())?;
        let address = self.address(head, ctx.bucket_host.as_deref());
        let bucket = bucket_of(&address, head.path())?;
        // The name is in a Host that the upstream does not see: it would judge another request.
        let is_in_host = head.path() == "/" && ctx.bucket_host.is_none();
        if is_in_host && self.host_for_upstream(ctx).is_some() {
            return None;
        }
        let signed = signed(operation, bucket, head, Self::is_encrypted(head, peer, ctx))?;
        Some(signed.map_err(|error| Box::new(self.reject_operation(operation, &error, ctx))))
    }

    /// The reply to a body that is longer than any can be: no more of it is read.
    pub fn reject_body(&self, request: &BucketCors, ctx: &Context) -> Reply {
        let error = S3Error::new(ErrorCode::MaxMessageLengthExceeded, "Your request was too big.");
        Reply { ends_connection: true, ..self.reject_operation(request.operation, &error, ctx) }
    }

    fn reject_operation(&self, operation: Operation, error: &S3Error, ctx: &Context) -> Reply {
        self.count_operation(operation, OperationResult::Rejected);
        self.s3_error(error, ctx)
    }

    fn s3_error(&self, error: &S3Error, ctx: &Context) -> Reply {
        self.error_reply(error.code.status(), error.code.as_str(), &error.message, &[], ctx)
    }

    fn count_operation(&self, operation: Operation, result: OperationResult) {
        self.metrics.bucket_cors.count(operation.as_str(), result);
    }
}

/// Reads who has signed a request and what the signature covers. `None` where the signature is no signature: no server can confirm it, so
/// the request is the upstream's alone.
fn signed(
    operation: Operation,
    bucket: &str,
    head: &impl RequestHead,
    is_encrypted: bool,
) -> Option<Result<BucketCors, S3Error>> {
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
) -> Result<BucketCors, S3Error> {
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
    Ok(BucketCors {
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
