//! Listeners: what they are made of, and whether they are there.

use crate::config::{Config, Listener};
use crate::shutdown::Readiness;
use crate::tls::{Certificates, TlsError};
use pingora::listeners::ListenerConfig;
use pingora::listeners::tls::TlsSettings;
use pingora::protocols::ALPN;
use pingora::protocols::l4::stream::L4BufferSettings;
use pingora::services::listening::Service;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;

/// The write buffer of a client's connection: a head and a small body leave in one write. Reads are not buffered, because a
/// buffer would stay with every idle connection.
const WRITE_BUFFER: usize = 4096;
/// How long listeners may take to answer after the start.
const START_LIMIT: Duration = Duration::from_secs(5);
/// How often they are looked at after that.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// An address can not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("can not listen on {address}: {source}")]
pub struct BindError {
    address: SocketAddr,
    source: std::io::Error,
}

/// Binds all of them once and lets go: Pingora would try for half a minute and then leave a process without a listener. None is
/// let go before the last is bound, so an address that stands twice is found. A port of 0 becomes one of the system's choice,
/// which stays ours for as long as the result lives.
///
/// # Errors
/// [`BindError`] names the address that can not be had.
pub fn check_addresses<'a>(
    addresses: impl IntoIterator<Item = &'a mut SocketAddr>,
) -> Result<Vec<TcpSocket>, BindError> {
    let (mut held, mut reserved) = (Vec::new(), Vec::new());
    for address in addresses {
        let asked = *address;
        let failed = |source| BindError { address: asked, source };
        if asked.port() == 0 {
            let socket = reserve(asked).map_err(failed)?;
            *address = socket.local_addr().map_err(failed)?;
            reserved.push(socket);
        } else {
            held.push(TcpListener::bind(asked).map_err(failed)?);
        }
    }
    Ok(reserved)
}

/// Takes a port that is free. Bound and not listened on, the system gives it to nobody else (another process that asks for any
/// port, a connection that goes out), and with SO_REUSEADDR Pingora's listener can be bound to it all the same.
fn reserve(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// The listeners, in services by what they speak without TLS: that is an option of a whole service; with TLS, ALPN decides.
///
/// # Errors
/// [`TlsError`] names the file that can not be used.
pub fn proxies<A>(
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
        // Each has threads of its own: one without listeners is not worth them.
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
    // The paths are for Pingora's own loader, which panics and never looks again; a resolver takes its place.
    let mut tls = TlsSettings::intermediate("", "").map_err(|e| TlsError::Settings { reason: e.to_string() })?;
    tls.set_cert_resolver(certificate);
    tls.set_alpn(if listener.http2 { ALPN::H2H1 } else { ALPN::H1 });
    Ok(endpoint.tls(tls))
}

/// Sets readiness once every listener takes connections, and ends the process if one does not, or later no longer does: it would
/// live on without it.
pub fn watch_listeners(config: &Config, readiness: Arc<Readiness>, rules: usize) {
    let listen: Vec<_> = config.listen.iter().map(|listener| listener.address).collect();
    let admin = config.admin;
    let upstreams: Vec<_> = config.upstreams.iter().map(ToString::to_string).collect();
    let announce = move || {
        let started = Instant::now();
        for address in listen.iter().chain([&admin]) {
            while TcpStream::connect_timeout(&reachable(*address), START_LIMIT).is_err() {
                if started.elapsed() > START_LIMIT {
                    tracing::error!(%address, "the listener does not answer; ending");
                    std::process::exit(1);
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        readiness.set_listening();
        tracing::info!(?listen, %admin, ?upstreams, rules, "s3cors is ready");
        // Nobody may have asked to be told (systemd, Type=notify).
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        end_without_listeners(&listen, admin, &readiness);
    };
    if let Err(error) = std::thread::Builder::new().name("listeners".into()).spawn(announce) {
        tracing::error!(%error, "readiness will not be told");
    }
}

/// Looks now and then whether every listener is still there, until the process drains.
fn end_without_listeners(listen: &[SocketAddr], admin: SocketAddr, readiness: &Readiness) {
    loop {
        std::thread::sleep(LOOK_AGAIN);
        for address in listen.iter().chain([&admin]) {
            let refused = TcpStream::connect_timeout(&reachable(*address), START_LIMIT)
                .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused);
            if readiness.is_draining() {
                return;
            }
            if refused {
                tracing::error!(%address, "the listener is gone; ending");
                std::process::exit(1);
            }
        }
    }
}

/// Where a listener on all interfaces can be reached from here.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}
