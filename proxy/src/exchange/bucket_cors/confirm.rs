//! Whether the upstream judges signatures: a request with a broken one must be refused.
//!
//! That is asked at the start and every now and then, with a request that means nothing, and before each operation with the request itself.

use super::api::Confirmed;
use super::operation::{AskedOperation, SignedOperation, count, error_reply, rejected};
use super::response::{Response, unproven};
use super::write::{WriteJob, written_reply};
use crate::config::UpstreamIndex;
use crate::exchange::asked_upstream::AskedUpstream;
use crate::exchange::failure::Failure;
use crate::exchange::head::RequestHead;
use crate::exchange::known::Known;
use crate::exchange::policy::Policy;
use crate::exchange::reply::Reply;
use crate::exchange::stages::{Forward, Replying};
use crate::rules::{Bucket, WriteError, Written};
use crate::s3::bucket_cors::Operation;
use crate::s3::checksum::hex_sha256;
use crate::s3::error::{ErrorCode, S3Error};
use crate::telemetry::{OperationResult, printable};
use http::request::Parts;
use s3_cors::CorsConfiguration;
use std::sync::Arc;
use std::time::SystemTime;

/// An operation that the upstream does not support, as it says. It has not shown yet that it has looked at the signature.
pub struct Unconfirmed<H: RequestHead> {
    request: AskedOperation<H>,
    configuration: Option<CorsConfiguration>,
}

/// A write whose signature the upstream has judged. Only [`Unconfirmed::after_confirmation`] makes one.
pub struct ConfirmedWrite<H: RequestHead>(Unconfirmed<H>);

/// The step after the response to the broken signature.
pub enum AfterConfirmation<H: RequestHead> {
    /// The client gets this reply.
    Reply(Replying<H>),
    /// The document is written, on a thread that may block.
    Write(ConfirmedWrite<H>),
}

impl<H: RequestHead> Unconfirmed<H> {
    pub(super) fn new(mut request: AskedOperation<H>, configuration: Option<CorsConfiguration>) -> Self {
        request.forward.break_signature(request.signed.signature.clone());
        Self { request, configuration }
    }

    /// The same request on its way to the upstream, with its signature broken.
    pub const fn question(&mut self) -> &mut Forward<H> {
        &mut self.request.forward
    }

    /// Takes the upstream's response to the same request with a broken signature; `None` where the address that was asked first did not
    /// respond. Another address proves nothing: it may be stricter than the first.
    #[must_use]
    pub fn after_confirmation(self, response: Option<&Response>) -> AfterConfirmation<H> {
        let AskedOperation { forward, signed } = &self.request;
        let (policy, known) = (&forward.exchange.policy, &forward.exchange.known);
        let confirmed = response.map_or(Confirmed::Unclear, Confirmed::of_broken);
        let reply = match confirmed {
            Confirmed::Refused if signed.operation == Operation::Get => document_of(policy, signed, known),
            Confirmed::Refused => return AfterConfirmation::Write(ConfirmedWrite(self)),
            Confirmed::Unclear => {
                count(policy, signed.operation, OperationResult::Failed);
                error_reply(policy, &unproven(), known)
            }
            Confirmed::NotRefused => {
                // About this one request, which can be anyone's: it says nothing about those of others.
                tracing::warn!(
                    request_id = known.id.as_str(),
                    bucket = &*signed.bucket,
                    access_key = &*printable(signed.access_key.as_bytes()),
                    status = response.map(|response| response.status.as_u16()),
                    code = response.and_then(Response::code).map(|code| printable(code.as_bytes()).into_owned()),
                    "the upstream does not check who sent a request"
                );
                let message = "The storage server does not check the signature of this request.";
                rejected(policy, signed.operation, &S3Error::new(ErrorCode::AccessDenied, message), known)
            }
        };
        AfterConfirmation::Reply(Replying::new(self.request.forward.exchange, reply))
    }
}

