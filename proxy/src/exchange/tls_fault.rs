//! The reason why TLS with an upstream failed.

/// The fault of the upstream's certificate or of its part of the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// The certificate is for other names.
    WrongName,
    /// No trusted authority has issued the certificate.
    UnknownIssuer,
    /// The certificate is too old.
    Expired,
    /// The certificate's time has not begun.
    NotYetValid,
    /// Anything else is wrong with the certificate.
    Certificate,
    /// The upstream speaks no TLS, or none that is spoken here.
    Protocol,
    /// The upstream rejected the handshake.
    Rejected,
    /// The upstream closed the connection in the handshake.
    Closed,
    /// No one says what it was.
    Unknown,
}

impl TlsFault {
    /// The code for the log, and the reason in words.
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::WrongName => ("CertificateWrongName", "the upstream's certificate is for another name"),
            Self::UnknownIssuer => {
                ("CertificateUnknownIssuer", "no trusted authority has issued the upstream's certificate")
            }
            Self::Expired => ("CertificateExpired", "the upstream's certificate has expired"),
            Self::NotYetValid => ("CertificateNotYetValid", "the upstream's certificate is not yet valid"),
            Self::Certificate => ("InvalidCertificate", "the upstream's certificate is not valid"),
            Self::Protocol => {
                ("TLSProtocol", "the upstream does not speak TLS, or no version or cipher that s3cors knows")
            }
            Self::Rejected => ("TLSAlert", "the upstream rejected the TLS handshake"),
            Self::Closed => ("TLSClosed", "the upstream closed the connection in the TLS handshake"),
            Self::Unknown => ("TLSHandshakeFailure", "TLS with the upstream failed"),
        }
    }

    /// The message for the client.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::WrongName | Self::UnknownIssuer | Self::Expired | Self::NotYetValid | Self::Certificate => {
                "The storage server's certificate was not accepted."
            }
            Self::Protocol | Self::Rejected | Self::Closed | Self::Unknown => {
                "No secure connection to the storage server could be made."
            }
        }
    }
}
