//! S3's error codes and `<Error>` documents, for what the proxy answers itself.

use http::StatusCode;
use quick_xml::escape::partial_escape;
use std::borrow::Cow;

/// The codes of the proxy's own errors. Those of a refused preflight are the engine's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// The request is not valid HTTP.
    BadRequest,
    /// The request's target is not valid.
    InvalidUri,
    /// The method is not one that S3 has.
    MethodNotAllowed,
    /// The client was too slow.
    RequestTimeout,
    /// The request's head is too large (S3's own code; RFC 6585 §5 has the status).
    RequestHeaderSectionTooLarge,
    /// There are too many requests.
    SlowDown,
    /// A fault of the proxy.
    InternalError,
    /// The upstream failed.
    BadGateway,
    /// The upstream did not answer in time.
    GatewayTimeout,
    /// The request has come back (not one of S3's; RFC 5842 §7.2 has the status).
    LoopDetected,
    /// There is no upstream to ask.
    ServiceUnavailable,
    /// The request is anonymous, or does not say clearly who it is from.
    AccessDenied,
    /// `Authorization` can be read in two ways.
    AuthorizationHeaderMalformed,
    /// The request was signed at a time that is too far from now.
    RequestTimeTooSkewed,
    /// The request contradicts itself, or lacks something.
    InvalidRequest,
    /// A header has a value that it cannot have.
    InvalidArgument,
    /// `Content-MD5` is not one.
    InvalidDigest,
    /// The body has another digest than was stated.
    BadDigest,
    /// The body has another SHA-256 than was signed.
    XAmzContentSha256Mismatch,
    /// The body is not as long as was stated.
    IncompleteBody,
    /// There is no body.
    MissingRequestBody,
    /// The body is larger than it may be.
    MaxMessageLengthExceeded,
    /// Another request was there before.
    OperationAborted,
    /// The bucket has no CORS configuration.
    NoSuchCorsConfiguration,
    /// The object does not exist.
    NoSuchKey,
    /// The object, or a part of it, is larger than it may be.
    EntityTooLarge,
    /// The object has a type that it may not have (not one of S3's; RFC 9110 §15.5.16 has the status).
    UnsupportedMediaType,
    /// The length of the body is not stated.
    MissingContentLength,
    /// The body is no form.
    MalformedPostRequest,
    /// A form has too much before its file.
    MaxPostPreDataLengthExceeded,
}

impl ErrorCode {
    /// The code as SDKs switch on it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::InvalidUri => "InvalidURI",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::RequestTimeout => "RequestTimeout",
            Self::RequestHeaderSectionTooLarge => "RequestHeaderSectionTooLarge",
            Self::SlowDown => "SlowDown",
            Self::InternalError => "InternalError",
            Self::BadGateway => "BadGateway",
            Self::GatewayTimeout => "GatewayTimeout",
            Self::LoopDetected => "LoopDetected",
            Self::ServiceUnavailable => "ServiceUnavailable",
            Self::AccessDenied => "AccessDenied",
            Self::AuthorizationHeaderMalformed => "AuthorizationHeaderMalformed",
            Self::RequestTimeTooSkewed => "RequestTimeTooSkewed",
            Self::InvalidRequest => "InvalidRequest",
            Self::InvalidArgument => "InvalidArgument",
            Self::InvalidDigest => "InvalidDigest",
            Self::BadDigest => "BadDigest",
            Self::XAmzContentSha256Mismatch => "XAmzContentSHA256Mismatch",
            Self::IncompleteBody => "IncompleteBody",
            Self::MissingRequestBody => "MissingRequestBodyError",
            Self::MaxMessageLengthExceeded => "MaxMessageLengthExceeded",
            Self::OperationAborted => "OperationAborted",
            Self::NoSuchCorsConfiguration => "NoSuchCORSConfiguration",
            Self::NoSuchKey => "NoSuchKey",
            Self::EntityTooLarge => "EntityTooLarge",
            Self::UnsupportedMediaType => "UnsupportedMediaType",
            Self::MissingContentLength => "MissingContentLength",
            Self::MalformedPostRequest => "MalformedPOSTRequest",
            Self::MaxPostPreDataLengthExceeded => "MaxPostPreDataLengthExceededError",
        }
    }

    /// The status that goes with it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest | Self::InvalidUri | Self::InvalidRequest | Self::InvalidArgument => {
                StatusCode::BAD_REQUEST
            }
            Self::InvalidDigest | Self::BadDigest | Self::XAmzContentSha256Mismatch => StatusCode::BAD_REQUEST,
            Self::IncompleteBody | Self::MissingRequestBody => StatusCode::BAD_REQUEST,
            Self::MaxMessageLengthExceeded | Self::EntityTooLarge => StatusCode::BAD_REQUEST,
            Self::MalformedPostRequest | Self::MaxPostPreDataLengthExceeded => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MissingContentLength => StatusCode::LENGTH_REQUIRED,
            Self::AuthorizationHeaderMalformed => StatusCode::BAD_REQUEST,
            Self::AccessDenied | Self::RequestTimeTooSkewed => StatusCode::FORBIDDEN,
            Self::NoSuchCorsConfiguration | Self::NoSuchKey => StatusCode::NOT_FOUND,
            Self::OperationAborted => StatusCode::CONFLICT,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::RequestHeaderSectionTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::SlowDown | Self::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::LoopDetected => StatusCode::LOOP_DETECTED,
        }
    }
}

