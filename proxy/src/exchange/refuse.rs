//! The end of an exchange that failed: the reply in place of a response, and the line for operators.

use super::failure::Failure;
use super::head::RequestHead;
use super::reply::Reply;
use super::shown_path::shown_path;
use super::stages::{Exchange, Forward, Replying};
use crate::s3::error::ErrorCode;
use crate::telemetry::{UploadRefusedBy, UpstreamErrorKind, printable};

impl<H: RequestHead> Exchange<H> {
    /// Counts and logs a failure, and makes the reply to it. It carries the CORS headers of the decision, so that a script can read the
    /// status. The connection ends with it.
    pub(super) fn refuse(mut self: Box<Self>, failure: Failure) -> Replying<H> {
        self.note(failure);
        let (code, message) = failure.reply().unwrap_or((ErrorCode::InternalError, ""));
        let reply = self.policy.replies.error(code.status(), code.as_str(), message, &[], &self.known);
        Replying::new(self, Reply { ends_connection: true, ..reply })
    }

    /// Counts and logs a failure.
    fn note(&mut self, failure: Failure) {
        self.known.fault = failure.invalid_part();
        if failure == Failure::UploadTooLarge {
            self.policy.metrics.uploads.count(UploadRefusedBy::Size);
            self.known.refused_by = Some(UploadRefusedBy::Size.as_str());
        }
        let (request_id, method, bucket) = (self.known.id.as_str(), self.head.method(), self.known.label());
        let path = shown_path(&self.policy, &self.head, &self.known);
        let path = printable(path.as_bytes());
        let (error, reason) = failure.words();
        let asked = self.policy.upstreams.get(self.known.asked.index);
        let upstream = asked.name.as_deref();
        if failure.upstream().is_some() {
            asked.responded(None);
        }
        match failure.upstream() {
            // The resolver says so, once and then now and again; a line for each request would bury it.
            Some(kind @ UpstreamErrorKind::Resolve) => {
                self.policy.metrics.http.upstream_error(kind);
                tracing::debug!(request_id, method, bucket, path = &*path, error, reason, "request failed");
            }
            Some(kind) => {
                self.policy.metrics.http.upstream_error(kind);
                let kind = kind.as_str();
                tracing::error!(
                    request_id,
                    method,
                    bucket,
                    path = &*path,
                    upstream,
                    kind,
                    error,
                    reason,
                    "upstream failed"
                );
            }
            None => tracing::debug!(request_id, method, bucket, path = &*path, error, reason, "request failed"),
        }
    }
}

impl<H: RequestHead> Forward<H> {
    /// Counts and logs a failure. Returns the reply to it; `None` where the client is gone or has the beginning of a response, so that only
    /// its broken end can tell it.
    #[must_use]
    pub fn fail(mut self, failure: Failure, is_begun: bool) -> Option<Replying<H>> {
        if is_begun || failure.is_client_gone() {
            self.exchange.note(failure);
            return None;
        }
        Some(self.exchange.refuse(failure))
    }
}
