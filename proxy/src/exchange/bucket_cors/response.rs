//! An upstream's response to an operation, as a whole.

use crate::exchange::reply::Reply;
use crate::s3::bucket_cors::Operation;
use crate::s3::error::{ErrorCode, S3Error};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};

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
    pub(super) fn is_unsupported(&self, operation: Operation) -> bool {
        let code = self.code();
        let has_none = self.status == StatusCode::NOT_FOUND && code == Some("NoSuchCORSConfiguration");
        (self.status == StatusCode::NOT_IMPLEMENTED && code == Some("NotImplemented"))
            || (operation == Operation::Get && has_none)
    }

    pub(in crate::exchange) fn into_reply(self) -> Reply {
        Reply { body: self.body, relayed: Some(self.lines.into()), ..Reply::empty(self.status) }
    }
}

/// The error for a write that cannot be judged right now.
pub(super) fn unproven() -> S3Error {
    let message = "Whether the storage server checks signatures could not be confirmed. Please try again.";
    S3Error::new(ErrorCode::ServiceUnavailable, message)
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
