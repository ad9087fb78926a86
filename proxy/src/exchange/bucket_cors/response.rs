//! What the upstream's response to an operation means.

use super::super::head::RequestHead;
use super::super::{Context, Exchange, Reply};
use super::confirm::{Unconfirmed, Writing};
use super::{Api, BucketCors, Operation};
use crate::rules::DocumentOrigin;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::signed_body::Stated;
use crate::telemetry::OperationResult;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use s3_cors::{CorsConfiguration, Document, Format};

/// A whole response of an upstream, without what is for its connection only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The header lines.
    pub lines: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// The code of an error.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.element("<Code>", "</Code>")
    }

    fn element(&self, before: &str, after: &str) -> Option<&str> {
        let start = memchr::memmem::find(&self.body, before.as_bytes())? + before.len();
        let rest = self.body.get(start..)?;
        str::from_utf8(rest.get(..memchr::memmem::find(rest, after.as_bytes())?)?).ok()
    }

    /// Returns true if an error is about the signature: by its code, or as Garage says it, by its message. `AccessDenied` alone is not: S3
    /// refuses a URL that has expired with it.
    pub(super) fn refuses_signature(&self) -> bool {
        let says_so = |message: &str| message.to_ascii_lowercase().contains("signature");
        match self.code() {
            Some("SignatureDoesNotMatch") => true,
            Some("AccessDenied") => self.element("<Message>", "</Message>").is_some_and(says_so),
            _ => false,
        }
    }

    /// Whether it says to someone who may carry out an operation that there is no such operation, or, of reading, nothing to read.
    fn is_unsupported(&self, operation: Operation) -> bool {
        let code = self.code();
        let has_none = self.status == StatusCode::NOT_FOUND && code == Some("NoSuchCORSConfiguration");
        (self.status == StatusCode::NOT_IMPLEMENTED && code == Some("NotImplemented"))
            || (operation == Operation::Get && has_none)
    }

    fn into_reply(self) -> Reply {
        Reply { body: self.body, relayed: Some(self.lines.into()), ..Reply::empty(self.status) }
    }
}

/// The step after the upstream's response to an operation.
#[derive(Debug)]
pub enum AfterUpstream {
    /// The client gets this reply.
    Reply(Box<Reply>),
    /// The same request is sent to the same address again, with a broken signature.
    Confirm(Box<Unconfirmed>),
}

impl Exchange {
    /// Takes the upstream's response to an operation.
    pub fn after_upstream(
        &self,
        request: BucketCors,
        head: &impl RequestHead,
        body: &[u8],
        response: Response,
        ctx: &mut Context,
    ) -> AfterUpstream {
        let lines = response.lines.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes()));
        self.examine_head(lines, head, ctx);
        self.examine_body(&response.body, head, ctx);
        let api = self.api.as_ref().filter(|_| response.is_unsupported(request.operation));
        let Some(api) = api else { return self.relay(&request, response) };
        let checked = match (request.operation, api.writing.get()) {
            (Operation::Get, _) => Ok(None),
            (_, Writing::Disabled) => return self.relay(&request, response),
            (_, Writing::Unproven) => Err(unproven().into()),
            (Operation::Put, Writing::Allowed) => document(api, &request, head, body).map(Some),
            (Operation::Delete, Writing::Allowed) => Ok(None),
        };
        match checked {
            Ok(configuration) => AfterUpstream::Confirm(Unconfirmed::new(request, configuration).into()),
            Err(Rejection { code, status, message }) => {
                self.count_operation(request.operation, OperationResult::Rejected);
                AfterUpstream::Reply(self.error_reply(status, code, &message, &[], ctx).into())
            }
        }
    }

    fn relay(&self, request: &BucketCors, response: Response) -> AfterUpstream {
        self.count_operation(request.operation, OperationResult::Relayed);
        AfterUpstream::Reply(response.into_reply().into())
    }

    /// The bucket's own rules; those of the default are no one's configuration.
    pub(super) fn document_of(&self, request: &BucketCors, ctx: &Context) -> Reply {
        let live = self.rules.live();
        self.count_operation(request.operation, OperationResult::Served);
        match live.document(&request.bucket).map(DocumentOrigin::to_xml) {
            Some(Ok(xml)) => Reply::document(xml),
            Some(Err(error)) => {
                tracing::error!(request_id = ctx.request_id(), %error, "a document has no form in XML");
                let message = "The bucket's rules have a value that XML cannot carry.";
                self.s3_error(&S3Error::new(ErrorCode::InternalError, message), ctx)
            }
            None => {
                let code = ErrorCode::NoSuchCorsConfiguration;
                let details = [("BucketName", &*request.bucket)];
                self.error_reply(code.status(), code.as_str(), "The CORS configuration does not exist", &details, ctx)
            }
        }
    }
}

