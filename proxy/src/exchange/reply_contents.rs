//! The contents of replies: S3's error document, and the headers that every reply has.

use super::identity::Host;
use super::known::Known;
use super::reply::Reply;
use super::response_edits::ResponseEdits;
use super::response_plan::Shown;
use super::take_headers::TakeHeaders;
use crate::config::Cors;
use crate::s3::error::ErrorDocument;
use http::header::{CONTENT_TYPE, VARY};
use http::{HeaderValue, StatusCode};

/// Writes replies.
pub(super) struct Replies {
    host: Host,
    pub(super) cors: Cors,
}

impl Replies {
    pub(super) fn new(cors: Cors) -> Self {
        Self { host: Host::random(), cors }
    }

    /// An error, as S3 writes it.
    pub(super) fn error(
        &self,
        status: StatusCode,
        code: &str,
        message: &str,
        details: &[(&'static str, &str)],
        known: &Known,
    ) -> Reply {
        let (request_id, host_id) = (known.id.as_str(), self.host.id());
        let document = ErrorDocument { code, message, details, request_id, host_id };
        Reply { body: document.to_xml().into(), ..Reply::empty(status) }
    }

    /// Hands over each header of a reply, in their order.
    ///
    /// The length is always among them: without it the connection would have to close after the reply.
    pub(super) fn headers(&self, reply: &Reply, known: &Known, to: &mut impl TakeHeaders) {
        if reply.has_length() {
            to.length(reply.body.len());
        }
        let lines = reply.relayed.as_deref().unwrap_or_default();
        let vary = lines.iter().filter(|(name, _)| *name == VARY).map(|(_, value)| value.as_bytes());
        let edits = ResponseEdits::new(&self.cors, known, Shown::as_it_came(), vary);
        if reply.relayed.is_none() {
            if !reply.body.is_empty() {
                to.header(&CONTENT_TYPE, &HeaderValue::from_static(reply.content_type));
            }
            to.identity(&self.host.identity(&known.id));
        }
        for (name, value) in lines.iter().filter(|(name, _)| !edits.removes(name.as_str().as_bytes())) {
            to.header(name, value);
        }
        for (name, value) in &reply.lines {
            to.header(name, value);
        }
        edits.for_each_header(to);
    }
}
