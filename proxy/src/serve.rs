//! Puts the parts together and runs them until a signal ends them.

mod credentials;
mod error;
mod exports;
mod last_hour;
mod obstacles;
mod server_conf;
mod shadow;
mod signing;

pub use error::{ServeError, ServeErrors};
pub use obstacles::{expiring, obstacles, other_obstacles};

use crate::admin::{self, Admin, Admission, SettingsBeside};
use crate::config::{Config, Descriptors, EachUpstream, NamedUpstream, RulesApi, UpstreamConfig};
use crate::downstream::{AcceptFailures, ConnectionServer, Sockets, Starting, admin_service, client_service};
use crate::drivers::upstream::{Forwarder, Probe};
use crate::exchange::{self, Count, Policy, Writing};
use crate::observe::{LastHour, RecentDenials, Rejections};
use crate::process::drain::{Drain, DrainGauges, exit_when_drained};
use crate::process::exit::{Ending, at_end};
use crate::process::handover::{Offer, Predecessor, Prepared};
use crate::process::readiness::Readiness;
use crate::process::signals::{ReloadOnHangup, SucceedOnUser2};
use crate::rules::{Outcome, Report, Snapshot, Store, WarningLog, watch};
use crate::telemetry::log::Log;
use crate::telemetry::{Metrics, ReloadOutcome};
use crate::tls::{Certificates, settle, trusting_as_configured};
use crate::upstream::{
    AllConnections, Connector, Destination, HealthChecks, Pool, Resolver, Sweeper, Upstream, Upstreams,
};
use last_hour::{EachMinute, last_hour};
use obstacles::{bind, open_files, say_cryptography, say_lowered, store_of, warn, warn_of_signed};
use pingora::server::{RunArgs, Server};
use pingora::services::background::background_service;
use sd_notify::NotifyState;
use server_conf::server_conf;
use shadow::Shadow;
use signing::ReadSigning;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long listeners may take to accept after the start.
const LISTEN_LIMIT: Duration = Duration::from_secs(5);

/// Steps of the caller.
#[derive(Default)]
pub struct Hooks {
    /// Done once the process is ready, with the address of the admin listener.
    pub ready: Option<Box<dyn FnOnce(SocketAddr) + Send>>,
    /// Done before the process ends by itself, after it was ready.
    pub end: Option<Box<dyn FnOnce() + Send>>,
}

