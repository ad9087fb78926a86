//! The reasons why there is no configuration.

use super::file_error::{ConfigFileError, ConfigFileErrors, is_in};
use std::fmt;
use std::net::SocketAddr;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is invalid.
    #[error(transparent)]
    File(#[from] ConfigFileError),
    /// No source names the S3 server.
    #[error(
        "no upstream: set the address of the S3 server with --upstream http://HOST:PORT, S3CORS_UPSTREAM or upstream.url in the file"
    )]
    NoUpstream,
    /// An upstream for everything, and several.
    #[error(
        "--upstream (or S3CORS_UPSTREAM) is the upstream of every bucket, and the file has upstreams or routes; leave one of them out"
    )]
    UpstreamBesideUpstreams,
    /// No upstream for the buckets without a route, or more than one.
    #[error("{why}")]
    DefaultUpstream {
        /// The reason, and the remedy.
        why: &'static str,
    },
    /// Origins to allow, and rules.
    #[error("--allow (or S3CORS_ALLOW) is one rule for every bucket, and {rules} names others; leave one of them out")]
    TwoRules {
        /// What names rules.
        rules: &'static str,
    },
    /// A source of rules without its settings, or settings of a source that is not used.
    #[error("rules.source: store and rules.store belong together; set both or neither")]
    HalfAStore,
    /// Rules that no one can write.
    #[error(
        "rules.api is on, and --allow (or S3CORS_ALLOW) leaves no place for the rules of a bucket; name a directory with rules.path"
    )]
    NoPlaceForRules,
    /// The drivers under both names of their key.
    #[error("drivers is here twice, once under its former name http1; remove http1")]
    TwoDrivers,
    /// A feature of our own drivers, without them.
    #[error("{setting} needs the drivers of s3cors, and drivers: pingora turns them off; leave one of them out")]
    NeedsOwnDrivers {
        /// The setting.
        setting: &'static str,
    },
    /// An upstream is a listener of this process.
    #[error(
        "the upstream {upstream} is s3cors itself, which listens on {address}: every request would come back; set the address of the S3 server"
    )]
    OwnListener {
        /// Its URL.
        upstream: String,
        /// The listener.
        address: SocketAddr,
    },
    /// Two listeners need the same port.
    #[error("cannot listen on {address}: the configuration also listens on {other}; use different ports")]
    AddressConflict {
        /// The later address.
        address: SocketAddr,
        /// The earlier one.
        other: SocketAddr,
    },
}

impl ConfigError {
    /// The settings that the error is about, as `upstream.url`; none where no setting can be read.
    #[must_use]
    pub fn settings(&self) -> Vec<&str> {
        match self {
            Self::File(ConfigFileError::Invalid { setting: Some(setting), .. }) => vec![setting],
            Self::File(_) => Vec::new(),
            Self::NoUpstream => vec!["upstream.url"],
            Self::UpstreamBesideUpstreams | Self::DefaultUpstream { .. } => vec!["upstream.url", "upstreams", "routes"],
            Self::TwoRules { .. } => vec!["rules.path", "rules.source"],
            Self::HalfAStore => vec!["rules.source", "rules.store"],
            Self::NoPlaceForRules => vec!["rules.api"],
            Self::TwoDrivers => vec!["drivers", "http1"],
            Self::NeedsOwnDrivers { .. } => {
                let own = [
                    "rules.api",
                    "presigned.head",
                    "upstream.host",
                    "upstreams",
                    "routes",
                    "hosts",
                    "signatures.heal",
                    "uploads",
                    "sign",
                    "grants",
                ];
                ["drivers", "http1"].into_iter().chain(own).collect()
            }
            Self::OwnListener { .. } => vec!["upstream.url", "listen", "admin"],
            Self::AddressConflict { .. } => vec!["listen", "admin"],
        }
    }

    /// Returns true if the error is about this setting, about all that is in it, or about a part of it.
    #[must_use]
    pub fn is_about(&self, setting: &str) -> bool {
        self.settings().into_iter().any(|own| is_in(own, setting) || is_in(setting, own))
    }

    /// Returns true if it is not known therefore where the rules are.
    #[must_use]
    pub fn hides_rules(&self) -> bool {
        ["rules.path", "rules.source", "rules.store"].into_iter().any(|setting| self.is_about(setting))
    }
}

/// Every reason why there is no configuration.
#[derive(Debug)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl From<ConfigFileErrors> for ConfigErrors {
    fn from(errors: ConfigFileErrors) -> Self {
        Self(errors.into_iter().map(ConfigError::File).collect())
    }
}
