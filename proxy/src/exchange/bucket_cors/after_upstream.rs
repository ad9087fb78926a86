//! The step after the upstream's response to an operation.

use super::api::{Api, Writing};
use super::confirm::Unconfirmed;
use super::operation::{AskedOperation, SignedOperation, count};
use super::response::{Response, unproven};
use crate::exchange::head::RequestHead;
use crate::exchange::stages::Replying;
use crate::s3::bucket_cors::Operation;
use crate::s3::error::{ErrorCode, S3Error};
use crate::s3::signed_body::Stated;
use crate::telemetry::OperationResult;
use http::StatusCode;
use s3_cors::{CorsConfiguration, Document, Format};

/// The step after the upstream's response to an operation.
pub enum AfterUpstream<H: RequestHead> {
    /// The client gets this reply.
    Reply(Replying<H>),
    /// The same request is sent to the same address again, with a broken signature.
    Confirm(Unconfirmed<H>),
}

impl<H: RequestHead> AskedOperation<H> {
    /// Takes the upstream's response to an operation with this body.
    #[must_use]
    pub fn after_upstream(mut self, body: &[u8], response: Response) -> AfterUpstream<H> {
        self.forward.body(&response.body);
        let (signed, exchange) = (&self.signed, &self.forward.exchange);
        let api = exchange.policy.api.as_ref().filter(|_| response.is_unsupported(signed.operation));
        let writing = api.map(|api| api.checks.get(self.forward.upstream()).writing());
        let rejection = match (api, signed.operation, writing) {
            (Some(_), Operation::Get, _) | (Some(_), Operation::Delete, Some(Writing::Allowed)) => {
                return AfterUpstream::Confirm(Unconfirmed::new(self, None));
            }
            (Some(api), Operation::Put, Some(Writing::Allowed)) => match document(api, signed, &exchange.head, body) {
                Ok(configuration) => return AfterUpstream::Confirm(Unconfirmed::new(self, Some(configuration))),
                Err(rejection) => rejection,
            },
            (Some(_), _, Some(Writing::Unproven)) => unproven().into(),
            _ => {
                count(&exchange.policy, signed.operation, OperationResult::Relayed);
                return AfterUpstream::Reply(Replying::new(self.forward.exchange, response.into_reply()));
            }
        };
        let Rejection { code, status, message } = rejection;
        count(&exchange.policy, signed.operation, OperationResult::Rejected);
        let reply = exchange.policy.replies.error(status, code, &message, &[], &exchange.known);
        AfterUpstream::Reply(Replying::new(self.forward.exchange, reply))
    }
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
    signed: &SignedOperation,
    head: &impl RequestHead,
    body: &[u8],
) -> Result<CorsConfiguration, Rejection> {
    let payload = Stated::of(head.lines())?.check(body, &signed.covers)?;
    if !payload.is_signed && !signed.is_encrypted && !api.takes_unsigned {
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
