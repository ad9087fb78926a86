//! The configuration file: YAML. An unknown key is an error with its place.

use super::admin::AdminListener;
use super::fields::{OneOrMany, OrDefault, SectionOrDefault};
use super::forwarded::ForwardedSection;
use super::hosts::{BucketHost, BucketHosts};
use super::listen::Listener;
use super::message::message;
use super::rules::Rules;
use super::settings::{Cors, Limits, Log, Metrics, Observe, Presigned, Shutdown};
use super::upstream_section::{UpstreamConfig, UpstreamOrUrls};
use super::values::{Drivers, Threads};
use crate::s3::domain::Domain;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The configuration file. A missing key has its default.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ConfigFile {
    #[serde(with = "OrDefault::<OneOrMany<Listener>>")]
    pub(super) listen: OneOrMany<Listener>,
    pub(super) admin: Option<AdminListener>,
    #[serde(with = "UpstreamOrUrls")]
    pub(super) upstream: UpstreamConfig,
    #[serde(with = "OrDefault::<OneOrMany<Domain>>")]
    pub(super) domains: OneOrMany<Domain>,
    #[serde(with = "OrDefault::<BTreeMap<Domain, BucketHost>>")]
    pub(super) hosts: BTreeMap<Domain, BucketHost>,
    #[serde(with = "SectionOrDefault::<ForwardedSection>")]
    pub(super) forwarded: ForwardedSection,
    #[serde(with = "SectionOrDefault::<Rules>")]
    pub(super) rules: Rules,
    #[serde(with = "SectionOrDefault::<Cors>")]
    pub(super) cors: Cors,
    #[serde(with = "SectionOrDefault::<Presigned>")]
    pub(super) presigned: Presigned,
    #[serde(with = "SectionOrDefault::<Limits>")]
    pub(super) limits: Limits,
    #[serde(with = "SectionOrDefault::<Log>")]
    pub(super) log: Log,
    #[serde(with = "SectionOrDefault::<Shutdown>")]
    pub(super) shutdown: Shutdown,
    pub(super) drivers: Option<Drivers>,
    /// The former name of `drivers`.
    #[cfg_attr(test, schemars(skip))]
    pub(super) http1: Option<Drivers>,
    pub(super) threads: Option<Threads>,
    #[serde(with = "SectionOrDefault::<Metrics>")]
    pub(super) metrics: Metrics,
    #[serde(with = "SectionOrDefault::<Observe>")]
    pub(super) observe: Observe,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Its content is invalid.
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

    /// Where the rules are.
    #[must_use]
    pub fn rules_path(&self) -> PathBuf {
        self.rules.path().to_owned()
    }

    /// The `cors` settings.
    #[must_use]
    pub const fn cors(&self) -> Cors {
        self.cors
    }

    /// The domains whose subdomains are buckets.
    #[must_use]
    pub fn domains(&self) -> &[Domain] {
        &self.domains.0
    }

    /// The hosts that are a bucket's name.
    #[must_use]
    pub fn hosts(&self) -> BucketHosts {
        self.hosts.clone().into()
    }

    /// The listeners in the file; empty for the default one.
    #[must_use]
    pub fn listeners(&self) -> Vec<Listener> {
        self.listen.0.clone()
    }

    /// The admin listener.
    #[must_use]
    pub fn admin(&self) -> AdminListener {
        self.admin.clone().unwrap_or_default()
    }

    /// Parses the text of a file. The path is only for the error.
    ///
    /// # Errors
    /// [`ConfigFileError::Invalid`], with line and column.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigFileError> {
        // To YAML all ends of lines are the same (YAML 1.2.2 §5.4). The parser's errors differ with them.
        let text = text.replace("\r\n", "\n");
        // A file without a value (empty, or only comments) is null in YAML: all defaults.
        let invalid =
            |(line, column), message| ConfigFileError::Invalid { path: path.to_owned(), line, column, message };
        let file = serde_saphyr::from_str::<Option<Self>>(&text).map(Option::unwrap_or_default).map_err(|error| {
            // The parser knows no place for a file that is truncated or not YAML at all: then the file as a whole is wrong.
            let place = error.location().map_or((1, 1), |place| (place.line(), place.column()));
            invalid(place, message(&error))
        })?;
        match file.upstream.contradiction() {
            Some((place, message)) => Err(invalid(place, message)),
            None => Ok(file),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        ConfigFile::parse(text, Path::new("s3cors.yaml")).unwrap_err().to_string()
    }

    #[test]
    fn every_error_has_its_place() {
        for (text, place, about) in [
            ("admin: 127.0.0.1:1\nlisen: 127.0.0.1:2\n", "s3cors.yaml:2:1:", "lisen"),
            ("upstream:\n  url: minio:9000\n", "s3cors.yaml:2:8:", "http://"),
            ("upstream: minio:9000\n", "s3cors.yaml:1:11:", "http://"),
            ("upstream:\n- http://minio\n- minio\n", "s3cors.yaml:3:3:", "http://"),
            ("upstream: {url: 'http://minio{1...4}:9000'}\n", "s3cors.yaml:1:17:", "list them one by one"),
            ("upstream: unix:/run/minio.sock\n", "s3cors.yaml:1:11:", "Unix socket"),
            ("listen: unix:/run/s3cors.sock\n", "s3cors.yaml:1:9:", "Unix socket"),
            // Of a number the parser gives the place of its key.
            ("admin: ':1'\nlisten: 8080\n", "s3cors.yaml:2:", ":PORT for all"),
            ("admin: ':1'\nlimits: 5\n", "s3cors.yaml:2:", "object"),
            ("log: debug\n", "s3cors.yaml:1:6:", "object"),
            ("threads: 1\nthreads: 2\n", "s3cors.yaml:2:1:", "twice"),
            ("upstream:\n  timeouts:\n    conect: 3s\n", "s3cors.yaml:3:5:", "conect"),
            ("log: {level: loud}\n", "s3cors.yaml:1:14:", "loud"),
            ("shutdown: {drain: 25}\n", "s3cors.yaml:1:19:", "unit"),
            ("limits: {header_size: many}\n", "s3cors.yaml:1:23:", "64KiB"),
            ("upstream: {balance: random}\n", "s3cors.yaml:1:21:", "random"),
            ("presigned: {head: by-get}\n", "s3cors.yaml:1:19:", "as_signed, by_get"),
            ("upstream: {host: 'http://x'}\n", "s3cors.yaml:1:18:", "preserve"),
            ("upstream: {health_check: {interval: 0s}}\n", "s3cors.yaml:1:37:", "longer than 0"),
            ("upstream: {health_check: {path: x}}\n", "s3cors.yaml:1:33:", "begins with /"),
            ("threads: 0\n", "s3cors.yaml:1:10:", "at least one"),
            ("limits: {connections: }\n", "s3cors.yaml:1:21:", "leave the key out"),
            ("limits:\n  header_size:\n", "s3cors.yaml:2:14:", "leave the key out"),
            ("rules: {path: ~}\n", "s3cors.yaml:1:15:", "leave the key out"),
            ("admin: [\n", "s3cors.yaml:", ""),
        ] {
            let message = error(text);
            assert!(message.starts_with(place) && message.contains(about), "{text:?}: {message}");
        }
    }

    #[test]
    fn a_message_is_whole() {
        for (text, message) in [
            ("drivers: a at line 2\n", "unknown variant `a at line 2`, expected one of own, pingora"),
            ("threads: 1\nthreads: 2\n", "threads is here twice; remove one"),
            ("log:\n  level: info\n  level: warn\n", "level is here twice; remove one"),
            ("rules: {path: &a x}\nlog: *a\n", "log is an object; write `log: {level: x}`"),
            ("log: debug\n", "log is an object; write `log: {level: debug}`"),
            ("rules: ./rules\n", "rules is an object; write `rules: {path: ./rules}`"),
            ("rules: https://user:5ECRET@host\n", "rules is an object; write `rules: {path: https://...@host}`"),
            ("limits: 5\n", "limits is an object; write `limits: {connections: 5}`"),
            ("shutdown: [25s]\n", "invalid type: sequence, expected an object, such as `shutdown: {drain: ...}`"),
            ("upstream: {tls: true}\n", "tls is an object; write `tls: {ca_file: true}`"),
            ("upstream: {timeouts: 3s}\n", "timeouts is an object; write `timeouts: {connect: 3s}`"),
            ("upstream: {keepalive: 3}\n", "keepalive is an object; write `keepalive: {connections: 3}`"),
            ("upstream: {health_check: /x}\n", "health_check is an object; write `health_check: {path: /x}`"),
            ("listen: {address: ':1', tls: x}\n", "tls is an object; write `tls: {certificate: x}`"),
            ("debug\n", "settings are expected here, each as `key: value`"),
            (
                "upstream: 9000\n",
                "invalid type: integer `9000`, expected a URL, a list of URLs, or an object with the key `url`",
            ),
        ] {
            assert!(error(text).ends_with(&format!(": {message}")), "{text:?}: {}", error(text));
        }
    }

    #[test]
    fn an_upstream_is_also_just_its_url_or_a_list_of_them() {
        for (text, urls) in [
            ("upstream: http://minio:9000\n", &["http://minio:9000"][..]),
            ("upstream: [http://a, 'https://b']\n", &["http://a:80", "https://b:443"]),
            ("upstream:\n  url: http://minio:9000\n", &["http://minio:9000"]),
            ("upstream:\n", &[]),
        ] {
            let file = ConfigFile::parse(text, Path::new("x")).unwrap();
            let read: Vec<_> = file.upstream.url.0.iter().map(ToString::to_string).collect();
            assert_eq!(read, urls, "{text:?}");
        }
    }

    #[test]
    fn a_message_shows_no_password() {
        for (setting, shown) in [
            ("url: 'http://user:5ECRET@minio:9000'", "\"http://...@minio:9000\": an upstream has no user"),
            ("url: 'https://user:5ECRET@5ECRET@minio'", "\"https://...@minio\""),
            ("url: 'http://user:5ECRET/:5ECRET@'", "\"http://...@\""),
            ("url: 'user:5ECRET@minio'", "\"...@minio\""),
            ("url: ['http://a', 'ftp://5ECRET@b']", "\"...@b\""),
            ("host: 'user:5ECRET@minio'", "\"...@minio\""),
            ("tls: {server_name: 'https://5ECRET@minio'}", "\"https://...@minio\""),
        ] {
            let message = error(&format!("upstream: {{{setting}}}"));
            assert!(message.contains(shown) && !message.contains("5ECRET"), "{message}");
        }
    }

    #[test]
    fn a_value_that_can_only_be_a_mistake_is_an_error() {
        for (section, key, value, about) in [
            ("rules", "poll", "0s", "longer than 0"),
            ("limits", "connections", "0", "at least 1"),
            ("limits", "header_size", "0B", "more than 0"),
            ("limits", "bodies", "0B", "more than 0"),
            ("limits", "interim", "0", "at least 1"),
            ("limits", "response_head", "0B", "more than 0"),
            ("limits", "header_read", "0s", "longer than 0"),
            ("limits", "idle", "0s", "longer than 0"),
            ("limits", "body_read", "0s", "longer than 0"),
            ("limits", "body_write", "0ms", "longer than 0"),
            ("upstream: {timeouts", "connect", "0s", "longer than 0"),
            ("upstream: {timeouts", "read", "0s", "longer than 0"),
            ("upstream: {timeouts", "write", "0s", "longer than 0"),
            ("upstream: {keepalive", "idle", "0s", "longer than 0"),
            ("upstream: {keepalive", "user_timeout", "0s", "longer than 0"),
            ("upstream: {keepalive", "user_timeout", "59s", "shorter than timeouts.write (60s)"),
            (
                "upstream: {timeouts: {write: 5s}, keepalive",
                "user_timeout",
                "4900ms",
                "shorter than timeouts.write (5s)",
            ),
            ("limits", "upstream_connections", "0", "at least 1"),
        ] {
            let before = format!("{section}: {{{key}: ");
            let text = format!("{before}{value}}}{}\n", if section.contains('{') { "}" } else { "" });
            let message = error(&text);
            let place = format!("s3cors.yaml:1:{}: ", before.len() + 1);
            assert!(message.starts_with(&place) && message.contains(about), "{text:?}: {message}");
        }
    }

    #[test]
    fn zero_is_legal_where_it_turns_something_off() {
        for text in [
            "upstream: {keepalive: {connections: 0}}",
            "metrics: {buckets: 0, rejected_origins: 0}",
            "observe: {recent: 0}",
            "shutdown: {drain: 0s, delay: 0s}",
        ] {
            assert!(ConfigFile::parse(text, Path::new("x")).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        for text in [
            "",
            "# a comment\n",
            "log: {}\n",
            "log:\n",
            "upstream:\n  tls:\n  timeouts:\n",
            "listen:\n",
            "threads:\n",
            "cors: {vary: }\n",
        ] {
            assert!(ConfigFile::parse(text, Path::new("x")).is_ok(), "{text:?}");
        }
    }
}
