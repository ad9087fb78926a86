//! Why the proxy did not start.

use crate::config::{GrantKeyFileError, Rules, RulesSource, TokenFileError};
use crate::downstream::BindError;
use crate::exchange::NoRandomBytes;
use crate::process::handover::HandoverError;
use crate::rules::{SourceError, WatchError};
use crate::telemetry::MetricsError;
use crate::tls::TlsError;
use crate::upstream::HealthCheckError;
use std::path::PathBuf;

/// Why the proxy did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The listening sockets cannot pass from one process to the next.
    #[error(transparent)]
    Handover(#[from] HandoverError),
    /// The rules are not valid.
    #[error("the rules are not valid:\n{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Rules(Vec<SourceError>),
    /// There is nothing to read the rules from.
    #[error(
        "no rules: {0}; name a directory or a file with --rules, or allow origins without rules with --allow ORIGIN"
    )]
    NoRules(SourceError),
    /// There is one document for every bucket, and each is to have its own.
    #[error("rules.api is on, and {} is one document for every bucket; name a directory", .0.display())]
    OneDocument(PathBuf),
    /// The rules cannot be watched.
    #[error(transparent)]
    Watch(#[from] WatchError),
    /// Certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The certificates of a setting cannot be used.
    #[error("{setting}: {error}")]
    Certificates {
        /// The setting that names them.
        setting: &'static str,
        /// The reason.
        error: TlsError,
    },
    /// The admin listener has no token to compare with.
    #[error("admin.token_file: {0}")]
    Token(#[from] TokenFileError),
    /// There are no keys to sign grants with.
    #[error("grants.key_file: {0}")]
    GrantKeys(#[from] GrantKeyFileError),
    /// There is no random key to sign grants with.
    #[error(transparent)]
    NoGrantKey(#[from] NoRandomBytes),
    /// The metrics are not valid.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The upstreams cannot be checked.
    #[error(transparent)]
    HealthCheck(#[from] HealthCheckError),
}

/// Everything that a start failed of.
#[derive(Debug)]
pub struct ServeErrors(pub Vec<ServeError>);

impl<E: Into<ServeError>> From<E> for ServeErrors {
    fn from(error: E) -> Self {
        Self(vec![error.into()])
    }
}

impl ServeError {
    /// `rules` says where they should be.
    pub(super) fn of_rules(mut errors: Vec<SourceError>, rules: &Rules) -> Self {
        let place = (rules.source == RulesSource::Files).then(|| rules.path());
        match errors.pop() {
            Some(only) if errors.is_empty() && only.is_unreadable() && Some(only.path()) == place => {
                Self::NoRules(only)
            }
            last => Self::Rules(errors.into_iter().chain(last).collect()),
        }
    }
}
