//! Answers that the proxy makes itself: status, identity, CORS headers and, for an error, S3's document.

use super::Gateway;
use super::context::Context;
use crate::s3::error::ErrorDocument;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, SERVER};
use http::{HeaderName, HeaderValue, StatusCode};
use pingora::http::{IntoCaseHeaderName, ResponseHeader};

const SERVER_NAME: HeaderValue = HeaderValue::from_static("s3cors");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const HOST_ID: HeaderName = HeaderName::from_static("x-amz-id-2");
const XML: HeaderValue = HeaderValue::from_static(ErrorDocument::CONTENT_TYPE);

/// A whole answer.
pub(super) struct Answer {
    pub(super) head: ResponseHeader,
    pub(super) body: Bytes,
}

impl Gateway {
    /// An answer with this body, or none.
    ///
    /// The length is always said: without it the connection is closed behind the answer, though the head says keep-alive.
    pub(super) fn answer(&self, status: StatusCode, xml: Option<String>, ctx: &Context) -> Answer {
        let mut head = empty_head(status);
        let body = Bytes::from(xml.unwrap_or_default());
        set(&mut head, CONTENT_LENGTH, HeaderValue::from(body.len()));
        if !body.is_empty() {
            set(&mut head, CONTENT_TYPE, XML);
        }
        set(&mut head, SERVER, SERVER_NAME);
        set(&mut head, REQUEST_ID, ctx.id.value());
        set(&mut head, HOST_ID, self.host_id.value().clone());
        self.add_cors(&mut head, ctx);
        Answer { head, body }
    }

    /// An error, as S3 writes it.
    pub(super) fn error_answer(
        &self,
        status: StatusCode,
        code: &str,
        message: &str,
        refused: Option<(&str, &str)>,
        ctx: &Context,
    ) -> Answer {
        let host_id = self.host_id.as_str();
        let document = ErrorDocument { code, message, refused, request_id: ctx.id.as_str(), host_id };
        self.answer(status, Some(document.to_xml()), ctx)
    }
}

/// A head without headers and without the map that keeps the case of a client's names: ours are in lower case.
fn empty_head(status: StatusCode) -> ResponseHeader {
    let (mut parts, ()) = http::Response::new(()).into_parts();
    parts.status = status;
    parts.headers.reserve(14);
    parts.into()
}

/// Replaces all values of a header. Names and values are typed here, so there is nothing that could be refused.
pub(super) fn set(head: &mut ResponseHeader, name: impl IntoCaseHeaderName, value: HeaderValue) {
    let _ = head.insert_header(name, value);
}
