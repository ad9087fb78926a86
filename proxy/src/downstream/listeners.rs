//! What a listener is made of: its buffers, and the service that it belongs to.

use super::endpoints::Endpoints;
use super::handshake::Secured;
use crate::config::{Config, Listener};
use crate::tls::{Certificates, TlsError};
use pingora::listeners::ListenerConfig;
use pingora::protocols::l4::stream::L4BufferSettings;
use pingora::services::listening::Service;
use std::sync::Arc;

/// The write buffer of a client's connection: a head and a small body leave in one write. Reads are not buffered, because a buffer
/// would stay with every idle connection. Nor are records of TLS, which leave in one write each way.
const WRITE_BUFFER: usize = 4096;

/// The listeners, in services by what they speak without TLS, which is an option of a whole service; with TLS, ALPN decides.
///
/// # Errors
/// [`TlsError`] names the file that cannot be used.
pub fn listeners<A>(
    plain: A,
    with_h2c: A,
    config: &Config,
    certificates: &mut Certificates,
) -> Result<Vec<Service<Secured<A>>>, TlsError> {
    let endpoints = Arc::new(Endpoints::new(&config.listen, certificates)?);
    let (h2c, other): (Vec<_>, Vec<_>) =
        config.listen.iter().partition(|listener| listener.http2 && listener.tls.is_none());
    let mut services = Vec::new();
    for (name, front, listeners) in [("proxy", plain, other), ("proxy-h2c", with_h2c, h2c)] {
        let mut service = Service::new(name.into(), Secured::new(front, &endpoints, config.limits.header_read));
        for listener in &listeners {
            service.add_listener(endpoint(listener));
        }
        // Each service has threads of its own: one without listeners would waste them.
        if !listeners.is_empty() {
            services.push(service);
        }
    }
    Ok(services)
}

fn endpoint(listener: &Listener) -> ListenerConfig {
    let write = if listener.tls.is_some() { 0 } else { WRITE_BUFFER };
    let buffers = L4BufferSettings::default().read(0).write(write);
    ListenerConfig::tcp(listener.address.to_string()).l4_buffer(buffers)
}