/// Serves until a signal ends it. Must be called outside any async runtime: the server brings its own.
///
/// # Errors
/// [`ServeErrors`] when the start fails, with everything that it fails of; a process that serves returns no error.
pub fn serve(mut config: Config, log: Log, hooks: Hooks) -> Result<(), ServeErrors> {
    Descriptors::raise();
    // Before anything of Pingora, which settles it otherwise.
    let cryptography = settle(config.tls.post_quantum);
    warn(&config);
    let (certificates, mut errors) = open_files(&config);
    // A process that is to follow another one takes nothing from it before everything else is right.
    let is_tried = errors.is_empty() || config.shutdown.handover.is_none();
    let taken = if is_tried { take_sockets(&mut config).map(Some) } else { Ok(None) };
    let taken = taken.unwrap_or_else(|found| {
        errors.extend(found);
        None
    });
    let store = store_of(&config).map_err(|error| errors.push(error));
    let (Some((sockets, predecessor, prepared)), Ok(store), true) = (taken, store, errors.is_empty()) else {
        return Err(ServeErrors(errors));
    };
    let offer = prepared.as_ref().map(Prepared::offer);
    let parts = Parts::new(&config, &log, store)?;
    warn_of_signed(&config, &parts.rules.live());
    say_lowered(&config);
    say_cryptography(&config, &cryptography);
    let mut server = Server::new_with_opt_and_conf(None, server_conf(&config));
    follow_upstreams(&mut server, &config, &parts.upstreams)?;
    let mut starting = Starting::default();
    let open = serve_clients(&mut server, &config, &parts, &mut starting, (sockets, certificates))?;
    if let Some(signing) = &parts.signing {
        parts.export_credentials(signing.states())?;
        signing.follow(&mut server, &config, &parts.policy, &mut starting);
    }
    let rules = Arc::clone(&parts.rules);
    let candidate = parts.shadow.as_ref().map(|shadow| Arc::clone(&shadow.rules));
    let reload = move || {
        rules.reload();
        candidate.iter().for_each(|candidate| drop(candidate.store().reload()));
    };
    let hangup = ReloadOnHangup { reload: Arc::new(reload), handled: starting.also() };
    server.add_service(background_service("hangup", hangup));
    let successor = SucceedOnUser2 { has_handover: offer.is_some(), handled: starting.also() };
    server.add_service(background_service("successor", successor));
    parts.export(open.clone())?;
    let stores = [&parts.rules].into_iter().chain(parts.shadow.as_ref().map(|shadow| shadow.rules.store()));
    let watches: Result<Vec<_>, _> = stores.map(|store| watch(Arc::clone(store), config.rules.poll)).collect();
    let _watches = watches?;
    exit_when_drained(server.watch_execution_phase(), parts.drain_gauges(open), move || {
        tracing::info!("drained");
        log.flush();
        Ending::Drained.end();
    });
    let announcement = Announcement {
        listen: config.listen.iter().map(|listener| listener.address).collect(),
        admin: config.admin.address,
        upstreams: config.all_upstreams().flat_map(UpstreamConfig::urls).map(ToString::to_string).collect(),
        rules: parts.rules.live().rule_count(),
        readiness: Arc::clone(&parts.readiness),
        warnings: parts.warnings.clone(),
        predecessor,
        prepared,
        hooks,
    };
    let handles = starting.also();
    if let Err(error) = std::thread::Builder::new().name("start".into()).spawn(move || announcement.make(starting)) {
        tracing::error!(%error, "readiness will not be announced");
    }
    let signals = Drain { readiness: parts.readiness, delay: config.shutdown.delay, offer, handles };
    server.run(RunArgs { shutdown_signal: Box::new(signals) });
    Ok(())
}

/// What requests, operators and signals share.
struct Parts {
    metrics: Arc<Metrics>,
    rules: Arc<Store>,
    warnings: WarningLog,
    shadow: Option<Shadow>,
    rejections: Arc<Rejections>,
    recent_denials: Arc<RecentDenials>,
    last_hour: Arc<LastHour>,
    upstreams: Upstreams,
    policy: Arc<Policy>,
    signing: Option<ReadSigning>,
    readiness: Arc<Readiness>,
}

impl Parts {
    fn new(config: &Config, log: &Log, store: Store) -> Result<Self, ServeError> {
        let metrics = Arc::new(Metrics::new(config.metrics_buckets)?);
        let rejections = Arc::new(Rejections::new(config.rejected_origins));
        let rules = Arc::new(store);
        prepare(&metrics, &rejections, &rules.live());
        metrics.rules_started(rules.live().rule_count(), Outcome::ALL.map(Outcome::as_str));
        let (warnings, shadow) = (WarningLog::start(&rules)?, Shadow::of(config, &rules));
        let (counters, rejected, changed, compared) =
            (Arc::clone(&metrics), Arc::clone(&rejections), warnings.clone(), shadow.clone());
        rules.observe(Box::new(move |report: &Report, live: &Snapshot| {
            prepare(&counters, &rejected, live);
            let (label, is_successful) = (report.outcome.as_str(), report.outcome != Outcome::Rejected);
            counters.reloaded(ReloadOutcome { label, is_successful }, live.rule_count());
            if !report.changed.is_empty() {
                changed.look();
                compared.iter().for_each(|shadow| shadow.begin_again(live));
            }
        }));
        let upstreams = Upstream::each(config);
        metrics.export(log.dropped())?;
        let readiness = Arc::<Readiness>::default();
        let asked = Arc::clone(&readiness);
        let recent_denials = Arc::new(RecentDenials::new(config.recent_denials));
        let signing = ReadSigning::of(config)?;
        let policy = Policy::new(
            config,
            exchange::Parts {
                rules: Arc::clone(&rules),
                metrics: Arc::clone(&metrics),
                rejections: Arc::clone(&rejections),
                recent_denials: Some(Arc::clone(&recent_denials)),
                access_log: log.access(),
                shadow: shadow.as_ref().map(|shadow| (Arc::clone(&shadow.rules), Arc::clone(&shadow.decisions))),
                why_not_ready: Some(Box::new(move || asked.why_not())),
                signing: signing.as_ref().map(|signing| signing.parts(config)).transpose()?,
            },
        );
        let policy = Arc::new(policy);
        let last_hour = last_hour(&metrics, &rejections);
        Ok(Self {
            metrics,
            rules,
            shadow,
            warnings,
            rejections,
            recent_denials,
            last_hour,
            upstreams,
            policy,
            signing,
            readiness,
        })
    }

