//! What stops a start before the network has a say, and what it warns of. `s3cors check` asks for the same, so that what it passes starts.

use super::ServeError;
use crate::config::{
    Config, ConfigError, Drivers, GrantKeyFile, Lowered, RulesApi, RulesSource, SettingSource, SignWarning, TokenFile,
    UpstreamHost, UpstreamTls,
};
use crate::downstream::Sockets;
use crate::process::container::is_container;
use crate::process::handover;
use crate::rules::{Snapshot, Store, any_page_reads, source_of};
use crate::tls::{Certificates, Settled, check_roots};
use std::net::TcpListener;
use std::path::PathBuf;

/// Everything that stops a start with this configuration, but for its rules and for what only the network can tell.
#[must_use]
pub fn obstacles(config: &Config) -> Vec<ServeError> {
    open_files(config).1
}

/// The files of certificates whose life is over or nearly so, with what to say of each.
#[must_use]
pub fn expiring(config: &Config) -> Vec<(PathBuf, String)> {
    let (certificates, _) = open_files(config);
    certificates.all().filter_map(|live| live.warning()).map(|(file, warning)| (file.to_owned(), warning)).collect()
}

/// The certificates of the listeners, and everything that is wrong with the files that a start needs.
pub(super) fn open_files(config: &Config) -> (Certificates, Vec<ServeError>) {
    let (mut certificates, mut errors) = (Certificates::default(), Vec::new());
    let of_clients = config.listen.iter().filter_map(|listener| listener.tls.as_ref());
    let of_admin = config.admin.tls.iter().map(|files| ("admin.tls", files));
    for (setting, files) in of_clients.map(|files| ("listen.tls", files)).chain(of_admin) {
        errors.extend(certificates.of(files).err().map(|error| ServeError::Certificates { setting, error }));
    }
    let token = config.admin.token_file.as_ref().map(TokenFile::read);
    errors.extend(token.and_then(Result::err).map(ServeError::from));
    let keys = config.grants.key_file.as_deref().map(GrantKeyFile::read);
    errors.extend(keys.and_then(Result::err).map(ServeError::from));
    // Before Pingora panics over them.
    for settings in config.all_upstreams() {
        let ca_file = settings.tls.ca_file.as_deref();
        errors.extend(check_roots(ca_file, settings.is_tls()).err().map(|error| match ca_file {
            Some(_) => ServeError::Certificates { setting: "upstream.tls.ca_file", error },
            None => error.into(),
        }));
    }
    let handover = config.shutdown.handover.as_deref().map(handover::check);
    errors.extend(handover.and_then(Result::err).map(ServeError::from));
    let path = config.rules.path();
    if config.rules.api == RulesApi::On && config.allow.is_empty() && path.is_file() {
        errors.push(ServeError::OneDocument(path.to_owned()));
    }
    (certificates, errors)
}

/// Binds the sockets of all listeners, or says which of them cannot be bound.
pub(super) fn bind(config: &mut Config, taken_over: Vec<TcpListener>) -> Result<Sockets, Vec<ServeError>> {
    let named_by = |origin, [by_default, in_file, by_flag]: [&'static str; 3]| match origin {
        SettingSource::Default => by_default,
        SettingSource::File => in_file,
        SettingSource::Flag => by_flag,
    };
    let listen = named_by(config.listen_source, ["listen (by default)", "listen", "--listen (or S3CORS_LISTEN)"]);
    let admin = named_by(config.admin_source, ["admin (by default)", "admin", "--admin (or S3CORS_ADMIN)"]);
    let of_clients = config.listen.iter_mut().map(|listener| (listen, &mut listener.address));
    let sockets = Sockets::bind(of_clients.chain([(admin, &mut config.admin.address)]), taken_over);
    sockets.map_err(|errors| errors.into_iter().map(ServeError::from).collect())
}