impl<H: RequestHead> ConfirmedWrite<H> {
    /// The write itself, for a thread that may block.
    #[must_use]
    pub fn job(&mut self) -> WriteJob {
        let Unconfirmed { request: AskedOperation { forward, signed }, configuration } = &mut self.0;
        WriteJob::new(&forward.exchange.policy, signed, configuration.take())
    }

    /// Writes the audit line of a write, and makes the reply to it.
    #[must_use]
    pub fn done(self, written: &Result<Written, WriteError>) -> Replying<H> {
        let AskedOperation { forward, signed } = self.0.request;
        let reply = written_reply(&forward.exchange.policy, &signed, written, &forward.exchange.known);
        Replying::new(forward.exchange, reply)
    }

    /// Counts and logs a failure, and makes the reply to it, if the client is still there.
    #[must_use]
    pub fn fail(self, failure: Failure) -> Option<Replying<H>> {
        self.0.request.fail(failure)
    }
}

/// The bucket's own rules; those of the default are no one's configuration.
fn document_of(policy: &Policy, signed: &SignedOperation, known: &Known) -> Reply {
    let live = policy.rules.live();
    count(policy, signed.operation, OperationResult::Served);
    match live.own(&signed.bucket).and_then(Bucket::to_xml) {
        Some(Ok(xml)) => Reply::document(xml),
        Some(Err(error)) => {
            tracing::error!(request_id = known.id.as_str(), %error, "a document has no form in XML");
            let message = "The bucket's rules have a value that XML cannot carry.";
            error_reply(policy, &S3Error::new(ErrorCode::InternalError, message), known)
        }
        None => {
            let code = ErrorCode::NoSuchCorsConfiguration;
            let details = [("BucketName", &*signed.bucket)];
            let message = "The CORS configuration does not exist";
            policy.replies.error(code.status(), code.as_str(), message, &details, known)
        }
    }
}

/// Makes a PutBucketCors that no server may carry out: its key does not exist, its signature is random, and it has no document.
fn forged(bucket: &str, now: SystemTime) -> Option<Parts> {
    let date: String = humantime::format_rfc3339_seconds(now)
        .to_string()
        .chars()
        .filter(|character| !matches!(character, '-' | ':'))
        .collect();
    let day = date.get(..8).unwrap_or_default();
    let random = || fastrand::u64(..);
    let signature = format!("{:016x}{:016x}{:016x}{:016x}", random(), random(), random(), random());
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=S3CORSPROBE/{day}/us-east-1/s3/aws4_request, \
         SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"
    );
    let request = http::Request::put(format!("/{bucket}?cors"))
        .header("x-amz-date", date)
        .header("x-amz-content-sha256", hex_sha256(b""))
        .header("authorization", authorization)
        .header("content-length", "0")
        .body(());
    request.ok().map(|request| request.into_parts().0)
}

impl Policy {
    /// Begins a question of ours that this upstream must refuse; `None` where no operation is served here. It is for a bucket that has
    /// rules, if there is one: some servers look for the bucket first.
    #[must_use]
    pub fn forge(self: &Arc<Self>, upstream: UpstreamIndex) -> Option<Forward<Parts>> {
        let live = self.api.as_ref().map(|_| self.rules.live())?;
        let with_rules = live.with_rules();
        let bucket = with_rules
            .iter()
            .map(|bucket| &*bucket.label)
            .find(|label| !label.starts_with('_') && self.routes.of(Some(label)).upstream == upstream);
        let head = forged(bucket.unwrap_or("s3cors-probe"), SystemTime::now())?;
        let peer = self.peer(None, false, || None);
        let mut exchange = self.begin(head, peer);
        exchange.known.asked = AskedUpstream::only(upstream);
        Some(Forward::of_ours(exchange))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    #[test]
    fn a_forged_request_says_when_it_was_made_and_carries_nothing() {
        let head = forged("b", UNIX_EPOCH).unwrap();
        let value = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        assert_eq!(head.uri, "/b?cors");
        assert_eq!((value("x-amz-date"), value("content-length")), (Some("19700101T000000Z"), Some("0")));
        assert!(value("authorization").unwrap().contains("/19700101/"), "{head:?}");
    }
}
