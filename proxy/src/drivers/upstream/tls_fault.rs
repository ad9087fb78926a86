//! Translates what rustls says about a handshake that failed.

use crate::exchange::TlsFault;
use rustls::{CertificateError, Error};

/// The fault; without an error the upstream closed the connection.
pub(super) const fn fault_of(error: Option<&Error>) -> TlsFault {
    match error {
        None => TlsFault::Closed,
        Some(Error::InvalidCertificate(error)) => of_certificate(error),
        Some(Error::UnsupportedNameType) => TlsFault::WrongName,
        Some(Error::NoCertificatesPresented) => TlsFault::Certificate,
        Some(Error::AlertReceived(_)) => TlsFault::Rejected,
        Some(
            Error::InvalidMessage(_)
            | Error::InappropriateMessage { .. }
            | Error::InappropriateHandshakeMessage { .. }
            | Error::PeerIncompatible(_)
            | Error::PeerMisbehaved(_)
            | Error::PeerSentOversizedRecord
            | Error::DecryptError
            | Error::NoApplicationProtocol,
        ) => TlsFault::Protocol,
        Some(_) => TlsFault::Unknown,
    }
}

const fn of_certificate(error: &CertificateError) -> TlsFault {
    match error {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => TlsFault::WrongName,
        // A bad signature is that of an authority with the name of a trusted one, and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsFault::UnknownIssuer,
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => TlsFault::NotYetValid,
        _ => TlsFault::Certificate,
    }
}