/// An error that a request ends with: its code, and what the client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Error {
    /// The code.
    pub code: ErrorCode,
    /// The text for people.
    pub message: Cow<'static, str>,
}

impl S3Error {
    /// An error with this text.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }
}

/// An error as S3 clients know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDocument<'a> {
    /// The code that SDKs switch on.
    pub code: &'a str,
    /// The text for people.
    pub message: &'a str,
    /// Further elements after the message, in S3's order: their names and texts.
    pub details: &'a [(&'static str, &'a str)],
    /// The same as in `x-amz-request-id`.
    pub request_id: &'a str,
    /// The same as in `x-amz-id-2`.
    pub host_id: &'a str,
}

impl ErrorDocument<'_> {
    /// The content type of every error document (recorded).
    pub const CONTENT_TYPE: &'static str = "application/xml";

    /// Room for the longest of S3's messages.
    const USUAL_LENGTH: usize = 768;

    /// The document, its elements in S3's order (recorded): Code, Message, the details, RequestId, HostId.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut xml = String::with_capacity(Self::USUAL_LENGTH);
        xml.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
        element(&mut xml, "Code", self.code);
        element(&mut xml, "Message", self.message);
        for (name, text) in self.details {
            element(&mut xml, name, text);
        }
        element(&mut xml, "RequestId", self.request_id);
        element(&mut xml, "HostId", self.host_id);
        xml.push_str("</Error>");
        xml
    }
}

/// Appends an element. A rejection costs little more than a grant: the formatter would take most of it.
fn element(xml: &mut String, name: &str, text: &str) {
    let has_markup = memchr::memchr3(b'<', b'>', b'&', text.as_bytes()).is_some();
    let text = if has_markup { partial_escape(text) } else { text.into() };
    for part in ["<", name, ">", &text, "</", name, ">"] {
        xml.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_elements_keep_s3s_order() {
        let error = ErrorDocument {
            code: "AccessForbidden",
            message: "a <b> & \"c\"",
            details: &[("Method", "PUT"), ("ResourceType", "OBJECT")],
            request_id: "R",
            host_id: "H",
        };
        assert_eq!(
            error.to_xml(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessForbidden</Code>\
             <Message>a &lt;b&gt; &amp; \"c\"</Message><Method>PUT</Method><ResourceType>OBJECT</ResourceType>\
             <RequestId>R</RequestId><HostId>H</HostId></Error>"
        );
    }
}
