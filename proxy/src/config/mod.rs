//! Flags, environment and file become one checked [`Config`] before anything starts.
//!
//! Decides: which source wins (flags over environment over file over defaults) and which settings are valid.
//! Must not know: what is built from them.

mod address;
mod admin;
mod allow;
mod api;
mod bucket_pattern;
mod descriptors;
mod each_upstream;
mod entries;
mod error;
mod fields;
mod file;
mod file_error;
mod flags;
mod forwarded;
mod grants;
mod hosts;
mod key_file;
mod key_prefix;
mod listen;
mod loops;
mod message;
mod named_upstream;
mod nearest;
mod number;
mod paths;
mod reading;
mod routes;
mod rules;
mod rules_store;
#[cfg(test)]
mod schema;
mod settings;
mod sign;
mod sign_warning;
mod tls;
mod token;
mod uploads;
mod upstream;
mod upstream_credentials;
mod upstream_host;
mod upstream_section;
mod values;

pub use address::ListenAddress;
pub use admin::AdminListener;
pub use allow::AllowedOrigin;
pub use api::{RefusedWarning, RulesApi, UnsignedPayload};
pub use descriptors::{Descriptors, Lowered};
pub use each_upstream::{EachUpstream, UpstreamIndex};
pub use error::{ConfigError, ConfigErrors};
pub use file::ConfigFile;
pub use file_error::{ConfigFileError, ConfigFileErrors};
pub use flags::Flags;
pub use forwarded::{Forwarded, ForwardedMode};
pub use grants::Grants;
pub use hosts::{PublicHost, PublicHosts};
pub use key_file::{GrantKeyFile, GrantKeyFileError, KeyFault};
pub use key_prefix::KeyPrefix;
pub use listen::{HealthPath, Listener, listener_of};
pub use named_upstream::NamedUpstream;
pub use nearest::nearest;
pub use paths::told_with_place;

pub use routes::{BucketRoute, FallbackDelete, Routes, WrittenRoute};
pub use rules::Rules;
pub use rules_store::{RulesSource, RulesStore};
pub use settings::{Cors, HealthCheck, Keepalive, Limits, Log, Presigned, Shutdown, Signatures, Timeouts};
pub use sign::{SignWhen, SignedPrefix, SignedQuery};
pub use sign_warning::SignWarning;
pub use tls::{PostQuantum, ServerName, Tls, TlsFiles, UpstreamTls};
pub use token::{Token, TokenFile, TokenFileError};
pub use uploads::{MediaRange, UploadLimit};
pub use upstream::{Balance, CheckPath, UpstreamUrl};
pub use upstream_credentials::UpstreamCredentials;
pub use upstream_host::{UpstreamHost, UpstreamHosts};
pub use upstream_section::UpstreamConfig;
pub use values::{
    CredentialsPolicy, Drivers, LogFormat, LogLevel, PresignedHead, ResourcePolicy, Size, Switch, TimingAllowOrigin,
    UpstreamOrigin, ValueError, VaryPolicy, page_origin,
};

pub use crate::s3::bucket_name::is_bucket_name;
pub use crate::s3::domain::without_user;
pub use crate::s3::key_pattern::{InvalidKeyPattern, KeyPattern};

use crate::s3::domain::Domain;
use loops::own_listeners;
use routes::{fault_of_default, routed};
use std::net::{Ipv4Addr, SocketAddr};

