//! A certificate and its key, read from two files.

use super::TlsError;
use super::cryptography::current;
use super::life::Life;
use crate::config::TlsFiles;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::sign::CertifiedKey;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Both files, not yet validated.
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// A pair that belongs together.
pub(super) struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) life: Life,
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
        let life = chain.first().map(|leaf| life(leaf, &files.certificate)).transpose()?;
        let Some(life) = life else {
            return Err(TlsError::NoCertificate { path: files.certificate.clone() });
        };
        let key = self.private_key(&files.key)?;
        let certified = CertifiedKey::from_der(chain, key, &current()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::Mismatch { key: files.key.clone(), certificate: files.certificate.clone() }
            }
            rustls::Error::InvalidCertificate(error) => {
                TlsError::BadCertificate { path: files.certificate.clone(), reason: format!("{error:?}") }
            }
            error => TlsError::BadKey { path: files.key.clone(), reason: error.to_string() },
        })?;
        Ok(Pair { certified: Arc::new(certified), life })
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

fn life(certificate: &CertificateDer<'_>, path: &Path) -> Result<Life, TlsError> {
    let (_, certificate) = X509Certificate::from_der(certificate)
        .map_err(|error| TlsError::BadCertificate { path: path.to_owned(), reason: error.to_string() })?;
    let validity = certificate.validity();
    Ok(Life::of_seconds(validity.not_before.timestamp(), validity.not_after.timestamp()))
}
