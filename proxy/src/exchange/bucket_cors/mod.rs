//! PutBucketCors, GetBucketCors and DeleteBucketCors in front of an upstream that has no such operations.
//!
//! The upstream is the judge: it gets the signed request first. Only where it says that it does not support the operation, which it says
//! to a request that it has authenticated and authorised, is the operation served from the rules. Before that the same request is sent
//! again with a broken signature: an upstream that does not refuse that has judged nothing.

mod confirm;
mod replays;
mod response;
mod write;

pub use confirm::{Confirmed, ForgedRequest, Writing};
pub use response::{Next, Response};

use super::head::RequestHead;
use super::{Context, Exchange, Peer, Reply};
use crate::config::{Config, RulesApi, UnsignedPayload};
use crate::s3::aws_chunked::MAX_FRAMING;
use crate::s3::bucket_cors::{Operation, bucket_of};
use crate::s3::credential::{Claims, Covers, Credential, NoCredential};
use crate::s3::error::{ErrorCode, S3Error};
use crate::telemetry::OperationResult;
use confirm::WritingState;
use replays::Replays;
use s3_cors::{MAX_DOCUMENT_LENGTH, WarningCode};
use std::time::SystemTime;

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
    signature: Box<str>,
    /// When it was signed; of a write it is known.
    signed_at: SystemTime,
    /// Whether no one on the way can have changed it.
    is_encrypted: bool,
}

impl BucketCors {
    /// The longest body of such a request, in bytes: the longest document, in chunks of its own coding.
    pub const MAX_BODY: usize = MAX_DOCUMENT_LENGTH + MAX_FRAMING;

    /// The signature, as it is written in the request.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }
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
        let signed = signed(operation, bucket, head, Self::is_encrypted(head, peer, ctx));
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

/// Reads who has signed a request and what the signature covers.
fn signed(
    operation: Operation,
    bucket: &str,
    head: &impl RequestHead,
    is_encrypted: bool,
) -> Result<BucketCors, S3Error> {
    let denied = |message| S3Error::new(ErrorCode::AccessDenied, message);
    let credential = claims(head).ok_or(NoCredential::Ambiguous).and_then(Credential::of);
    let credential = credential.map_err(|why| match why {
        // An upstream's own policy may allow everyone; rules are never anyone's to change.
        NoCredential::Anonymous => denied("Access Denied"),
        NoCredential::Ambiguous => {
            denied("The request must be signed with exactly one signature that says what it covers.")
        }
    })?;
    if matches!(credential.covers, Covers::Headers(_)) && !credential.covers.has("host") {
        return Err(denied("There were headers present in the request which were not signed: host"));
    }
    let Some(signed_at) = credential.signed_at else {
        return Err(denied("AWS authentication requires a valid Date or x-amz-date header"));
    };
    Ok(BucketCors {
        operation,
        bucket: bucket.into(),
        access_key: credential.access_key.into(),
        covers: match credential.covers {
            Covers::Headers(names) => Covers::Headers(names.into_owned().into()),
            Covers::Version2 => Covers::Version2,
        },
        signature: credential.signature.into(),
        signed_at,
        is_encrypted,
    })
}

/// What a head says about its signer; `None` where it says something twice.
fn claims(head: &impl RequestHead) -> Option<Claims<'_>> {
    let mut claims = Claims { query: head.query(), ..Claims::default() };
    for (name, value) in head.lines() {
        let place = match name {
            _ if name.eq_ignore_ascii_case(b"authorization") => &mut claims.authorization,
            _ if name.eq_ignore_ascii_case(b"x-amz-date") => &mut claims.amz_date,
            _ if name.eq_ignore_ascii_case(b"date") => &mut claims.date,
            _ => continue,
        };
        if place.replace(str::from_utf8(value).ok()?).is_some() {
            return None;
        }
    }
    Some(claims)
}
