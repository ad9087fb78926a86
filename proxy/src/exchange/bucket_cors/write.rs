//! A write of a bucket's rules, and the line about it.

use super::operation::{SignedOperation, count, error_reply};
use crate::exchange::known::Known;
use crate::exchange::policy::Policy;
use crate::exchange::reply::Reply;
use crate::rules::{Digest, SigningTime, WriteError, Written};
use crate::s3::bucket_cors::Operation;
use crate::s3::error::{ErrorCode, S3Error};
use crate::telemetry::{OperationResult, printable};
use http::StatusCode;
use s3_cors::CorsConfiguration;
use std::sync::Arc;
use std::time::SystemTime;

/// A write that was confirmed, for a thread that may block.
pub struct WriteJob {
    policy: Arc<Policy>,
    bucket: Box<str>,
    signed_at: SystemTime,
    signature: Box<[u8]>,
    /// `None` removes the bucket's own rules.
    configuration: Option<CorsConfiguration>,
}

impl WriteJob {
    pub(super) fn new(
        policy: &Arc<Policy>,
        signed: &SignedOperation,
        configuration: Option<CorsConfiguration>,
    ) -> Self {
        Self {
            policy: Arc::clone(policy),
            bucket: signed.bucket.clone(),
            signed_at: signed.signed_at,
            signature: signed.signature.bytes().into(),
            configuration,
        }
    }

    /// Writes the document, or removes the bucket's own. Blocks on I/O.
    ///
    /// # Errors
    /// [`WriteError`]; nothing has changed then, or nothing is known.
    pub fn run(self) -> Result<Written, WriteError> {
        let Self { policy, bucket, signed_at, signature, configuration } = self;
        let mut applying = policy.api.as_ref().map(|api| api.replays.begin());
        if applying.as_ref().is_some_and(|applying| applying.is_replay(&bucket, signed_at, &signature)) {
            return Err(WriteError::Stale { last: signed_at });
        }
        let is_second_known = applying.as_ref().is_some_and(|applying| applying.knows(&bucket, signed_at));
        let signed = SigningTime { at: signed_at, is_second_known };
        let written = match &configuration {
            Some(configuration) => policy.rules.put(&bucket, configuration, signed),
            None => policy.rules.delete(&bucket, signed),
        };
        // A source that failed may have the write all the same.
        if let (Some(applying), Ok(_) | Err(WriteError::Failed { .. })) = (&mut applying, &written) {
            applying.applied(&bucket, signed_at, &signature);
        }
        written
    }
}

/// Writes the audit line of a write, and makes the reply to it.
pub(super) fn written_reply(
    policy: &Policy,
    signed: &SignedOperation,
    written: &Result<Written, WriteError>,
    known: &Known,
) -> Reply {
    let (request_id, bucket, operation) = (known.id.as_str(), &*signed.bucket, signed.operation.as_str());
    let access_key = &*printable(signed.access_key.as_bytes());
    let (result, reply) = match written {
        Ok(Written { before, after }) => {
            let digest =
                |digest: &Option<Digest>| digest.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
            let (before, after) = (digest(before), digest(after));
            tracing::info!(request_id, operation, bucket, access_key, before, after, "bucket CORS changed");
            let status = if signed.operation == Operation::Put { StatusCode::OK } else { StatusCode::NO_CONTENT };
            (OperationResult::Served, Reply::empty(status))
        }
        Err(error) => {
            tracing::warn!(request_id, operation, bucket, access_key, %error, "bucket CORS not changed");
            let is_rejected = matches!(error, WriteError::Stale { .. } | WriteError::Document(_));
            let result = if is_rejected { OperationResult::Rejected } else { OperationResult::Failed };
            (result, error_reply(policy, &told(error), known))
        }
    };
    count(policy, signed.operation, result);
    reply
}

/// The error for the client, without a path of this machine.
fn told(error: &WriteError) -> S3Error {
    match error {
        WriteError::Stale { .. } => S3Error::new(
            ErrorCode::OperationAborted,
            "Another request, signed later or in the same second, has changed the bucket's CORS configuration. Please sign the request again.",
        ),
        WriteError::NoBucketName => S3Error::new(ErrorCode::InvalidRequest, "No bucket can have this name."),
        WriteError::Document(_) => {
            S3Error::new(ErrorCode::InvalidRequest, "The document has a value that cannot be stored.")
        }
        WriteError::ReadOnly { .. } => S3Error::new(
            ErrorCode::ServiceUnavailable,
            "The proxy cannot write the rules of this bucket: they are read-only.",
        ),
        WriteError::Failed { .. } => {
            S3Error::new(ErrorCode::InternalError, "We encountered an internal error. Please try again.")
        }
    }
}