/// Everything that `s3cors serve` needs to know, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where S3 clients connect; at least one.
    pub listen: Vec<Listener>,
    /// The source of these addresses.
    pub listen_source: SettingSource,
    /// The listener for operators.
    pub admin: AdminListener,
    /// The source of its address.
    pub admin_source: SettingSource,
    /// The S3 servers; the default one first.
    pub upstreams: EachUpstream<NamedUpstream>,
    /// The upstream of each bucket.
    pub routes: Routes,
    /// The domains whose subdomains are buckets (virtual-host style).
    pub domains: Vec<Domain>,
    /// The public names.
    pub hosts: PublicHosts,
    /// What an upstream is told about the client.
    pub forwarded: Forwarded,
    /// Where the rules are.
    pub rules: Rules,
    /// Instead of those rules: the origins that one rule for every bucket allows. Empty where rules are read.
    pub allow: Vec<AllowedOrigin>,
    /// Deliberate differences from S3's CORS.
    pub cors: Cors,
    /// How requests on presigned URLs are served.
    pub presigned: Presigned,
    /// The treatment of a signature that the upstream refuses.
    pub signatures: Signatures,
    /// The limits on uploads.
    pub uploads: Vec<UploadLimit>,
    /// The buckets and folders whose objects are read without a signature of the client's.
    pub sign: Vec<SignedPrefix>,
    /// The settings of grants: the part of a bucket that a presigned URL of a playlist opens.
    pub grants: Grants,
    /// True if the file has that key.
    pub has_grants_key: bool,
    /// Limits on what a client may use.
    pub limits: Limits,
    /// Set if `limits` are lower than configured, since the process may not open more files.
    pub lowered: Option<Lowered>,
    /// TLS of the process.
    pub tls: Tls,
    /// What is logged, and how.
    pub log: Log,
    /// How the process stops.
    pub shutdown: Shutdown,
    /// The drivers that serve requests.
    pub drivers: Drivers,
    /// True if the file names them by the key's former name.
    pub has_former_drivers_key: bool,
    /// Worker threads of the proxy.
    pub threads: usize,
    /// How many buckets have series of their own, at most.
    pub metrics_buckets: usize,
    /// How many rejected origins have a series of their own, at most.
    pub rejected_origins: usize,
    /// How many of the latest denials are kept, at most.
    pub recent_denials: usize,
}

/// The source of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// Nothing names it.
    Default,
    /// The file.
    File,
    /// A flag or its environment variable.
    Flag,
}

impl Config {
    const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

    /// The settings of the default upstream.
    #[must_use]
    pub const fn upstream(&self) -> &UpstreamConfig {
        &self.upstreams.default_one().settings
    }

    /// The settings of every upstream.
    pub fn all_upstreams(&self) -> impl Iterator<Item = &UpstreamConfig> {
        self.upstreams.iter().map(|upstream| &upstream.settings)
    }

    /// Returns true if an upstream is asked over TLS.
    #[must_use]
    pub fn has_tls_upstream(&self) -> bool {
        self.all_upstreams().any(UpstreamConfig::is_tls)
    }

    /// Reads the file that the flags name, if any, and applies the flags over it.
    ///
    /// # Errors
    /// [`ConfigErrors`] says everything that is wrong, where, and what to do.
    pub fn load(flags: Flags) -> Result<Self, ConfigErrors> {
        match Self::load_valid(flags) {
            (Some(config), errors) if errors.is_empty() => Ok(config),
            (_, errors) => Err(ConfigErrors(errors)),
        }
    }

    /// Does the same with what is valid, and returns everything that is not. There is no configuration where the file cannot be read.
    #[must_use]
    pub fn load_valid(flags: Flags) -> (Option<Self>, Vec<ConfigError>) {
        let (file, errors) = match &flags.config {
            Some(path) => ConfigFile::read_valid(path),
            None => (Some(ConfigFile::default()), Vec::new()),
        };
        let mut errors: Vec<_> = errors.into_iter().map(ConfigError::File).collect();
        let Some(file) = file else { return (None, errors) };
        let (config, contradictions) = Self::merge(flags, file);
        let is_new =
            |error: &ConfigError| !error.settings().iter().any(|setting| errors.iter().any(|e| e.is_about(setting)));
        let contradictions: Vec<_> = contradictions.into_iter().filter(is_new).collect();
        // Nothing follows from a value that is not the one that was meant.
        errors.extend(contradictions);
        (Some(config), errors)
    }

    /// The configuration that a file describes by itself, without flags and environment.
    ///
    /// # Errors
    /// [`ConfigErrors`], as for [`load`](Self::load).
    pub fn from_file(file: ConfigFile) -> Result<Self, ConfigErrors> {
        let (config, errors) = Self::merge(Flags::default(), file);
        if errors.is_empty() { Ok(config) } else { Err(ConfigErrors(errors)) }
    }

