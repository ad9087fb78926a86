//! What went wrong between the proxy and one of its sides: whom to blame, and what the client is told.

use super::Gateway;
use super::answer::Answer;
use super::context::Context;
use crate::telemetry::UpstreamErrorKind;
use crate::telemetry::log::printable;
use http::StatusCode;
use pingora::http::RequestHeader;
use pingora::{Error, ErrorSource, ErrorType};

/// No upstream's name has resolved.
pub(super) const UNRESOLVED: ErrorType = ErrorType::new("Unresolved");

/// A failure, as client and operator should see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// What the client is told; `None` when it is not there any more.
    pub(super) status: Option<StatusCode>,
    code: &'static str,
    message: &'static str,
    /// Of an upstream's failure, the kind.
    pub(super) upstream: Option<UpstreamErrorKind>,
}

impl Failure {
    /// `has_body`: whether all of the request's body had come.
    pub(super) fn of(error: &Error, has_body: bool) -> Self {
        match error.esource() {
            _ if *error.etype() == UNRESOLVED => Self::upstream(
                StatusCode::SERVICE_UNAVAILABLE,
                "ServiceUnavailable",
                "The storage server's name does not resolve. Please try again.",
                UpstreamErrorKind::Resolve,
            ),
            // What was waited for was the client: the time for an upstream's answer runs on while a body comes. Over HTTP/2 no other
            // time ends an upload that has stopped, for Pingora's read timeout does nothing there.
            ErrorSource::Upstream if *error.etype() == ErrorType::ReadTimedout && !has_body => {
                Self::of_downstream(&ErrorType::ReadTimedout)
            }
            ErrorSource::Upstream => Self::of_upstream(error.etype()),
            ErrorSource::Downstream => Self::of_downstream(error.etype()),
            ErrorSource::Internal | ErrorSource::Unset => Self {
                status: Some(StatusCode::INTERNAL_SERVER_ERROR),
                code: "InternalError",
                message: "We encountered an internal error. Please try again.",
                upstream: None,
            },
        }
    }

    fn of_upstream(error: &ErrorType) -> Self {
        use UpstreamErrorKind as Kind;
        let bad_gateway = |message, kind| Self::upstream(StatusCode::BAD_GATEWAY, "BadGateway", message, kind);
        let timeout = |message| Self::upstream(StatusCode::GATEWAY_TIMEOUT, "GatewayTimeout", message, Kind::Timeout);
        match error {
            ErrorType::ConnectTimedout => timeout("The storage server could not be reached in time. Please try again."),
            ErrorType::ReadTimedout | ErrorType::WriteTimedout => {
                timeout("The storage server did not answer in time. Please try again.")
            }
            ErrorType::ConnectRefused
            | ErrorType::ConnectNoRoute
            | ErrorType::ConnectError
            | ErrorType::SocketError => {
                bad_gateway("The storage server can not be reached. Please try again.", Kind::Connect)
            }
            ErrorType::TLSWantX509Lookup
            | ErrorType::TLSHandshakeFailure
            | ErrorType::TLSHandshakeTimedout
            | ErrorType::InvalidCert
            | ErrorType::HandshakeError => bad_gateway("The storage server's certificate was not accepted.", Kind::Tls),
            ErrorType::ReadError | ErrorType::WriteError | ErrorType::ConnectionClosed => {
                bad_gateway("The storage server closed the connection. Please try again.", Kind::Reset)
            }
            _ => bad_gateway("The storage server's answer was not valid HTTP.", Kind::Other),
        }
    }

    fn of_downstream(error: &ErrorType) -> Self {
        let (status, code, message) = match error {
            ErrorType::WriteError | ErrorType::ReadError | ErrorType::ConnectionClosed | ErrorType::WriteTimedout => {
                (None, "ClientGone", "")
            }
            ErrorType::ReadTimedout => (
                Some(StatusCode::REQUEST_TIMEOUT),
                "RequestTimeout",
                "Your socket connection to the server was not read from or written to within the timeout period.",
            ),
            _ => (Some(StatusCode::BAD_REQUEST), "BadRequest", "The request was not valid HTTP."),
        };
        Self { status, code, message, upstream: None }
    }

    const fn upstream(status: StatusCode, code: &'static str, message: &'static str, kind: UpstreamErrorKind) -> Self {
        Self { status: Some(status), code, message, upstream: Some(kind) }
    }
}

impl Gateway {
    /// The page for a failure: with the verdict's headers, so that a script can read the status.
    pub(super) fn failure_page(&self, failure: &Failure, ctx: &Context) -> Answer {
        let status = failure.status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.error_answer(status, failure.code, failure.message, None, ctx)
    }

    /// One line about a failure. The library's contexts are left out: some repeat bytes of the request.
    pub(super) fn log_failure(&self, request: &RequestHeader, error: &Error, upstream: Option<&str>, ctx: &Context) {
        let request_id = ctx.id.as_str();
        let method = request.method.as_str();
        let path = printable(request.uri.path().as_bytes());
        let (error, side) = (error.etype().as_str(), error.esource().as_str());
        let bucket = ctx.bucket.as_ref().map(|bucket| &*bucket.label);
        match upstream {
            Some(kind) => {
                tracing::error!(request_id, method, bucket, path = &*path, kind, error, "upstream failed");
            }
            None => tracing::debug!(request_id, method, bucket, path = &*path, error, side, "request failed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_blame_is_on_the_side_that_failed() {
        let cases = [
            (ErrorType::ConnectRefused, ErrorSource::Upstream, Some(502), Some(UpstreamErrorKind::Connect)),
            (ErrorType::ReadTimedout, ErrorSource::Upstream, Some(504), Some(UpstreamErrorKind::Timeout)),
            (ErrorType::ConnectTimedout, ErrorSource::Upstream, Some(504), Some(UpstreamErrorKind::Timeout)),
            (ErrorType::TLSHandshakeFailure, ErrorSource::Upstream, Some(502), Some(UpstreamErrorKind::Tls)),
            (ErrorType::ConnectionClosed, ErrorSource::Upstream, Some(502), Some(UpstreamErrorKind::Reset)),
            (ErrorType::InvalidHTTPHeader, ErrorSource::Upstream, Some(502), Some(UpstreamErrorKind::Other)),
            (UNRESOLVED, ErrorSource::Unset, Some(503), Some(UpstreamErrorKind::Resolve)),
            (ErrorType::ReadTimedout, ErrorSource::Downstream, Some(408), None),
            (ErrorType::InvalidHTTPHeader, ErrorSource::Downstream, Some(400), None),
            (ErrorType::WriteError, ErrorSource::Downstream, None, None),
            (ErrorType::InternalError, ErrorSource::Internal, Some(500), None),
        ];
        for (kind, source, status, upstream) in cases {
            let error = match source {
                ErrorSource::Upstream => Error::new_up(kind.clone()),
                ErrorSource::Downstream => Error::new_down(kind.clone()),
                ErrorSource::Internal => Error::new_in(kind.clone()),
                ErrorSource::Unset => Error::new(kind.clone()),
            };
            let failure = Failure::of(&error, true);
            assert_eq!((failure.status.map(|s| s.as_u16()), failure.upstream), (status, upstream), "{kind:?}");
        }
        let silent = Error::new_up(ErrorType::ReadTimedout);
        let while_uploading = Failure::of(&silent, false);
        assert_eq!((while_uploading.status, while_uploading.upstream), (Some(StatusCode::REQUEST_TIMEOUT), None));
    }
}
