//! Certificates: those that listeners present, replaced live, with the sessions of their clients; the roots that verify upstreams; and
//! the trust of a command that asks an admin listener. The cryptography of all of them.
//!
//! Decides: which files can be used, and when they are read again; which library encrypts, by the processor. Must not know: who listens and who connects.

pub mod client;
mod cryptography;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod graviola;
mod life;
mod live;
mod pair;
mod roots;
mod server;
mod upstream;

pub use cryptography::{Settled, settle};
pub use life::{Expiry, Life};
pub use live::{Certificates, LiveCertificate};
pub use roots::check_roots;
pub use upstream::trusting_as_configured;

use crate::config::told_with_place;
use std::path::PathBuf;

/// Why files cannot be used. No variant holds a line of a file: it could be one of the key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It cannot be read.
    #[error("{}: {}", path.display(), told_with_place(path, source))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not PEM.
    #[error("{}: not valid PEM", path.display())]
    NotPem {
        /// The file.
        path: PathBuf,
    },
    /// It has no certificate.
    #[error("{}: no certificate in it; it must hold the server's own and then those up to the authority, in PEM", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// It has no key that can be read.
    #[error("{}: no private key in it; it must hold one in PEM that is not encrypted", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The first certificate is not valid.
    #[error("{}: its first certificate cannot be read: {reason}", path.display())]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The key cannot sign.
    #[error("{}: its private key cannot be used: {reason}", path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Certificate and key do not belong together.
    #[error("{}: the private key does not fit the first certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's.
        certificate: PathBuf,
    },
    /// A file of authorities has something else in it.
    #[error("{}: it must hold the authorities' certificates in PEM and nothing else: {reason}", path.display())]
    BadAuthorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The system's authorities cannot be read.
    #[error("the system's certificates cannot be read: {reason}; fix SSL_CERT_FILE or set upstream.tls.ca_file")]
    BadSystemAuthorities {
        /// What is wrong with them.
        reason: String,
    },
    /// The library refuses.
    #[error("TLS cannot be set up: {reason}")]
    Settings {
        /// What it says.
        reason: String,
    },
    /// No root is trusted.
    #[error(
        "the system trusts no authority, so no https upstream can be reached; install ca-certificates or set upstream.tls.ca_file"
    )]
    NoAuthorities,
}
