//! Puts the parts together and runs them until a signal ends them.

use crate::admin::Admin;
use crate::config::{Config, UpstreamHost, UpstreamTls, UpstreamUrl};
use crate::gateway::{Front, Gateway};
use crate::handover::{HandoverError, Offer, Predecessor, Prepared};
use crate::listening::{BindError, Sockets, Starting, proxies};
use crate::rules::{FileError, Store, WatchError, watch};
use crate::shutdown::{Drain, InFlight, Readiness, exit_when_drained};
use crate::signals::{ReloadOnHangup, SucceedOnUser2};
use crate::telemetry::log::LogGuard;
use crate::telemetry::{Metrics, MetricsError, Reloader, prepare};
use crate::tls::{Certificates, TlsError, check_roots};
use crate::upstream::{HealthCheckError, HealthChecks, Resolver, Upstreams};
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server};
use pingora::services::background::background_service;
use pingora::services::listening::Service;
use sd_notify::NotifyState;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How often an upstream is tried: once, once more when a kept connection turned out closed, once more for another address.
const MAX_TRIES: usize = 3;
/// How long listeners may take to accept after the start.
const START_LIMIT: Duration = Duration::from_secs(5);

/// Why the proxy did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address can not be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The listening sockets can not pass from one process to the next.
    #[error(transparent)]
    Handover(#[from] HandoverError),
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
    let (sockets, predecessor, prepared) = take_sockets(&mut config)?;
    let offer = prepared.as_ref().map(Prepared::offer);
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
    let sockets = sockets.into_table();
    let mut starting = Starting::default();
    let mut certificates = Certificates::default();
    let front = Front::new(&server.configuration, gateway);
    let with_h2c = front.with_h2c();
    for proxy in proxies(front, with_h2c, &config.listen, &mut certificates)? {
        server.add_service(starting.service(proxy, &sockets));
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
    server.add_service(starting.service(admin, &sockets));
    server.add_service(background_service("certificates", certificates));
    server.add_service(background_service("hangup", ReloadOnHangup(reloader.clone())));
    server.add_service(background_service("successor", SucceedOnUser2 { has_handover: offer.is_some() }));

    let watched = Arc::clone(&rules);
    let counted = reloader.clone();
    let _watch = watch(watched, config.rules.poll, move |report| counted.record(report))?;
    let left = InFlight { connections: metrics.http.connections.clone(), requests: metrics.http.in_flight.clone() };
    exit_when_drained(server.watch_execution_phase(), left, move || {
        tracing::info!("drained");
        log.flush();
        std::process::exit(0);
    });
    let announcement = Announcement {
        listen: config.listen.iter().map(|listener| listener.address).collect(),
        admin: config.admin,
        upstreams: config.upstreams.iter().map(ToString::to_string).collect(),
        rules: reloader.rule_count(),
        readiness: Arc::clone(&readiness),
        predecessor,
        prepared,
    };
    if let Err(error) = std::thread::Builder::new().name("start".into()).spawn(move || announcement.make(starting)) {
        tracing::error!(%error, "readiness will not be told");
    }
    let signals = Drain { readiness, delay: config.shutdown.delay, offer };
    server.run(RunArgs { shutdown_signal: Box::new(signals) });
    Ok(())
}

/// The sockets to listen on: those of a process that is to be replaced, where there is one; and what is kept of them for the process
/// that comes after this one.
fn take_sockets(config: &mut Config) -> Result<(Sockets, Option<Predecessor>, Option<Prepared>), ServeError> {
    let handover = config.shutdown.handover.as_deref();
    let taken = handover.map(Predecessor::take).transpose()?.flatten();
    let (predecessor, taken_over) =
        taken.map_or((None, Vec::new()), |(predecessor, sockets)| (Some(predecessor), sockets));
    let listen = config.listen.iter_mut().map(|listener| &mut listener.address);
    let sockets = Sockets::bind(listen.chain([&mut config.admin]), taken_over)?;
    let prepared = match handover {
        Some(path) => Some(Offer::prepare(path, sockets.duplicates()?)?),
        None => None,
    };
    Ok((sockets, predecessor, prepared))
}

/// What is said and done once the listeners accept.
struct Announcement {
    listen: Vec<SocketAddr>,
    admin: SocketAddr,
    upstreams: Vec<String>,
    rules: usize,
    readiness: Arc<Readiness>,
    predecessor: Option<Predecessor>,
    prepared: Option<Prepared>,
}

impl Announcement {
    fn make(self, starting: Starting) {
        let Self { listen, admin, upstreams, rules, readiness, predecessor, prepared } = self;
        if let Err(error) = starting.wait(START_LIMIT) {
            tracing::error!(%error, "ending");
            std::process::exit(1);
        }
        readiness.set_listening();
        tracing::info!(?listen, %admin, ?upstreams, rules, "s3cors is ready");
        // Nobody may have asked to be told (systemd, Type=notify). The process that was started by it may be another one.
        let _ = sd_notify::notify(&[NotifyState::MainPid(std::process::id()), NotifyState::Ready]);
        // From here on the other process may end, so it comes last but for what only its end makes room for.
        if let Some(predecessor) = predecessor
            && let Err(error) = predecessor.release()
        {
            tracing::warn!(%error, "the process before this one had ended already");
        }
        if let Some(Err(error)) = prepared.map(Prepared::publish) {
            tracing::error!(%error, "shutdown.handover: no other process will be able to take over");
        }
    }
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
        // Pingora's own timers are kept until they would have fired, also when the wait has long ended: those for an upstream's
        // answer would pile up for five minutes. Longer ones are tokio's, which go when they are not needed any more, and cost the
        // same.
        fast_timeout_to_tokio_threshold_seconds: Some(5),
        ..ServerConf::default()
    }
}