/// The rules that a process begins with.
pub(super) fn store_of(config: &Config) -> Result<Store, ServeError> {
    let store = Store::of(source_of(config), config.cors.credentials.into());
    store.map_err(|errors| ServeError::of_rules(errors, &config.rules))
}

/// Finds what else would stop a start with a configuration that has errors of its own. Their settings are not tried: defaults are in their
/// place.
#[must_use]
pub fn other_obstacles(mut config: Config, errors: &[ConfigError]) -> Vec<ServeError> {
    let is_wrong = |setting: &str| errors.iter().any(|error| error.is_about(setting));
    let mut others = obstacles(&config);
    // The process that runs has the ports, where one is to follow another.
    if !is_wrong("listen") && !is_wrong("admin") && config.shutdown.handover.is_none() {
        others.extend(bind(&mut config, Vec::new()).err().into_iter().flatten());
    }
    if !errors.iter().any(ConfigError::hides_rules) && config.rules.source == RulesSource::Files {
        others.extend(store_of(&config).err());
    }
    others
}

/// Warns of what is legal and hardly meant.
pub(super) fn warn(config: &Config) {
    if config.all_upstreams().any(|settings| settings.is_tls() && !settings.tls.verify) {
        tracing::warn!("{}", UpstreamTls::NOT_VERIFIED);
    }
    if let Some(warning) = config.admin.warning() {
        tracing::warn!("{warning}");
    }
    if config.has_former_drivers_key {
        tracing::warn!("{}", Drivers::RENAMED);
    }
    // Who says where to listen may mean it: a sidecar serves its pod.
    if config.listen_source == SettingSource::Default && is_container() {
        tracing::warn!(
            "in a container and listening on its loopback, where nothing outside can connect: set --listen 0.0.0.0:8080, \
             S3CORS_LISTEN or listen in the file"
        );
    }
    for settings in config.all_upstreams() {
        if let [UpstreamHost::Name(host)] = settings.host.as_slice() {
            tracing::warn!(
                host,
                "upstream.host replaces the client's Host: signatures made for another host will not hold"
            );
        }
    }
}

/// Warns of what `sign` opens, with the rules that a process begins with.
pub(super) fn warn_of_signed(config: &Config, live: &Snapshot) {
    let warnings = config.sign_warnings().into_iter().chain(any_page_reads(&config.sign, live));
    let (notes, warnings): (Vec<_>, Vec<_>) = warnings.partition(SignWarning::is_note);
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    notes.iter().for_each(|note| tracing::info!("{note}"));
}

/// Says which limits are lower than configured, once the start can fail for nothing in the configuration. To someone who has chosen them
/// it is a warning.
pub(super) fn say_lowered(config: &Config) {
    const WORDS: &str = "the process may open too few files for limits.connections and limits.upstream_connections, which are lowered: \
                         raise RLIMIT_NOFILE (LimitNOFILE of the unit, ulimit -n)";
    let Some(Lowered { open_files, are_defaults }) = config.lowered else { return };
    let (connections, upstream_connections) = (config.limits.connections, config.limits.upstream_connections);
    if are_defaults {
        tracing::info!(open_files, connections, upstream_connections, "{WORDS}");
    } else {
        tracing::warn!(open_files, connections, upstream_connections, "{WORDS}");
    }
}

/// Says which key exchange there is, where the process has TLS towards clients or upstreams; and what the processor lacks for graviola.
pub(super) fn say_cryptography(config: &Config, settled: &Settled) {
    let is_server = config.admin.tls.is_some() || config.listen.iter().any(|listener| listener.tls.is_some());
    if !is_server && !config.has_tls_upstream() {
        return;
    }
    let (library, groups, post_quantum) = (settled.library(), &settled.groups, settled.is_post_quantum());
    let missing = (!settled.missing.is_empty()).then(|| settled.missing.join(", "));
    tracing::info!(library, ?groups, post_quantum, missing, "TLS is set up");
}