/// What a client is told whose write cannot be judged right now.
pub(super) fn unproven() -> S3Error {
    let message = "Whether the storage server checks signatures could not be confirmed. Please try again.";
    S3Error::new(ErrorCode::ServiceUnavailable, message)
}

/// Why a document is not taken.
struct Rejection {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl From<S3Error> for Rejection {
    fn from(error: S3Error) -> Self {
        Self { status: error.code.status(), code: error.code.as_str(), message: error.message.into_owned() }
    }
}

/// The document in a body that is the signer's.
fn document(
    api: &Api,
    request: &BucketCors,
    head: &impl RequestHead,
    body: &[u8],
) -> Result<CorsConfiguration, Rejection> {
    let payload = Stated::of(head.lines())?.check(body, &request.covers)?;
    if !payload.is_signed && !request.is_encrypted && !api.takes_unsigned {
        let message = "The signature does not cover the body: sign its SHA-256 in x-amz-content-sha256, or use HTTPS.";
        return Err(S3Error::new(ErrorCode::AccessDenied, message).into());
    }
    if payload.bytes.is_empty() {
        return Err(S3Error::new(ErrorCode::MissingRequestBody, "Request body is empty.").into());
    }
    let document = Document::parse(&payload.bytes, Format::Xml).map_err(|errors| {
        let first = errors.iter().next();
        Rejection {
            status: StatusCode::BAD_REQUEST,
            code: first.map_or("MalformedXML", |error| error.code().as_str()),
            message: first.map(|error| error.message().into_owned()).unwrap_or_default(),
        }
    })?;
    let warnings = document.warnings();
    match warnings.iter().find(|warning| api.refused.contains(&warning.code())) {
        Some(warning) => Err(S3Error::new(ErrorCode::InvalidRequest, warning.to_string()).into()),
        None => Ok(document.into_configuration()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_that_the_operation_does_not_exist_is_served_from_the_rules() {
        use Operation::{Delete, Get, Put};
        for (operation, status, code, expected) in [
            (Put, 501, "NotImplemented", true),
            (Get, 501, "NotImplemented", true),
            (Delete, 501, "NotImplemented", true),
            (Get, 404, "NoSuchCORSConfiguration", true),
            (Put, 404, "NoSuchCORSConfiguration", false),
            (Delete, 404, "NoSuchCORSConfiguration", false),
            (Get, 404, "NoSuchBucket", false),
            (Put, 501, "", false),
            (Put, 501, "SomethingElse", false),
            (Put, 403, "NotImplemented", false),
            (Put, 405, "MethodNotAllowed", false),
            (Put, 200, "NotImplemented", false),
        ] {
            let body: Bytes = format!("<?xml version=\"1.0\"?>\n<Error>\n <Code>{code}</Code></Error>").into();
            let response = Response { status: StatusCode::from_u16(status).unwrap(), lines: Vec::new(), body };
            assert_eq!(response.is_unsupported(operation), expected, "{operation:?} {status} {code}");
        }
        let empty = Response { status: StatusCode::NOT_IMPLEMENTED, lines: Vec::new(), body: Bytes::new() };
        assert!(!empty.is_unsupported(Put), "a 501 of something in between");
    }
}
