//! Grants: what a presigned URL of a playlist opens, and for how long.
//!
//! Decides: which values are valid. Must not know: what a token looks like.

use super::fields::{As, OneOrMany, Section};
use super::number::Levels;
use super::paths::RequiredPath;
use super::values::{Time, ValueError};
use crate::s3::key_pattern::KeyPattern;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::path::PathBuf;
use std::time::Duration;

/// The settings of grants: the part of a bucket that a presigned URL of a playlist opens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Grants {
    /// The longest life of a grant, which ends with its URL if that ends earlier.
    #[serde(with = "As::<GrantLife>")]
    pub ttl: Duration,
    /// The file with the keys that sign grants; without it, the process has a random key.
    #[serde(with = "RequiredPath")]
    pub key_file: Option<PathBuf>,
    /// The keys of playlists; at least one pattern.
    #[serde(rename = "for", with = "As::<Playlists>")]
    pub patterns: Vec<KeyPattern>,
    /// The number of folders above its own that a playlist opens, within the prefix of the entry of `sign`.
    #[serde(with = "As::<Levels>")]
    pub up: usize,
}

impl Default for Grants {
    fn default() -> Self {
        Self { ttl: Duration::from_secs(3600), key_file: None, patterns: Playlists::default().into(), up: 0 }
    }
}

impl Section for Grants {
    const NAME: &'static str = "grants";
    const KEY: &'static str = "ttl";
}

/// The life of a grant. No presigned URL lives longer than seven days (S3 API, SigV4 query parameters, `X-Amz-Expires`).
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A duration with its unit, at most 7 days."))]
#[serde(try_from = "String")]
struct GrantLife(#[cfg_attr(test, schemars(with = "String"))] Duration);

impl GrantLife {
    const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
}

impl TryFrom<String> for GrantLife {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let life = Duration::from(Time::try_from(text.clone())?);
        match life {
            // A token has whole seconds.
            _ if life < Duration::from_secs(1) => Err(ValueError::new(&text, "must be at least 1s")),
            _ if life > Self::LONGEST => {
                Err(ValueError::new(&text, "must be at most 7days, the longest life of a presigned URL"))
            }
            _ => Ok(Self(life)),
        }
    }
}

impl From<GrantLife> for Duration {
    fn from(GrantLife(life): GrantLife) -> Self {
        life
    }
}

/// The patterns of the keys of playlists.
#[derive(Clone, Debug)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Playlists(OneOrMany<KeyPattern>);

impl Default for Playlists {
    /// The playlists of HLS (RFC 8216 §4) and DASH (ISO/IEC 23009-1, annex C).
    #[expect(clippy::expect_used, reason = "both have text besides the `*`, as the test of the defaults shows")]
    fn default() -> Self {
        let pattern = |text: &str| KeyPattern::try_from(text.to_owned()).expect("a pattern with text of its own");
        Self(OneOrMany(["*.m3u8", "*.mpd"].map(pattern).into()))
    }
}

impl<'de> Deserialize<'de> for Playlists {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let patterns = OneOrMany::<KeyPattern>::deserialize(deserializer)?;
        match patterns.0.is_empty() {
            true => Err(D::Error::custom("an empty list; leave the key out for its default")),
            false => Ok(Self(patterns)),
        }
    }
}

impl From<Playlists> for Vec<KeyPattern> {
    fn from(Playlists(OneOrMany(patterns)): Playlists) -> Self {
        patterns
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigFile, Flags};
    use std::path::Path;

    fn read(text: &str) -> Result<Grants, String> {
        let file = ConfigFile::parse(text, Path::new("f")).map_err(|errors| errors.to_string())?;
        Ok(Config::merge(Flags::default(), file).0.grants)
    }

    fn patterns(texts: &[&str]) -> Vec<KeyPattern> {
        texts.iter().map(|text| KeyPattern::try_from((*text).to_owned()).unwrap()).collect()
    }

    #[test]
    fn what_is_left_out_of_grants_has_its_default() {
        let default =
            Grants { ttl: Duration::from_secs(3600), key_file: None, patterns: patterns(&["*.m3u8", "*.mpd"]), up: 0 };
        for (text, expected) in [
            ("", default.clone()),
            ("grants:\n", default.clone()),
            ("grants: {}\n", default.clone()),
            ("grants: {ttl: 7days}\n", Grants { ttl: Duration::from_secs(604_800), ..default.clone() }),
            ("grants: {ttl: 1s, up: 8}\n", Grants { ttl: Duration::from_secs(1), up: 8, ..default.clone() }),
            ("grants: {key_file: k}\n", Grants { key_file: Some("k".into()), ..default.clone() }),
            ("grants: {for: '*.m3u8'}\n", Grants { patterns: patterns(&["*.m3u8"]), ..default.clone() }),
            (
                "grants: {for: ['*.m3u8', v/*.json]}\n",
                Grants { patterns: patterns(&["*.m3u8", "v/*.json"]), ..default },
            ),
        ] {
            assert_eq!(read(text).as_ref(), Ok(&expected), "{text:?}");
        }
    }

    #[test]
    fn every_error_about_grants_has_its_place() {
        for (text, said) in [
            ("grants: 1h\n", "f:1:9: grants is an object; write `grants: {ttl: 1h}`"),
            ("grants: {ttl: 0s}\n", "f:1:15: grants.ttl: \"0s\": must be at least 1s"),
            ("grants: {ttl: 10ms}\n", "f:1:15: grants.ttl: \"10ms\": must be at least 1s"),
            ("grants: {ttl: 8days}\n", "f:1:15: grants.ttl: \"8days\": must be at most 7days"),
            ("grants: {ttl: 3600}\n", "f:1:15: grants.ttl: \"3600\": a time has a unit: 3600ms, 3600s"),
            ("grants: {up: 9}\n", "f:1:14: grants.up: \"9\": must be at most 8"),
            ("grants: {up: -1}\n", "f:1:14: grants.up: \"-1\": must be at least 0"),
            ("grants: {for: []}\n", "grants.for: an empty list; leave the key out"),
            ("grants: {for: }\n", "grants.for: no value; leave the key out"),
            ("grants: {for: '*'}\n", "f:1:15: grants.for: \"*\": this matches every key"),
            ("grants: {for: ['*.mpd', '']}\n", "f:1:25: grants.for[1]: \"\": an empty pattern matches no key"),
            ("grants: {key_file: ''}\n", "f:1:20: grants.key_file: \"\": an empty path"),
            ("grants: {key_file: }\n", "grants.key_file: no value; leave the key out"),
            ("grants: {keyfile: k}\n", "f:1:10: grants: unknown field `keyfile`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }
}
