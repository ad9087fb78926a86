//! A write of a bucket's rules, and the line about it.

use super::super::{Context, Exchange, Reply};
use super::confirm::ConfirmedWrite;
use super::{BucketCors, Operation};
use crate::rules::{Digest, SigningTime, WriteError, Written};
use crate::s3::error::{ErrorCode, S3Error};
use crate::telemetry::{OperationResult, printable};
use http::StatusCode;

impl Exchange {
    /// Writes a document, or removes the bucket's own. Blocks on I/O: not for a request's thread.
    ///
    /// # Errors
    /// [`WriteError`]; nothing has changed then, or nothing is known.
    pub fn write_bucket_cors(&self, write: &ConfirmedWrite) -> Result<Written, WriteError> {
        let BucketCors { bucket, signed_at, signature, .. } = write.request();
        let mut applying = self.api.as_ref().map(|api| api.replays.begin());
        if applying.as_ref().is_some_and(|applying| applying.is_replay(bucket, *signed_at, signature.bytes())) {
            return Err(WriteError::Stale { last: *signed_at });
        }
        let is_second_known = applying.as_ref().is_some_and(|applying| applying.knows(bucket, *signed_at));
        let signed = SigningTime { at: *signed_at, is_second_known };
        let written = match write.configuration() {
            Some(configuration) => self.rules.put(bucket, configuration, signed),
            None => self.rules.delete(bucket, signed),
        };
        // A source that failed may have the write all the same.
        if let (Some(applying), Ok(_) | Err(WriteError::Failed { .. })) = (&mut applying, &written) {
            applying.applied(bucket, *signed_at, signature.bytes());
        }
        written
    }

    /// Writes the audit line of a write, and returns the reply to it.
    pub fn after_write(&self, write: &ConfirmedWrite, written: &Result<Written, WriteError>, ctx: &Context) -> Reply {
        let request = write.request();
        let (request_id, bucket, operation) = (ctx.request_id(), &*request.bucket, request.operation.as_str());
        let access_key = &*printable(request.access_key.as_bytes());
        let (result, reply) = match written {
            Ok(Written { before, after }) => {
                let digest =
                    |digest: &Option<Digest>| digest.map_or_else(|| "none".to_owned(), |digest| digest.to_string());
                let (before, after) = (digest(before), digest(after));
                tracing::info!(request_id, operation, bucket, access_key, before, after, "bucket CORS changed");
                let status = if request.operation == Operation::Put { StatusCode::OK } else { StatusCode::NO_CONTENT };
                (OperationResult::Served, Reply::empty(status))
            }
            Err(error) => {
                tracing::warn!(request_id, operation, bucket, access_key, %error, "bucket CORS not changed");
                let told = told(error);
                let is_rejected = matches!(error, WriteError::Stale { .. } | WriteError::Document(_));
                let result = if is_rejected { OperationResult::Rejected } else { OperationResult::Failed };
                (result, self.s3_error(&told, ctx))
            }
        };
        self.count_operation(request.operation, result);
        reply
    }
}

/// What the client is told, without a path of this machine.
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
