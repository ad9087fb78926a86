//! Where the rules are, by the flags and the file together, and who may write them.

use super::api::{RefusedWarning, RulesApi, UnsignedPayload};
use super::fields::{As, OneOrMany, OptionalSection, OrDefault};
use super::paths::FilePath;
use super::rules_store::{RulesSource, RulesStore};
use super::values::Interval;
use super::{ConfigError, Flags};
use s3_cors::WarningCode;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the rules are.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// A directory with one document per bucket, or one document for every bucket.
    #[serde(with = "As::<FilePath>")]
    pub path: Option<PathBuf>,
    /// How often the source is looked at, for files in addition to file system notifications.
    #[serde(with = "As::<Interval>")]
    pub poll: Duration,
    /// A candidate set, which is compared with the live one and decides nothing.
    #[serde(with = "As::<FilePath>")]
    pub shadow: Option<PathBuf>,
    /// Where documents come from.
    #[serde(with = "OrDefault::<RulesSource>")]
    pub source: RulesSource,
    /// The bucket that holds them.
    #[serde(with = "OptionalSection::<RulesStore>")]
    pub store: Option<RulesStore>,
    /// Whether the operations on a bucket's CORS are served from the rules where the upstream has none.
    #[serde(with = "OrDefault::<RulesApi>")]
    pub api: RulesApi,
    /// Which writes may have a body that their signature does not cover.
    #[serde(with = "OrDefault::<UnsignedPayload>")]
    pub unsigned_payload: UnsignedPayload,
    /// A write whose document has one of these warnings is refused.
    #[serde(with = "OrDefault::<OneOrMany<RefusedWarning>>")]
    pub(super) refuse: OneOrMany<RefusedWarning>,
}

impl Rules {
    /// Where they are, if nothing says so.
    const DEFAULT_PATH: &str = "conf/rules";

    /// Where they are.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or_else(|| Path::new(Self::DEFAULT_PATH))
    }

    /// The warnings for which a write is refused.
    pub fn refused(&self) -> impl Iterator<Item = WarningCode> {
        self.refuse.0.iter().copied().map(RefusedWarning::code)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            path: None,
            poll: Duration::from_millis(500),
            shadow: None,
            source: RulesSource::Files,
            store: None,
            api: RulesApi::default(),
            unsigned_payload: UnsignedPayload::default(),
            refuse: OneOrMany::default(),
        }
    }
}

/// The settings of the rules, and everything that is wrong with them.
pub(super) fn merge(flags: &Flags, file: Rules) -> (Rules, Vec<ConfigError>) {
    let mut errors: Vec<_> = two_rules(flags, &file).into_iter().collect();
    if (file.source == RulesSource::Store) != file.store.is_some() {
        errors.push(ConfigError::HalfAStore);
    }
    if file.api == RulesApi::On && !flags.allow.is_empty() {
        errors.push(ConfigError::NoPlaceForRules);
    }
    let named = flags.rules.clone().or_else(|| file.path.clone());
    let path = match file.source {
        RulesSource::Files => Some(named.unwrap_or_else(|| file.path().to_owned())),
        // Rules from elsewhere have a copy on disk only where someone says where.
        RulesSource::Upstream | RulesSource::Store => named,
    };
    (Rules { path, ..file }, errors)
}

/// Refuses rules beside the origins that are allowed instead of them.
fn two_rules(flags: &Flags, file: &Rules) -> Option<ConfigError> {
    let rules = match (&flags.rules, &file.path) {
        _ if flags.allow.is_empty() => return None,
        (Some(_), _) => "--rules (or S3CORS_RULES)",
        (None, Some(_)) => "rules.path in the file",
        (None, None) if file.source != RulesSource::Files => "rules.source in the file",
        (None, None) => return None,
    };
    Some(ConfigError::TwoRules { rules })
}

#[cfg(test)]
mod tests {
    use super::super::{Config, ConfigFile};
    use super::*;
    use std::path::Path;

    #[test]
    fn origins_are_allowed_instead_of_rules() {
        let file = |text| ConfigFile::parse(text, "x".as_ref()).unwrap();
        let flags = |rules: Option<&str>| Flags {
            allow: vec!["*".parse().unwrap()],
            rules: rules.map(Into::into),
            ..Flags::default()
        };
        for (flags, text, named) in [
            (flags(None), "", None),
            (flags(None), "rules: {poll: 1s}", None),
            (Flags::default(), "rules: {path: rules}", None),
            (flags(Some("rules")), "", Some("--rules (or S3CORS_RULES)")),
            (flags(None), "rules: {path: conf/rules}", Some("rules.path in the file")),
            (flags(None), "rules: {source: upstream}", Some("rules.source in the file")),
        ] {
            let error = two_rules(&flags, &file(text).rules).map(|error| error.to_string());
            assert_eq!(error.is_some(), named.is_some(), "{text:?}: {error:?}");
            assert!(named.is_none_or(|named| error.unwrap().contains(named)), "{text:?}");
        }
    }

    #[test]
    fn rules_in_a_store_have_no_path_unless_someone_says_where_their_copy_is() {
        let merge = |text: &str| {
            let file = ConfigFile::parse(&format!("upstream: http://127.0.0.1:9000\n{text}"), "x".as_ref()).unwrap();
            Config::merge(Flags::default(), file)
        };
        for (text, path, is_valid) in [
            ("", Some("conf/rules"), true),
            ("rules: {source: upstream}", None, true),
            ("rules: {source: store, store: {bucket: rules}}", None, true),
            ("rules: {source: store, store: {bucket: rules}, path: copy}", Some("copy"), true),
            ("rules: {source: store}", None, false),
            ("rules: {store: {bucket: rules}}", Some("conf/rules"), false),
        ] {
            let (config, errors) = merge(text);
            assert_eq!(config.rules.path.as_deref(), path.map(Path::new), "{text}");
            assert_eq!(errors.is_empty(), is_valid, "{text}: {errors:?}");
        }
    }
}
