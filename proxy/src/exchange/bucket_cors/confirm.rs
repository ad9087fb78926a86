//! Whether the upstream judges signatures: a request with a broken one must be refused.
//!
//! That is asked at the start and every now and then, with a request that means nothing, and before each operation with the request itself.

use super::super::{Context, Exchange, Reply};
use super::response::{Response, unproven};
use super::{BucketCors, Operation};
use crate::s3::checksum::hex_sha256;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::placed_signature::PlacedSignature;
use crate::telemetry::{OperationResult, printable};
use http::StatusCode;
use s3_cors::CorsConfiguration;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::SystemTime;

/// Whether writes are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// The upstream was not heard yet.
    Unproven,
    /// The upstream refuses a broken signature.
    Allowed,
    /// It does not.
    Disabled,
}

impl Writing {
    const ALL: [Self; 3] = [Self::Unproven, Self::Allowed, Self::Disabled];

    /// The word for operators.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unproven => "unproven",
            Self::Allowed => "allowed",
            Self::Disabled => "disabled",
        }
    }
}

/// The state of [`Writing`].
#[derive(Debug, Default)]
pub(super) struct WritingState(AtomicU8);

impl WritingState {
    pub(super) fn get(&self) -> Writing {
        Writing::ALL.get(usize::from(self.0.load(Ordering::Relaxed))).copied().unwrap_or(Writing::Unproven)
    }

    /// Returns whether it is another one than before.
    fn set(&self, writing: Writing) -> bool {
        self.0.swap(writing as u8, Ordering::Relaxed) != writing as u8
    }
}

/// What an upstream's response to a broken signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The upstream judges.
    Refused,
    /// It does not, or not before anything else.
    NotRefused,
    /// It could not.
    Unclear,
}

impl Confirmed {
    /// Reads the response to a request that has nothing valid in it: any refusal counts.
    #[must_use]
    pub fn of(response: &Response) -> Self {
        match response.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::Refused,
            // A server that wants another region says so before it looks for the key (S3 API, error responses).
            StatusCode::BAD_REQUEST if response.code() == Some("AuthorizationHeaderMalformed") => Self::Refused,
            StatusCode::NOT_IMPLEMENTED => Self::NotRefused,
            status if status.is_server_error() => Self::Unclear,
            StatusCode::TOO_MANY_REQUESTS => Self::Unclear,
            _ => Self::NotRefused,
        }
    }

    /// Reads the response to a client's own request with a broken signature. Only a refusal for the signature counts. The client chooses
    /// everything else of the request, so any other refusal could be one that it arranged: a URL that expires between the two questions,
    /// for example.
    fn of_broken(response: &Response) -> Self {
        match Self::of(response) {
            Self::Refused if !response.refuses_signature() => Self::NotRefused,
            confirmed => confirmed,
        }
    }
}

/// An operation that the upstream does not support, as it says. It has not shown yet that it has looked at the signature.
#[derive(Debug)]
pub struct Unconfirmed {
    request: BucketCors,
    configuration: Option<CorsConfiguration>,
}

impl Unconfirmed {
    pub(super) const fn new(request: BucketCors, configuration: Option<CorsConfiguration>) -> Self {
        Self { request, configuration }
    }

    /// The signature to break in the next question.
    #[must_use]
    pub const fn signature(&self) -> &PlacedSignature {
        &self.request.signature
    }
}

/// A write whose signature the upstream has judged. Only [`Exchange::after_confirmation`] makes one.
#[derive(Debug)]
pub struct ConfirmedWrite(Unconfirmed);

impl ConfirmedWrite {
    pub(super) const fn request(&self) -> &BucketCors {
        &self.0.request
    }

    /// The document to write; `None` removes the bucket's own.
    pub(super) const fn configuration(&self) -> Option<&CorsConfiguration> {
        self.0.configuration.as_ref()
    }
}

/// The step after the response to the broken signature.
#[derive(Debug)]
pub enum AfterConfirmation {
    /// The client gets this reply.
    Reply(Box<Reply>),
    /// The document is written, on a thread that may block.
    Write(Box<ConfirmedWrite>),
}

/// A PutBucketCors that no server may carry out: of a key that does not exist, with a signature that is none, and without a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgedRequest {
    /// The target.
    pub target: String,
    /// The header lines, but for `Host`.
    pub lines: Vec<(&'static str, String)>,
}

impl ForgedRequest {
    /// One for this moment.
    fn new(bucket: &str, now: SystemTime) -> Self {
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
        let lines = vec![
            ("x-amz-date", date.clone()),
            ("x-amz-content-sha256", hex_sha256(b"")),
            ("authorization", authorization),
            ("content-length", "0".to_owned()),
        ];
        Self { target: format!("/{bucket}?cors"), lines }
    }
}

