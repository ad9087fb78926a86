//! Puts the parts together and runs them until a signal ends them.

use crate::admin::Admin;
use crate::config::{Config, UpstreamHost, UpstreamTls, UpstreamUrl};
use crate::gateway::{Front, Gateway};
use crate::listening::{BindError, check_addresses, proxies, watch_listeners};
use crate::rules::{FileError, Store, WatchError, watch};
use crate::shutdown::{DrainOnSignal, InFlight, Readiness, exit_when_drained};
use crate::telemetry::log::LogGuard;
use crate::telemetry::{Metrics, MetricsError, Reloader, prepare};
use crate::tls::{Certificates, TlsError, check_roots};
use crate::upstream::{HealthCheckError, HealthChecks, Resolver, Upstreams};
use async_trait::async_trait;
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server, ShutdownWatch};
use pingora::services::background::{BackgroundService, background_service};
use pingora::services::listening::Service;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// How often an upstream is tried: once, once more when a kept connection turned out closed, once more for another address.
const MAX_TRIES: usize = 3;

/// Why the proxy did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address can not be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The rules are not valid.
    #[error("the rules are not valid:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Rules(Vec<FileError>),
    /// The rules can not be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// Certificates can not be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
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
    let listen = config.listen.iter_mut().map(|listener| &mut listener.address);
    let _reserved = check_addresses(listen.chain([&mut config.admin]))?;
    check_upstream_tls(&config)?;
    let metrics = Arc::new(Metrics::new(config.rejected_origins)?);
    let rules = Store::open(&config.rules, config.cors.credentials.into(), prepare(Arc::clone(&metrics)));
    let rules = Arc::new(rules.map_err(ServeError::Rules)?);
    let reloader = Reloader::new(Arc::clone(&rules), Arc::clone(&metrics));
    let upstreams = Arc::new(Upstreams::new(&config, |upstream| metrics.upstream_up(upstream)));
    let readiness = Arc::new(Readiness::default());

    let mut server = Server::new_with_opt_and_conf(None, server_conf(&config));
    follow_upstreams(&mut server, &config, &upstreams)?;
    let gateway = Gateway::new(&config, Arc::clone(&rules), upstreams, Arc::clone(&metrics));
    let mut certificates = Certificates::default();
    let front = Front::new(&server.configuration, gateway);
    let with_h2c = front.with_h2c();
    for proxy in proxies(front, with_h2c, &config.listen, &mut certificates)? {
        server.add_service(proxy);
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
    server.add_service(admin);
    server.add_service(background_service("certificates", certificates));
    server.add_service(background_service("hangup", ReloadOnHangup(reloader.clone())));

    let watched = Arc::clone(&rules);
    let counted = reloader.clone();
    let _watch = watch(watched, config.rules.poll, move |report| counted.record(report))?;
    let left = InFlight { connections: metrics.http.connections.clone(), requests: metrics.http.in_flight.clone() };
    exit_when_drained(server.watch_execution_phase(), left, move || {
        tracing::info!("drained");
        log.flush();
        std::process::exit(0);
    });
    watch_listeners(&config, Arc::clone(&readiness), reloader.rule_count());
    let signals = DrainOnSignal { readiness, delay: config.shutdown.delay };
    server.run(RunArgs { shutdown_signal: Box::new(signals) });
    Ok(())
}

/// Checks how upstreams are verified, before Pingora panics over it.
fn check_upstream_tls(config: &Config) -> Result<(), TlsError> {
    let is_tls = config.upstreams.iter().any(UpstreamUrl::is_tls);
    if is_tls && !config.upstream_tls.verify {
        tracing::warn!("{}", UpstreamTls::NOT_VERIFIED);
    }
    check_roots(config.upstream_tls.ca_file.as_deref(), is_tls)
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
        ca_file: config.upstream_tls.ca_file.as_ref().map(|path| path.to_string_lossy().into_owned()),
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
