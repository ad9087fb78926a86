//! Puts the parts together and runs them until a signal ends them.

use crate::admin::Admin;
use crate::config::{Config, UpstreamHost};
use crate::gateway::{Front, Gateway};
use crate::rules::{FileError, Store, WatchError, watch};
use crate::shutdown::{DrainOnSignal, Readiness, exit_when_drained};
use crate::telemetry::log::LogGuard;
use crate::telemetry::{Metrics, MetricsError, Reloader, prepare};
use crate::upstream::{HealthCheckError, HealthChecks, Resolver, Upstreams};
use async_trait::async_trait;
use pingora::listeners::ListenerConfig;
use pingora::protocols::l4::stream::L4BufferSettings;
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server, ShutdownWatch};
use pingora::services::background::{BackgroundService, background_service};
use pingora::services::listening::Service;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpSocket;
use tokio::signal::unix::{SignalKind, signal};

/// The write buffer of a client's connection: a head and a small body leave in one write. Reads are not buffered, because a
/// buffer would stay with every idle connection.
const WRITE_BUFFER: usize = 4096;
/// How often an upstream is tried: once, once more when a kept connection turned out closed, once more for another address.
const MAX_TRIES: usize = 3;
/// How long listeners may take to answer after the start.
const START_LIMIT: Duration = Duration::from_secs(5);

/// Why the proxy did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address can not be listened on.
    #[error("can not listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The rules are not valid.
    #[error("the rules are not valid:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Rules(Vec<FileError>),
    /// The rules can not be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// The metrics are not valid.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The upstreams can not be checked.
    #[error(transparent)]
    HealthCheck(#[from] HealthCheckError),
}

/// Serves until a signal ends it. Must be called outside any async runtime: the server brings its own.
///
/// # Errors
/// [`ServeError`] when something stands in the way of the start; once it serves, it serves.
pub fn serve(mut config: Config, log: LogGuard) -> Result<(), ServeError> {
    let _reserved = check_addresses(config.listen.iter_mut().chain([&mut config.admin]))?;
    let metrics = Arc::new(Metrics::new(config.rejected_origins)?);
    let rules = Store::open(&config.rules, config.cors.credentials.into(), prepare(Arc::clone(&metrics)));
    let rules = Arc::new(rules.map_err(ServeError::Rules)?);
    let reloader = Reloader::new(Arc::clone(&rules), Arc::clone(&metrics));
    let upstreams = Arc::new(Upstreams::new(&config, |upstream| metrics.upstream_up(upstream)));
    let readiness = Arc::new(Readiness::default());

    let mut server = Server::new_with_opt_and_conf(None, server_conf(&config));
    follow_upstreams(&mut server, &config, &upstreams)?;
    let gateway = Gateway::new(&config, Arc::clone(&rules), upstreams, Arc::clone(&metrics));
    let mut proxy = Service::new("proxy".into(), Front::new(&server.configuration, gateway));
    for address in &config.listen {
        let buffers = L4BufferSettings::default().read(0).write(WRITE_BUFFER);
        proxy.add_listener(ListenerConfig::tcp(address.to_string()).l4_buffer(buffers));
    }
    let admin = Admin {
        rules: Arc::clone(&rules),
        metrics: Arc::clone(&metrics),
        reloader: reloader.clone(),
        readiness: Arc::clone(&readiness),
    };
    let mut admin = Service::new("admin".into(), admin);
    admin.threads = Some(1);
    admin.add_tcp(&config.admin.to_string());
    server.add_service(proxy);
    server.add_service(admin);
    server.add_service(background_service("hangup", ReloadOnHangup(reloader.clone())));

    let watched = Arc::clone(&rules);
    let counted = reloader.clone();
    let _watch = watch(watched, config.rules.poll, move |report| counted.record(report))?;
    exit_when_drained(server.watch_execution_phase(), metrics.http.connections.clone(), move || {
        tracing::info!("drained");
        log.flush();
        std::process::exit(0);
    });
    announce_when_listening(&config, Arc::clone(&readiness), reloader.rule_count());
    let signals = DrainOnSignal { readiness, delay: config.shutdown.delay };
    server.run(RunArgs { shutdown_signal: Box::new(signals) });
    Ok(())
}

/// Binds all of them once and lets go: Pingora would try for half a minute and then leave a process without a listener. None is
/// let go before the last is bound, so an address that stands twice is found. A port of 0 becomes one of the system's choice,
/// which stays ours for as long as the result lives.
fn check_addresses<'a>(addresses: impl IntoIterator<Item = &'a mut SocketAddr>) -> Result<Vec<TcpSocket>, ServeError> {
    let (mut held, mut reserved) = (Vec::new(), Vec::new());
    for address in addresses {
        let asked = *address;
        let failed = |source| ServeError::Bind { address: asked, source };
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

/// Resolves the upstreams' names, and keeps what is known about their addresses up to date from then on.
fn follow_upstreams(server: &mut Server, config: &Config, upstreams: &Arc<Upstreams>) -> Result<(), ServeError> {
    server.add_service(background_service("resolver", Resolver::new(Arc::clone(upstreams))));
    if let Some(check) = &config.health_check {
        let checks = HealthChecks::new(Arc::clone(upstreams), check, &server.configuration)?;
        server.add_service(background_service("health checks", checks));
    }
    if let UpstreamHost::Name(host) = &config.upstream_host {
        tracing::warn!(
            host,
            "upstream.host replaces the client's Host: signatures made for another host will not hold"
        );
    }
    Ok(())
}

fn server_conf(config: &Config) -> ServerConf {
    ServerConf {
        threads: config.threads,
        upstream_keepalive_pool_size: config.keepalive.connections,
        max_retries: MAX_TRIES,
        // The whole of it is slept, even when nothing is left: `exit_when_drained` ends it.
        // Whole seconds only, and with 0 requests would be cut at once: a part of a second becomes a whole one.
        grace_period_seconds: Some(u64::try_from(config.shutdown.drain.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)),
        graceful_shutdown_timeout_seconds: Some(1),
        ..ServerConf::default()
    }
}

/// Reloads the rules on SIGHUP.
struct ReloadOnHangup(Reloader);

#[async_trait]
impl BackgroundService for ReloadOnHangup {
    async fn start(&self, mut shutdown: ShutdownWatch) {
        let Ok(mut hangup) = signal(SignalKind::hangup()) else {
            tracing::warn!("SIGHUP can not be handled; use POST /-/reload");
            return;
        };
        loop {
            tokio::select! {
                _ = shutdown.changed() => return,
                _ = hangup.recv() => {
                    let reloader = self.0.clone();
                    let _ = tokio::task::spawn_blocking(move || reloader.reload()).await;
                }
            }
        }
    }
}

/// Sets readiness once every listener takes connections; ends the process if one does not, for it would live on without it.
fn announce_when_listening(config: &Config, readiness: Arc<Readiness>, rules: usize) {
    let (listen, admin) = (config.listen.clone(), config.admin);
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
    };
    if let Err(error) = std::thread::Builder::new().name("ready".into()).spawn(announce) {
        tracing::error!(%error, "readiness will not be told");
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
