//! Trust of the proxy in its upstreams.

use super::TlsError;
use super::cryptography::current;
use super::roots::{load, system_roots};
use crate::config::UpstreamTls;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The settings of a client that connects to upstreams. They are made once: all connections share the sessions that can be resumed.
///
/// # Errors
/// [`TlsError`] names what cannot be loaded.
pub fn trusting_as_configured(tls: &UpstreamTls) -> Result<ClientConfig, TlsError> {
    let (roots, named) = match &tls.ca_file {
        Some(path) => (load(path)?, certificates(path)?),
        None => (system_roots()?, Vec::new()),
    };
    let provider = current();
    let verifier = Arc::new(Configured::new(roots, named, tls.verify, &provider)?);
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(rustls::ALL_VERSIONS);
    let builder = builder.map_err(|error| refused(&error))?;
    let mut settings = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    // Upstreams are asked in HTTP/1.1 (RFC 7301 §6).
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(settings)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })?;
    let certificates = CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>();
    certificates.map_err(|_| TlsError::NotPem { path: path.to_owned() })
}

fn refused(error: &dyn Display) -> TlsError {
    TlsError::Settings { reason: error.to_string() }
}

/// Verifies an upstream as `upstream.tls` says.
#[derive(Debug)]
struct Configured {
    web_pki: Arc<WebPkiServerVerifier>,
    /// The certificates of `ca_file`.
    named: Vec<CertificateDer<'static>>,
    verifies: bool,
}

impl Configured {
    fn new(
        roots: RootCertStore,
        named: Vec<CertificateDer<'static>>,
        verifies: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let web_pki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
        Ok(Self { web_pki: web_pki.map_err(|error| refused(&error))?, named, verifies })
    }
}

impl ServerCertVerifier for Configured {
    /// A certificate that the operator has named needs no issuer. WebPKI rejects one that certifies itself where it says that it is an
    /// authority (`CaUsedAsEndEntity`), as those do that `openssl req -x509` and appliances make.
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.verifies {
            return Ok(ServerCertVerified::assertion());
        }
        if !self.named.iter().any(|one| one == shown) {
            return match self.web_pki.verify_server_cert(shown, intermediates, name, ocsp, now) {
                // Here it does not ask for the issuer at all. The operator has to name the certificate.
                Err(Error::InvalidCertificate(CertificateError::Other(_))) if is_authority(shown) => {
                    Err(CertificateError::UnknownIssuer.into())
                }
                verified => verified,
            };
        }
        verify_time(shown, now)?;
        verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
        Ok(ServerCertVerified::assertion())
    }

    /// Without verification, too: the handshake proves that the server has the certificate's key.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.web_pki.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.web_pki.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.web_pki.supported_verify_schemes()
    }
}

fn is_authority(certificate: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(certificate).is_ok_and(|(_, certificate)| certificate.is_ca())
}

/// Verifies that a certificate is valid at a time (RFC 5280 §4.1.2.5).
fn verify_time(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return Err(CertificateError::BadEncoding.into());
    };
    let (validity, now) = (certificate.validity(), i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
    if now < validity.not_before.timestamp() {
        Err(CertificateError::NotValidYet.into())
    } else if now > validity.not_after.timestamp() {
        Err(CertificateError::Expired.into())
    } else {
        Ok(())
    }
}
