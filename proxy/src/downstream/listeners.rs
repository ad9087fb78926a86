//! What a listener is made of, and the service that it belongs to.

use super::endpoints::Endpoints;
use super::handshake::Secured;
use super::opened::Uncounted;
use crate::config::{Config, Listener};
use crate::exchange::Policy;
use crate::tls::{Certificates, TlsError};
use pingora::listeners::ListenerConfig;
use pingora::protocols::l4::stream::L4BufferSettings;
use pingora::services::listening::Service;
use std::sync::Arc;

/// The listeners, in services by what they speak without TLS, which is an option of a whole service; with TLS, ALPN decides.
///
/// # Errors
/// [`TlsError`] names the file that cannot be used.
pub fn listeners<A>(
    plain: A,
    with_h2c: A,
    policy: &Arc<Policy>,
    config: &Config,
    certificates: &mut Certificates,
) -> Result<Vec<Service<Secured<A>>>, TlsError> {
    let endpoints = Arc::new(Endpoints::new(&config.listen, certificates)?);
    let (h2c, other): (Vec<_>, Vec<_>) =
        config.listen.iter().partition(|listener| listener.http2 && listener.tls.is_none());
    let mut services = Vec::new();
    for (name, front, listeners) in [("proxy", plain, other), ("proxy-h2c", with_h2c, h2c)] {
        let mut service = Service::new(name.into(), Secured::new(front, &endpoints, policy, config.limits.header_read));
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

/// A connection has no buffers: each idle one would hold them, and what is written would wait in them for more. A driver that has
/// several pieces writes them at once.
fn endpoint(listener: &Listener) -> ListenerConfig {
    let buffers = L4BufferSettings::default().read(0).write(0);
    ListenerConfig::tcp(listener.address.to_string()).l4_buffer(buffers)
}

/// The service of the admin listener. With TLS it speaks HTTP/1.1 only: no program that asks it needs more.
///
/// # Errors
/// [`TlsError`] names the file that cannot be used.
pub fn admin_service<A>(
    app: A,
    config: &Config,
    certificates: &mut Certificates,
) -> Result<Service<Secured<Uncounted<A>>>, TlsError> {
    let listener = Listener { tls: config.admin.tls.clone(), ..config.admin.address.into() };
    let endpoints = Arc::new(Endpoints::new(&[listener], certificates)?);
    let app = Uncounted(Arc::new(app));
    let mut service = Service::new("admin".into(), Secured::for_operators(app, endpoints, config.limits.header_read));
    service.threads = Some(1);
    service.add_tcp(&config.admin.address.to_string());
    Ok(service)
}
