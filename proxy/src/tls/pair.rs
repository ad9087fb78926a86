//! A certificate and its key, read from two files.

use super::TlsError;
use crate::config::TlsFiles;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::sign::CertifiedKey;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Both files, not yet validated.
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// A pair that belongs together.
pub(super) struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    /// The end of the certificate's life.
    pub(super) not_after: SystemTime,
}

impl Contents {
    pub(super) fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)? })
    }

    /// A digest to compare contents by, so that nothing of the key is kept.
    pub(super) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.certificate, &self.key).hash(&mut hasher);
        hasher.finish()
    }

    /// Validates the files; their names are for the error.
    pub(super) fn pair(&self, files: &TlsFiles) -> Result<Pair, TlsError> {
        let chain = self.chain(&files.certificate)?;
        let not_after = chain.first().map(|leaf| not_after(leaf, &files.certificate)).transpose()?;
        let Some(not_after) = not_after else {
            return Err(TlsError::NoCertificate { path: files.certificate.clone() });
        };
        let key = self.private_key(&files.key)?;
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::Mismatch { key: files.key.clone(), certificate: files.certificate.clone() }
            }
            rustls::Error::InvalidCertificate(error) => {
                TlsError::BadCertificate { path: files.certificate.clone(), reason: format!("{error:?}") }
            }
            error => TlsError::BadKey { path: files.key.clone(), reason: error.to_string() },
        })?;
        Ok(Pair { certified: Arc::new(certified), not_after })
    }

    fn chain(&self, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let certificates = CertificateDer::pem_slice_iter(&self.certificate);
        certificates.collect::<Result<_, _>>().map_err(|_| TlsError::NotPem { path: path.to_owned() })
    }

    fn private_key(&self, path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsError::NoKey { path: path.to_owned() },
            _ => TlsError::NotPem { path: path.to_owned() },
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}

fn not_after(certificate: &CertificateDer<'_>, path: &Path) -> Result<SystemTime, TlsError> {
    let (_, certificate) = X509Certificate::from_der(certificate)
        .map_err(|error| TlsError::BadCertificate { path: path.to_owned(), reason: error.to_string() })?;
    let seconds = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or_default();
    Ok(UNIX_EPOCH + Duration::from_secs(seconds))
}
