//! Pingora's errors, as the exchange's failures: which side failed decides.

use crate::exchange::{Failure, RequestFault, ResponseFault, TlsFault};
use pingora::{Error, ErrorSource, ErrorType};

/// No upstream's name has resolved.
pub(super) const UNRESOLVED: ErrorType = ErrorType::new("Unresolved");

/// Which failure an error is. `has_body`: whether all of the request's body had come.
pub(super) fn failure_of(error: &Error, has_body: bool) -> Failure {
    match error.esource() {
        _ if *error.etype() == UNRESOLVED => Failure::Unresolved,
        // The proxy was waiting for the client: the time for an upstream's response runs while a body comes. Over HTTP/2 no other
        // timeout ends an upload that has stopped, because Pingora's read timeout does nothing there.
        ErrorSource::Upstream if *error.etype() == ErrorType::ReadTimedout && !has_body => Failure::ClientTimeout,
        ErrorSource::Upstream => of_upstream(error.etype()),
        ErrorSource::Downstream => of_downstream(error.etype()),
        ErrorSource::Internal | ErrorSource::Unset => Failure::Internal,
    }
}

const fn of_upstream(error: &ErrorType) -> Failure {
    match error {
        ErrorType::ConnectTimedout => Failure::ConnectTimeout,
        ErrorType::ReadTimedout | ErrorType::WriteTimedout => Failure::UpstreamTimeout,
        ErrorType::ConnectRefused | ErrorType::ConnectNoRoute | ErrorType::ConnectError | ErrorType::SocketError => {
            Failure::Unreachable
        }
        ErrorType::InvalidCert => Failure::UpstreamTls(TlsFault::Certificate),
        ErrorType::TLSWantX509Lookup
        | ErrorType::TLSHandshakeFailure
        | ErrorType::TLSHandshakeTimedout
        | ErrorType::HandshakeError => Failure::UpstreamTls(TlsFault::Unknown),
        ErrorType::ReadError | ErrorType::WriteError | ErrorType::ConnectionClosed => Failure::UpstreamClosed,
        _ => Failure::InvalidResponse(ResponseFault::Other),
    }
}

const fn of_downstream(error: &ErrorType) -> Failure {
    match error {
        ErrorType::WriteError | ErrorType::ReadError | ErrorType::ConnectionClosed | ErrorType::WriteTimedout => {
            Failure::ClientGone
        }
        ErrorType::ReadTimedout => Failure::ClientTimeout,
        _ => Failure::InvalidRequest(RequestFault::Head("not valid HTTP")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::UpstreamErrorKind;

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
            let failure = failure_of(&error, true);
            assert_eq!(
                (failure.status().map(|status| status.as_u16()), failure.upstream()),
                (status, upstream),
                "{kind:?}"
            );
        }
        let silent = Error::new_up(ErrorType::ReadTimedout);
        assert_eq!(failure_of(&silent, false), Failure::ClientTimeout, "while the client uploads");
    }
}