    /// The configuration that flags and a file make, and everything for which [`load`](Self::load) refuses it.
    #[must_use]
    pub fn merge(flags: Flags, file: ConfigFile) -> (Self, Vec<ConfigError>) {
        let (rules, mut errors) = rules::merge(&flags, file.rules);
        let mut upstream = file.upstream;
        let (is_routed, is_by_flag) =
            (!file.upstreams.is_empty() || !file.routes.0.is_empty(), !flags.upstream.is_empty());
        errors.extend((is_routed && is_by_flag).then_some(ConfigError::UpstreamBesideUpstreams));
        if is_by_flag {
            upstream.url.0 = flags.upstream;
        }
        let has_upstream = !upstream.urls().is_empty();
        errors.extend((!has_upstream && !is_routed).then_some(ConfigError::NoUpstream));
        let fault = fault_of_default(&file.upstreams, has_upstream, &file.routes.0).filter(|_| !is_by_flag);
        errors.extend(fault.map(|why| ConfigError::DefaultUpstream { why }));
        let (upstreams, routes) = routed(upstream, file.upstreams, &file.routes.0);
        let all_settings = || upstreams.iter().map(|upstream| &upstream.settings);
        let drivers = file.drivers.or(file.http1).unwrap_or_default();
        errors.extend((file.drivers.is_some() && file.http1.is_some()).then_some(ConfigError::TwoDrivers));
        let needs_own = [
            ("rules.api: on", rules.api == RulesApi::On),
            ("presigned.head: by_get", file.presigned.head == PresignedHead::ByGet),
            ("routes", is_routed),
            ("a list in upstream.host", all_settings().any(|settings| settings.host.as_slice().len() > 1)),
            ("a list in upstream_host", file.hosts.values().any(PublicHost::has_candidates)),
            ("signatures.heal: on", file.signatures.heal.is_on()),
            ("uploads", !file.uploads.0.is_empty()),
            ("sign", !file.sign.0.is_empty()),
            ("grants", file.grants.is_some()),
        ];
        let unserved = needs_own.into_iter().filter(|(_, is_set)| *is_set && drivers == Drivers::Pingora);
        errors.extend(unserved.map(|(setting, _)| ConfigError::NeedsOwnDrivers { setting }));
        let listen_source = SettingSource::of(!flags.listen.is_empty(), !file.listen.0.is_empty());
        let admin_source = SettingSource::of(flags.admin.is_some(), file.admin.is_some());
        let listen = match (flags.listen.is_empty(), file.listen.0) {
            (false, _) => flags.listen.into_iter().map(SocketAddr::from).map(Listener::from).collect(),
            (true, listen) if listen.is_empty() => vec![Self::DEFAULT_LISTEN.into()],
            (true, listen) => listen,
        };
        let mut admin = file.admin.unwrap_or_default();
        admin.address = flags.admin.map_or(admin.address, Into::into);
        let (limits, lowered) = Descriptors::of_process().apply(file.limits);
        let addresses: Vec<_> = listen.iter().map(|listener| listener.address).chain([admin.address]).collect();
        errors.extend(check_addresses(addresses.iter().copied()).err());
        errors.extend(all_settings().flat_map(|settings| own_listeners(settings.urls(), &addresses)));
        let config = Self {
            listen,
            listen_source,
            admin,
            admin_source,
            upstreams,
            routes,
            domains: if flags.domain.is_empty() { file.domains.0 } else { flags.domain },
            hosts: file.hosts.into(),
            forwarded: file.forwarded.into(),
            rules,
            allow: flags.allow,
            cors: file.cors,
            presigned: file.presigned,
            signatures: file.signatures,
            uploads: file.uploads.0.into_iter().map(UploadLimit::from).collect(),
            sign: file.sign.0.into_iter().map(SignedPrefix::from).collect(),
            has_grants_key: file.grants.is_some(),
            grants: file.grants.unwrap_or_default(),
            limits,
            lowered,
            tls: file.tls,
            log: file.log,
            shutdown: file.shutdown,
            drivers,
            has_former_drivers_key: file.http1.is_some(),
            threads: file.threads.map_or_else(available_threads, |threads| threads.0),
            metrics_buckets: file.metrics.buckets,
            rejected_origins: file.metrics.rejected_origins,
            recent_denials: file.observe.recent,
        };
        (config, errors)
    }
}

