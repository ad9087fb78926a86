//! The configuration file: YAML, in which a key that is not known is an error with its place.

use super::listen::Listener;
use super::tls::{ServerName, UpstreamTls};
use super::upstream::{Balance, CheckPath, UpstreamHost, UpstreamUrl};
use super::values::{CredentialsPolicy, Interval, LogFormat, LogLevel, OneOrMany, Size, Threads, Time, VaryPolicy};
use super::{Cors, HealthCheck, Keepalive, Limits, Log, Rules, Shutdown, Timeouts};
use crate::s3::domain::Domain;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The file as it is written: whatever is left out has its default.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    pub(super) listen: Option<OneOrMany<Listener>>,
    pub(super) admin: Option<SocketAddr>,
    pub(super) upstream: Option<UpstreamSection>,
    pub(super) domains: Option<OneOrMany<Domain>>,
    pub(super) rules: Option<RulesSection>,
    pub(super) cors: Option<CorsSection>,
    pub(super) limits: Option<LimitsSection>,
    pub(super) log: Option<LogSection>,
    pub(super) shutdown: Option<ShutdownSection>,
    pub(super) threads: Option<Threads>,
    pub(super) metrics: Option<MetricsSection>,
}

/// Why the file can not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// It can not be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not valid.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The column, from 1.
        column: u64,
        /// What is wrong.
        message: String,
    },
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigFileError`], with line and column.
    pub fn read(path: &Path) -> Result<Self, ConfigFileError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigFileError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Where the file says that the rules are, or where they are by default.
    #[must_use]
    pub fn rules_path(&self) -> PathBuf {
        self.rules.clone().unwrap_or_default().or_default().path
    }

    /// The `cors` settings, with their defaults.
    #[must_use]
    pub fn cors(&self) -> Cors {
        self.cors.clone().unwrap_or_default().or_default()
    }

    /// Where the file has clients connect, if it says so.
    #[must_use]
    pub fn listeners(&self) -> Vec<Listener> {
        self.listen.as_ref().map(|listeners| listeners.0.clone()).unwrap_or_default()
    }

    /// How the upstreams' certificates are verified.
    #[must_use]
    pub fn upstream_tls(&self) -> UpstreamTls {
        self.upstream.as_ref().and_then(|upstream| upstream.tls.clone()).unwrap_or_default().or_default()
    }

    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, ConfigFileError> {
        // A file of comments alone is an empty document: all defaults.
        serde_saphyr::from_str::<Option<Self>>(text).map(Option::unwrap_or_default).map_err(|error| {
            let (line, column) = error.location().map_or((1, 1), |place| (place.line(), place.column()));
            ConfigFileError::Invalid { path: path.to_owned(), line, column, message: message(&error) }
        })
    }
}

/// The library's message without its own place and its picture of the source.
fn message(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    text.split(" at line ").next().unwrap_or(&text).trim().to_owned()
}

#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct UpstreamSection {
    pub(super) url: Option<OneOrMany<UpstreamUrl>>,
    pub(super) balance: Option<Balance>,
    pub(super) host: Option<UpstreamHost>,
    pub(super) health_check: Option<HealthCheckSection>,
    pub(super) tls: Option<UpstreamTlsSection>,
    pub(super) timeouts: Option<TimeoutsSection>,
    pub(super) keepalive: Option<KeepaliveSection>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct HealthCheckSection {
    path: Option<CheckPath>,
    interval: Option<Interval>,
    timeout: Option<Interval>,
}

impl HealthCheckSection {
    pub(super) fn or_default(self) -> HealthCheck {
        let default = HealthCheck::default();
        HealthCheck {
            path: self.path,
            interval: self.interval.map_or(default.interval, Into::into),
            timeout: self.timeout.map_or(default.timeout, Into::into),
        }
    }
}

/// A section of the file: every key may be missing, and then has its default.
macro_rules! section {
    ($(#[$doc:meta])* $section:ident for $target:ident { $($key:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields, default)]
        pub(super) struct $section { $($key: Option<$kind>),* }

        impl $section {
            pub(super) fn or_default(self) -> $target {
                let default = $target::default();
                $target { $($key: self.$key.map_or(default.$key, Into::into)),* }
            }
        }
    };
}

section!(TimeoutsSection for Timeouts { connect: Time, read: Time, write: Time });
section!(LimitsSection for Limits {
    header_read: Time,
    header_size: Size,
    idle: Time,
    body_read: Time,
    body_write: Time,
    connections: usize,
});
section!(UpstreamTlsSection for UpstreamTls { ca_file: PathBuf, server_name: ServerName, verify: bool });
section!(KeepaliveSection for Keepalive { connections: usize, idle: Time });
section!(RulesSection for Rules { path: PathBuf, poll: Time });
section!(CorsSection for Cors { vary: VaryPolicy, credentials: CredentialsPolicy, debug_header: bool });
section!(LogSection for Log { format: LogFormat, level: LogLevel, access: bool });
section!(ShutdownSection for Shutdown { drain: Time, delay: Time, handover: PathBuf });

#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub(super) struct MetricsSection {
    pub(super) rejected_origins: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        ConfigFile::parse(text, Path::new("s3cors.yaml")).unwrap_err().to_string()
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        for (text, place, about) in [
            ("admin: 127.0.0.1:1\nlisen: 127.0.0.1:2\n", "s3cors.yaml:2:1:", "lisen"),
            ("upstream:\n  url: minio:9000\n", "s3cors.yaml:2:8:", "http://"),
            ("upstream:\n  timeouts:\n    conect: 3s\n", "s3cors.yaml:3:5:", "conect"),
            ("log: {level: loud}\n", "s3cors.yaml:1:14:", "loud"),
            ("shutdown: {drain: 25}\n", "s3cors.yaml:1:19:", "unit"),
            ("limits: {header_size: many}\n", "s3cors.yaml:1:23:", "64KiB"),
            ("upstream: {balance: random}\n", "s3cors.yaml:1:21:", "random"),
            ("upstream: {host: 'http://x'}\n", "s3cors.yaml:1:18:", "preserve"),
            ("upstream: {health_check: {interval: 0s}}\n", "s3cors.yaml:1:37:", "longer than 0"),
            ("upstream: {health_check: {path: x}}\n", "s3cors.yaml:1:33:", "begins with /"),
            ("threads: 0\n", "s3cors.yaml:1:10:", "at least one"),
            ("admin: [\n", "s3cors.yaml:", ""),
        ] {
            let message = error(text);
            assert!(message.starts_with(place) && message.contains(about), "{text:?}: {message}");
        }
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        for text in ["", "# nothing\n", "log: {}\n"] {
            assert!(ConfigFile::parse(text, Path::new("x")).is_ok(), "{text:?}");
        }
    }
}