impl Exchange {
    /// Takes the upstream's response to the same request with a broken signature; `None` where the address that was asked first did not
    /// respond. Another address proves nothing: it may be stricter than the first.
    pub fn after_confirmation(
        &self,
        unconfirmed: Unconfirmed,
        response: Option<&Response>,
        ctx: &Context,
    ) -> AfterConfirmation {
        let request = &unconfirmed.request;
        let confirmed = response.map_or(Confirmed::Unclear, Confirmed::of_broken);
        let (error, result) = match confirmed {
            Confirmed::Refused if request.operation == Operation::Get => {
                return AfterConfirmation::Reply(self.document_of(request, ctx).into());
            }
            Confirmed::Refused => return AfterConfirmation::Write(ConfirmedWrite(unconfirmed).into()),
            Confirmed::Unclear => (unproven(), OperationResult::Failed),
            Confirmed::NotRefused => {
                // About this one request, which can be anyone's: it says nothing about those of others.
                tracing::warn!(
                    request_id = ctx.request_id(),
                    bucket = &*request.bucket,
                    access_key = &*printable(request.access_key.as_bytes()),
                    status = response.map(|response| response.status.as_u16()),
                    code = response.and_then(Response::code).map(|code| printable(code.as_bytes()).into_owned()),
                    "the upstream does not check who sent a request"
                );
                let message = "The storage server does not check the signature of this request.";
                (S3Error::new(ErrorCode::AccessDenied, message), OperationResult::Rejected)
            }
        };
        self.count_operation(request.operation, result);
        AfterConfirmation::Reply(self.s3_error(&error, ctx).into())
    }

    /// Whether writes are served; `None` where no operation is.
    #[must_use]
    pub fn writing(&self) -> Option<Writing> {
        self.api.as_ref().map(|api| api.writing.get())
    }

    /// The `Host` that an upstream sees in place of the one in its URL.
    #[must_use]
    pub fn upstream_host_name(&self) -> Option<&str> {
        match &self.upstream_host {
            crate::config::UpstreamHost::Preserve => None,
            crate::config::UpstreamHost::Name(name) => Some(name),
        }
    }

    /// A request that every upstream must refuse. It is for a bucket that has rules, if there is one: some servers look for the bucket
    /// first.
    #[must_use]
    pub fn forged_request(&self) -> ForgedRequest {
        let live = self.rules.live();
        let with_rules = live.with_rules();
        let bucket = with_rules.iter().map(|bucket| &*bucket.label).find(|label| !label.starts_with('_'));
        ForgedRequest::new(bucket.unwrap_or("s3cors-probe"), SystemTime::now())
    }

    /// Takes what the upstreams' responses to such a request say: writes are served only if all that could be asked refuse it.
    pub fn probed(&self, responses: &[Response]) {
        let not_refused = responses.iter().find(|response| Confirmed::of(response) == Confirmed::NotRefused);
        if let Some(response) = not_refused {
            self.disable_writing(response);
        } else if responses.iter().any(|response| Confirmed::of(response) == Confirmed::Refused) {
            let is_new = self.api.as_ref().is_some_and(|api| api.writing.set(Writing::Allowed));
            if is_new {
                tracing::info!("the upstream refuses broken signatures: PutBucketCors and DeleteBucketCors are served");
            }
        }
    }

    fn disable_writing(&self, response: &Response) {
        let is_new = self.api.as_ref().is_some_and(|api| api.writing.set(Writing::Disabled));
        if is_new {
            tracing::error!(
                status = response.status.as_u16(),
                code = response.code().map(|code| printable(code.as_bytes()).into_owned()),
                "the upstream does not refuse a broken signature: PutBucketCors and DeleteBucketCors are not served; \
                 it must check signatures before it looks at anything else of these requests"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::time::UNIX_EPOCH;

    #[test]
    fn only_a_refusal_by_the_signature_confirms() {
        for (status, code, expected) in [
            (403, "InvalidAccessKeyId", Confirmed::Refused),
            (403, "SignatureDoesNotMatch", Confirmed::Refused),
            (401, "", Confirmed::Refused),
            (400, "AuthorizationHeaderMalformed", Confirmed::Refused),
            (400, "MalformedXML", Confirmed::NotRefused),
            (404, "NoSuchBucket", Confirmed::NotRefused),
            (501, "NotImplemented", Confirmed::NotRefused),
            (200, "", Confirmed::NotRefused),
            (204, "", Confirmed::NotRefused),
            (307, "", Confirmed::NotRefused),
            (500, "InternalError", Confirmed::Unclear),
            (503, "SlowDown", Confirmed::Unclear),
            (429, "", Confirmed::Unclear),
        ] {
            let body: Bytes = format!("<Error><Code>{code}</Code></Error>").into();
            let response = Response { status: StatusCode::from_u16(status).unwrap(), lines: Vec::new(), body };
            assert_eq!(Confirmed::of(&response), expected, "{status} {code}");
        }
    }

    #[test]
    fn a_forged_request_says_when_it_was_made_and_carries_nothing() {
        let ForgedRequest { target, lines } = ForgedRequest::new("b", UNIX_EPOCH);
        assert_eq!(target, "/b?cors");
        let value = |name| lines.iter().find(|(line, _)| *line == name).map(|(_, value)| value.as_str());
        assert_eq!((value("x-amz-date"), value("content-length")), (Some("19700101T000000Z"), Some("0")));
        assert!(value("authorization").unwrap().contains("/19700101/"), "{lines:?}");
    }
}