impl SettingSource {
    const fn of(is_flag: bool, is_in_file: bool) -> Self {
        match (is_flag, is_in_file) {
            (true, _) => Self::Flag,
            (false, true) => Self::File,
            (false, false) => Self::Default,
        }
    }
}

/// Refuses addresses that the system cannot give to one process at the same time.
///
/// Port 0 is a different port each time. Whether `[::]` includes IPv4 depends on the system, so that pair is left to it.
fn check_addresses(addresses: impl Iterator<Item = SocketAddr>) -> Result<(), ConfigError> {
    let mut seen: Vec<SocketAddr> = Vec::new();
    for address in addresses.filter(|address| address.port() != 0) {
        let overlaps = |other: &SocketAddr| {
            let (one, two) = (address.ip(), other.ip());
            let is_wildcard = one.is_unspecified() || two.is_unspecified();
            address.port() == other.port() && (one == two || is_wildcard && one.is_ipv4() == two.is_ipv4())
        };
        if let Some(other) = seen.iter().copied().find(overlaps) {
            return Err(ConfigError::AddressConflict { address, other });
        }
        seen.push(address);
    }
    Ok(())
}

/// One thread for each processor available to this process; one where the system does not tell.
fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_file_states_the_defaults() {
        let sample = ConfigFile::read(schema::SAMPLE.as_ref()).unwrap();
        let sample = Config::from_file(sample).unwrap();
        let upstream = Flags { upstream: vec!["http://127.0.0.1:9000".parse().unwrap()], ..Flags::default() };
        let defaults = Config::load(upstream).unwrap();
        assert_eq!((defaults.listen_source, defaults.admin_source), (SettingSource::Default, SettingSource::Default));
        let sample = Config { listen_source: SettingSource::Default, admin_source: SettingSource::Default, ..sample };
        assert_eq!(format!("{sample:#?}"), format!("{defaults:#?}"));
    }

    #[test]
    fn the_health_check_in_the_sample_file_states_its_defaults() {
        let sample = ConfigFile::parse(&schema::sample_with_every_key(), schema::SAMPLE.as_ref()).unwrap();
        let check = sample.upstream.health_check.unwrap();
        assert_eq!(HealthCheck { path: None, ..check }, HealthCheck::default());
    }

    #[test]
    fn what_is_signed_here_needs_our_own_drivers() {
        for (text, setting) in
            [("sign: {bucket: site}\n", Some("sign")), ("grants: {}\n", Some("grants")), ("grants:\nsign: []\n", None)]
        {
            for (drivers, setting) in [("pingora", setting), ("own", None)] {
                let text = format!("upstream: http://127.0.0.1:1\ndrivers: {drivers}\n{text}");
                let file = ConfigFile::parse(&text, "f".as_ref()).unwrap();
                let said = Config::from_file(file).err().map(|errors| errors.to_string());
                let expected = setting.map(|setting| format!("{setting} needs the drivers of s3cors"));
                assert_eq!(said.is_some(), expected.is_some(), "{text:?}: {said:?}");
                assert!(said.zip(expected).is_none_or(|(said, expected)| said.starts_with(&expected)), "{text:?}");
            }
        }
    }

    #[test]
    fn addresses_that_exclude_each_other_are_refused() {
        for (addresses, conflict) in [
            (&["127.0.0.1:1", "127.0.0.1:2"][..], false),
            (&["127.0.0.1:1", "127.0.0.2:1"], false),
            (&["127.0.0.1:0", "127.0.0.1:0"], false),
            (&["127.0.0.1:1", "[::1]:1"], false),
            (&["0.0.0.0:1", "[::1]:1"], false),
            (&["127.0.0.1:1", "127.0.0.1:1"], true),
            (&["127.0.0.1:1", "127.0.0.1:2", "0.0.0.0:1"], true),
            (&["[::]:1", "[::1]:1"], true),
        ] {
            let parsed: Vec<SocketAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
            assert_eq!(check_addresses(parsed.into_iter()).is_err(), conflict, "{addresses:?}");
        }
    }
}
