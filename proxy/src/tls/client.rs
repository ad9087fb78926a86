//! Trust of a command that connects to an admin listener with TLS.

use super::TlsError;
use super::cryptography::current;
use super::roots::system_roots;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::path::Path;
use std::sync::Arc;

/// The settings of a client that trusts the system's authorities, or those that `SSL_CERT_FILE` names.
///
/// # Errors
/// [`TlsError`] when they cannot be read.
pub fn trusting_system() -> Result<ClientConfig, TlsError> {
    let roots = system_roots()?;
    let builder = ClientConfig::builder_with_provider(current()).with_protocol_versions(rustls::ALL_VERSIONS);
    Ok(builder.map_err(refused)?.with_root_certificates(roots).with_no_client_auth())
}

/// The settings of a client that trusts the first certificate of a file and no other, whatever names are in it: for a process that knows
/// the configuration of the server, which may have certified itself.
///
/// # Errors
/// [`TlsError`] names the file.
pub fn trusting_only(certificate: &Path) -> Result<ClientConfig, TlsError> {
    let text =
        std::fs::read(certificate).map_err(|source| TlsError::Unreadable { path: certificate.to_owned(), source })?;
    let only =
        CertificateDer::from_pem_slice(&text).map_err(|_| TlsError::NoCertificate { path: certificate.to_owned() })?;
    let provider = current();
    let verifier = Only { certificate: only, algorithms: provider.signature_verification_algorithms };
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(rustls::ALL_VERSIONS);
    let builder = builder.map_err(refused)?.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    Ok(builder.with_no_client_auth())
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn refused(error: Error) -> TlsError {
    TlsError::Settings { reason: error.to_string() }
}

/// Trusts one certificate. The handshake proves that the server has its key.
#[derive(Debug)]
struct Only {
    certificate: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Only {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *shown == self.certificate {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
