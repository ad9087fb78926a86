//! What a listener is made of: its buffers, TLS, and the service that it belongs to.

use crate::config::Listener;
use crate::tls::{Certificates, TlsError};
use pingora::listeners::ListenerConfig;
use pingora::listeners::tls::TlsSettings;
use pingora::protocols::ALPN;
use pingora::protocols::l4::stream::L4BufferSettings;
use pingora::services::listening::Service;

/// The write buffer of a client's connection: a head and a small body leave in one write. Reads are not buffered, because a buffer
/// would stay with every idle connection.
const WRITE_BUFFER: usize = 4096;

/// The listeners, in services by what they speak without TLS, which is an option of a whole service; with TLS, ALPN decides.
///
/// # Errors
/// [`TlsError`] names the file that cannot be used.
pub fn listeners<A>(
    plain: A,
    with_h2c: A,
    listen: &[Listener],
    certificates: &mut Certificates,
) -> Result<Vec<Service<A>>, TlsError> {
    let (h2c, other): (Vec<_>, Vec<_>) = listen.iter().partition(|listener| listener.http2 && listener.tls.is_none());
    let mut services = Vec::new();
    for (name, front, listeners) in [("proxy", plain, other), ("proxy-h2c", with_h2c, h2c)] {
        let mut service = Service::new(name.into(), front);
        for listener in &listeners {
            service.add_listener(endpoint(listener, certificates)?);
        }
        // Each service has threads of its own: one without listeners would waste them.
        if !listeners.is_empty() {
            services.push(service);
        }
    }
    Ok(services)
}

fn endpoint(listener: &Listener, certificates: &mut Certificates) -> Result<ListenerConfig, TlsError> {
    let buffers = L4BufferSettings::default().read(0).write(WRITE_BUFFER);
    let endpoint = ListenerConfig::tcp(listener.address.to_string()).l4_buffer(buffers);
    let Some(files) = &listener.tls else { return Ok(endpoint) };
    let certificate = certificates.of(files)?;
    // The paths are for Pingora's own loader, which panics and never reads them again; a resolver takes its place.
    let mut tls = TlsSettings::intermediate("", "").map_err(|e| TlsError::Settings { reason: e.to_string() })?;
    tls.set_cert_resolver(certificate);
    tls.set_alpn(if listener.http2 { ALPN::H2H1 } else { ALPN::H1 });
    Ok(endpoint.tls(tls))
}
