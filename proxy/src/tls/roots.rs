//! The authorities whose word is taken for an upstream's certificate.

use super::TlsError;
use pingora::tls::{RootCertStore, load_ca_file_into_store, load_platform_certs_incl_env_into_store};
use std::path::Path;

/// Loads the authorities once, the way Pingora will: it panics over what it can not load, whether an upstream is https or not.
///
/// # Errors
/// [`TlsError`] says what can not be loaded; with `needed`, also that there is nothing to load, for with no authority at all
/// Pingora connects to no https upstream, verified or not.
pub fn check_roots(ca_file: Option<&Path>, needed: bool) -> Result<(), TlsError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = ca_file else {
        load_platform_certs_incl_env_into_store(&mut roots)
            .map_err(|error| TlsError::BadSystemAuthorities { reason: error.to_string() })?;
        return if needed && roots.is_empty() { Err(TlsError::NoAuthorities) } else { Ok(()) };
    };
    // First for the system's own words about a file that is not there.
    std::fs::File::open(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })?;
    load_ca_file_into_store(path, &mut roots)
        .map_err(|error| TlsError::BadAuthorities { path: path.to_owned(), reason: error.to_string() })?;
    if roots.is_empty() { Err(TlsError::NoCertificate { path: path.to_owned() }) } else { Ok(()) }
}
