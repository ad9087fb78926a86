//! CA roots used to verify certificates of upstreams, and those of admin listeners for the commands.

use super::TlsError;
use pingora::tls::{RootCertStore, load_ca_file_into_store, load_platform_certs_incl_env_into_store};
use std::path::Path;

/// Loads the roots once, the way Pingora does: it panics over what it cannot load, whether an upstream is https or not.
///
/// # Errors
/// [`TlsError`] names what cannot be loaded; with `needed`, an empty store is an error too: without a root Pingora connects to no https
/// upstream, verified or not.
pub fn check_roots(ca_file: Option<&Path>, needed: bool) -> Result<(), TlsError> {
    let Some(path) = ca_file else {
        let roots = system_roots()?;
        return if needed && roots.is_empty() { Err(TlsError::NoAuthorities) } else { Ok(()) };
    };
    load(path).map(drop)
}

/// Loads the roots of a file; none is an error.
pub(super) fn load(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    // First, for the system's own message about a missing file.
    std::fs::File::open(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })?;
    load_ca_file_into_store(path, &mut roots)
        .map_err(|error| TlsError::BadAuthorities { path: path.to_owned(), reason: error.to_string() })?;
    if roots.is_empty() { Err(TlsError::NoCertificate { path: path.to_owned() }) } else { Ok(roots) }
}

/// The system's roots, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name; they may be none.
pub(super) fn system_roots() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    load_platform_certs_incl_env_into_store(&mut roots)
        .map_err(|error| TlsError::BadSystemAuthorities { reason: error.to_string() })?;
    Ok(roots)
}
