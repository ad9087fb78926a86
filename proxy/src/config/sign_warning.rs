//! Warnings about `sign` and `grants`: what is legal, and may open more than was meant or have no effect.
//!
//! Decides by the configuration alone. A warning that needs the rules is made where they are known, with [`SignWarning::AnyPage`].

use super::upstream_credentials::UpstreamCredentials;
use super::{Config, KeyPrefix};
use std::fmt;

/// A warning about what is signed here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignWarning {
    /// A whole bucket is public.
    WholeBucket {
        /// The bucket.
        bucket: String,
    },
    /// Pages of every origin can read what is public.
    AnyPage {
        /// The bucket.
        bucket: String,
        /// The beginning of the public keys.
        prefix: KeyPrefix,
        /// True where the bucket has no rules of its own.
        is_by_default: bool,
    },
    /// Buckets whose playlists open folders.
    Playlists {
        /// The buckets, each once.
        buckets: Vec<String>,
    },
    /// Grants are configured, and no entry of `sign` has `when: granted`.
    UnusedGrants,
    /// Credentials are configured, and `sign` has no entry.
    UnusedCredentials,
}

impl SignWarning {
    /// The code that names it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WholeBucket { .. } => "WholeBucketPublic",
            Self::AnyPage { .. } => "AnyPageReads",
            Self::Playlists { .. } => "PlaylistOpensFolder",
            Self::UnusedGrants => "UnusedGrants",
            Self::UnusedCredentials => "UnusedCredentials",
        }
    }

    /// Returns true for what is good to know and no likely mistake.
    #[must_use]
    pub const fn is_note(&self) -> bool {
        matches!(self, Self::Playlists { .. })
    }
}

impl fmt::Display for SignWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WholeBucket { bucket } => write!(
                f,
                "sign: everyone who reaches this proxy can read the whole bucket {bucket}; name a prefix to open a part of it"
            ),
            Self::AnyPage { bucket, prefix, is_by_default } => {
                let what = match prefix.as_str() {
                    "" => format!("bucket {bucket}"),
                    prefix => format!("{prefix} of bucket {bucket}"),
                };
                let (rules, change) = match is_by_default {
                    true => ("the default rules", "give the bucket rules of its own that name the origins"),
                    false => ("its rules", "name the origins there"),
                };
                write!(
                    f,
                    "sign: everyone can read {what}, and {rules} allow every origin: any page can read it through its visitor's network; \
                     {change}"
                )
            }
            Self::Playlists { buckets } => write!(
                f,
                "sign: in {}, anyone who can choose the key of an object can name it like a playlist, and its presigned URL then opens \
                 its whole folder; let no reader choose keys there",
                buckets.join(", ")
            ),
            Self::UnusedGrants => f.write_str("grants has no effect: no entry of sign has when: granted"),
            Self::UnusedCredentials => f.write_str("upstream.credentials has no effect: sign has no entry"),
        }
    }
}

impl Config {
    /// The warnings about `sign` and `grants` that need no rules.
    #[must_use]
    pub fn sign_warnings(&self) -> Vec<SignWarning> {
        let whole = self.sign.iter().filter(|entry| entry.is_public() && entry.prefix.is_whole_bucket());
        let mut warnings: Vec<_> =
            whole.map(|entry| SignWarning::WholeBucket { bucket: entry.bucket.clone() }).collect();
        let granted = self.sign.iter().filter(|entry| !entry.is_public());
        let mut buckets: Vec<_> = granted.map(|entry| entry.bucket.clone()).collect();
        buckets.sort();
        buckets.dedup();
        warnings.extend(match (buckets.is_empty(), self.has_grants_key) {
            (false, _) => Some(SignWarning::Playlists { buckets }),
            (true, true) => Some(SignWarning::UnusedGrants),
            (true, false) => None,
        });
        let has_credentials =
            self.all_upstreams().any(|settings| settings.credentials != UpstreamCredentials::default());
        warnings.extend((self.sign.is_empty() && has_credentials).then_some(SignWarning::UnusedCredentials));
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigFile, Flags};
    use std::path::Path;

    #[test]
    fn what_opens_more_than_was_meant_or_nothing_is_warned_of() {
        for (text, expected) in [
            ("", &[][..]),
            ("sign: {bucket: site, prefix: docs/}\n", &[]),
            (
                "sign: {bucket: site}\n",
                &["WholeBucketPublic: sign: everyone who reaches this proxy can read the whole bucket site"],
            ),
            (
                "sign: [{bucket: site}, {bucket: photos, prefix: a/}, {bucket: films}]\n",
                &[
                    "WholeBucketPublic: sign: everyone who reaches this proxy can read the whole bucket site",
                    "WholeBucketPublic: sign: everyone who reaches this proxy can read the whole bucket films",
                ],
            ),
            (
                "sign: [{bucket: films, when: granted}, {bucket: films, prefix: a/, when: granted}, {bucket: b-1, when: granted}]\n",
                &["PlaylistOpensFolder: sign: in b-1, films, anyone who can choose the key"],
            ),
            ("sign: {bucket: films, when: granted}\ngrants: {ttl: 5m}\n", &["PlaylistOpensFolder: "]),
            ("grants: {}\n", &["UnusedGrants: grants has no effect"]),
            ("grants: {ttl: 1h}\nsign: {bucket: site, prefix: docs/}\n", &["UnusedGrants: "]),
            ("grants:\n", &[]),
            ("upstream: {credentials: {profile: x}}\n", &["UnusedCredentials: upstream.credentials has no effect"]),
            ("upstream: {credentials: {region: x}}\nsign: {bucket: site, prefix: docs/}\n", &[]),
        ] {
            let file = ConfigFile::parse(text, Path::new("f")).unwrap();
            let warnings = Config::merge(Flags::default(), file).0.sign_warnings();
            let said: Vec<_> = warnings.iter().map(|warning| format!("{}: {warning}", warning.code())).collect();
            assert_eq!(said.len(), expected.len(), "{text:?}: {said:#?}");
            assert!(
                said.iter().zip(expected).all(|(said, expected)| said.starts_with(expected)),
                "{text:?}: {said:#?}"
            );
            for warning in &warnings {
                assert_eq!(warning.is_note(), warning.code() == "PlaylistOpensFolder", "{warning}");
            }
        }
    }
}