    fn drain_gauges(&self, open: Count) -> DrainGauges {
        let in_flight = self.policy.in_flight().clone();
        DrainGauges { connections: Box::new(move || open.get()), requests: Box::new(move || in_flight.get()) }
    }
}

/// Makes the counters of every bucket that a request can get.
fn prepare(metrics: &Metrics, rejections: &Rejections, live: &Snapshot) {
    metrics.buckets.prepare(live.all().map(|bucket| (&*bucket.label, bucket.rules.as_ref())));
    rejections.prepare(live.all().map(|bucket| &*bucket.label));
}

/// Adds the listeners for clients and for operators. Returns the count of open connections.
fn serve_clients(
    server: &mut Server,
    config: &Config,
    parts: &Parts,
    starting: &mut Starting,
    (mut sockets, mut certificates): (Sockets, Certificates),
) -> Result<Count, ServeError> {
    let policy = Arc::clone(&parts.policy);
    let forwarder = Forwarder::new(config, destinations(config, parts)?);
    let upstream = Arc::clone(parts.upstreams.default_one());
    let connections = ConnectionServer::new(&server.configuration, config, policy, upstream, &forwarder);
    let sweeper = Sweeper { upstreams: parts.upstreams.clone() };
    server.add_service(background_service("kept connections", sweeper));
    let (open, failures) = (connections.open().clone(), AcceptFailures::default());
    parts.export_declines(connections.declines().clone())?;
    parts.export_accept_failures(failures.clone())?;
    let clients = client_service(connections, &mut sockets, &parts.policy, config, &mut certificates, &failures)?;
    server.add_service(starting.service(clients));
    if config.rules.api == RulesApi::On {
        let probe = Probe { policy: Arc::clone(&parts.policy), forwarder };
        server.add_service(background_service("signature probe", probe));
    }
    let policy = Arc::clone(&parts.policy);
    let admin = Admin {
        rules: Arc::clone(&parts.rules),
        writing: Box::new(move || policy.writing().map(Writing::as_str)),
        shadow: parts.shadow.clone().map(|Shadow { rules, decisions }| admin::Shadow { rules, decisions }),
        metrics: Arc::clone(&parts.metrics),
        rejections: Arc::clone(&parts.rejections),
        recent_denials: Arc::clone(&parts.recent_denials),
        refused_signatures: Arc::clone(parts.policy.refused_signatures()),
        signing: parts
            .signing
            .as_ref()
            .map(|signing| admin::Signing { prefixes: config.sign.clone(), credentials: signing.states().to_vec() }),
        settings: SettingsBeside {
            signed: config.sign.clone(),
            uploads: config.uploads.clone(),
            enforces: config.cors.enforce.is_on(),
        },
        last_hour: Arc::clone(&parts.last_hour),
        upstreams: parts.upstreams.clone(),
        routes: config.routes.clone(),
        readiness: Arc::clone(&parts.readiness),
        admission: Admission::new(config.admin.clone()),
    };
    server.add_service(background_service("last hour", EachMinute(Arc::clone(&parts.last_hour))));
    let operators = admin_service(admin, &mut sockets, config, &mut certificates, &failures)?;
    server.add_service(starting.service(operators));
    parts.export_expiry(config, &mut certificates)?;
    server.add_service(background_service("certificates", certificates));
    Ok(open)
}

