//! The services of clients and operators: what their listeners speak, and which sockets they have.

use super::acceptor::AcceptFailures;
use super::connection::ConnectionServer;
use super::handshake::Secured;
use super::opened::Uncounted;
use super::protocols::ListenerProtocols;
use super::service::Service;
use super::sockets::Sockets;
use crate::config::{Config, Listener};
use crate::exchange::Policy;
use crate::tls::{Certificates, TlsError};
use pingora::apps::ServerApp;
use std::sync::Arc;

/// The service of clients, with all their listeners. HTTP/2 without TLS is an option of a listener; with TLS, ALPN decides.
///
/// # Errors
/// [`TlsError`] names the file that cannot be used.
pub fn client_service(
    connections: ConnectionServer,
    sockets: &mut Sockets,
    policy: &Arc<Policy>,
    config: &Config,
    certificates: &mut Certificates,
    failures: &AcceptFailures,
) -> Result<Service<ConnectionServer>, TlsError> {
    let (with_h2c, plain) = (Arc::new(connections.with_h2c()), Arc::new(connections));
    let mut listeners = Vec::new();
    for (listener, socket) in config.listen.iter().zip(sockets) {
        let app = if listener.http2 && listener.tls.is_none() { &with_h2c } else { &plain };
        let protocols = ListenerProtocols::new(listener, certificates)?;
        listeners.push((socket, Arc::new(Secured::new(app, protocols, policy, config.limits.header_read))));
    }
    Ok(Service::new("proxy", config.threads, listeners, failures))
}

/// The service of the admin listener, with the socket that is left. With TLS it speaks HTTP/1.1 only: no program that asks it needs more.
///
/// # Errors
/// [`TlsError`] names the file that cannot be used.
pub fn admin_service<A: ServerApp + Send + Sync + 'static>(
    app: A,
    sockets: &mut Sockets,
    config: &Config,
    certificates: &mut Certificates,
    failures: &AcceptFailures,
) -> Result<Service<Uncounted<A>>, TlsError> {
    let listener = Listener { tls: config.admin.tls.clone(), ..config.admin.address.into() };
    let protocols = ListenerProtocols::new(&listener, certificates)?;
    let front = Secured::for_operators(Uncounted(Arc::new(app)), protocols, config.limits.header_read);
    let front = Arc::new(front);
    let listeners = sockets.map(|socket| (socket, Arc::clone(&front))).collect();
    Ok(Service::new("admin", 1, listeners, failures))
}