/// Connects our own drivers to the upstreams.
fn destinations(config: &Config, parts: &Parts) -> Result<EachUpstream<Destination>, ServeError> {
    let metrics = Arc::clone(&parts.metrics);
    let note_wait = Box::new(move |waited| metrics.http.waited_for_upstream(waited));
    let all = Arc::new(AllConnections::new(config, parts.upstreams.clone(), note_wait));
    parts.export_upstream_connections(&all)?;
    config.upstreams.try_map_indexed(|index, NamedUpstream { settings, .. }| {
        let tls = settings.is_tls().then(|| trusting_as_configured(&settings.tls)).transpose()?;
        let connector = Connector::new(settings, tls.map(Arc::new));
        Ok(Destination {
            upstream: Arc::clone(parts.upstreams.get(index)),
            pool: Pool::new(connector, settings.keepalive, Arc::clone(&all)),
            timeouts: settings.timeouts,
        })
    })
}

/// The sockets to listen on: those of the process that this one replaces, where there is one; and duplicates for the process that comes
/// after this one.
fn take_sockets(config: &mut Config) -> Result<Taken, Vec<ServeError>> {
    let one = |error: ServeError| vec![error];
    let handover = config.shutdown.handover.clone();
    let taken = handover.as_deref().map(Predecessor::take).transpose().map_err(|error| one(error.into()))?.flatten();
    let (predecessor, taken_over) =
        taken.map_or((None, Vec::new()), |(predecessor, sockets)| (Some(predecessor), sockets));
    let sockets = bind(config, taken_over)?;
    let prepare = |path: &Path| -> Result<_, ServeError> { Ok(Offer::prepare(path, sockets.duplicates()?)?) };
    let prepared = handover.as_deref().map(prepare).transpose().map_err(one)?;
    Ok((sockets, predecessor, prepared))
}

/// The sockets, the process that they came from, and what is prepared for the next one.
type Taken = (Sockets, Option<Predecessor>, Option<Prepared>);

/// What happens once the listeners accept.
struct Announcement {
    listen: Vec<SocketAddr>,
    admin: SocketAddr,
    upstreams: Vec<String>,
    rules: usize,
    readiness: Arc<Readiness>,
    warnings: WarningLog,
    predecessor: Option<Predecessor>,
    prepared: Option<Prepared>,
    hooks: Hooks,
}

impl Announcement {
    fn make(self, starting: Starting) {
        let Self { listen, admin, upstreams, rules, readiness, warnings, predecessor, prepared, hooks } = self;
        if let Err(error) = starting.wait(LISTEN_LIMIT) {
            tracing::error!(%error, "ending");
            Ending::NotListening.end();
        }
        readiness.set_listening();
        tracing::info!(?listen, %admin, ?upstreams, rules, "s3cors is ready");
        hooks.end.into_iter().for_each(at_end);
        hooks.ready.into_iter().for_each(|ready| ready(admin));
        // It fails where systemd did not start us. The process that systemd started may be another one, hence the PID.
        let _ = sd_notify::notify(&[NotifyState::MainPid(std::process::id()), NotifyState::Ready]);
        // Not before: a start does not wait for it.
        warnings.look();
        // From here on the other process may end, so this comes last, but for what only its end makes room for.
        if let Some(predecessor) = predecessor
            && let Err(error) = predecessor.release()
        {
            tracing::warn!(%error, "the process before this one had already ended");
        }
        if let Some(Err(error)) = prepared.map(Prepared::publish) {
            tracing::error!(%error, "shutdown.handover: no other process will be able to take over");
        }
    }
}

/// Resolves the upstreams' names, and keeps what is known about their addresses up to date from then on.
fn follow_upstreams(server: &mut Server, config: &Config, upstreams: &Upstreams) -> Result<(), ServeError> {
    for (index, NamedUpstream { settings, .. }) in config.upstreams.indexed() {
        let upstream = upstreams.get(index);
        server.add_service(background_service("resolver", Resolver::new(Arc::clone(upstream))));
        if let Some(check) = &settings.health_check {
            let checks = HealthChecks::new(Arc::clone(upstream), check, &server.configuration)?;
            server.add_service(background_service("health checks", checks));
        }
    }
    Ok(())
}
