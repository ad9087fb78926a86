//! Upstreams with names: the entries of `upstreams`.

use super::upstream_section::{UpstreamConfig, UpstreamOrUrls};
use super::values::ValueError;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::sync::Arc;

/// The name of an upstream: a metric's label, and a word in logs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A name of letters, digits, - and _."))]
#[serde(try_from = "String")]
pub struct UpstreamName(pub(super) String);

impl TryFrom<String> for UpstreamName {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        match (1..=63).contains(&text.len()) && text.bytes().all(is_plain) {
            true => Ok(Self(text)),
            false => Err(ValueError::new(
                &text,
                "an upstream is named with 1 to 63 letters, digits, hyphens and underscores",
            )),
        }
    }
}

impl fmt::Display for UpstreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The settings of an upstream in `upstreams`, written as `upstream` is.
#[derive(Clone, Debug)]
pub(super) struct UpstreamEntry(pub(super) UpstreamConfig);

impl<'de> Deserialize<'de> for UpstreamEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let settings = UpstreamOrUrls::deserialize(deserializer)?;
        if settings.urls().is_empty() {
            return Err(D::Error::custom("no URL; write NAME: http://HOST:PORT, or NAME: {url: http://HOST:PORT}"));
        }
        Ok(Self(settings))
    }
}

/// An upstream with its name.
#[derive(Clone, Debug)]
pub struct NamedUpstream {
    /// The name in `upstreams`; `None` for the only upstream, which needs none.
    pub name: Option<Arc<str>>,
    /// The settings.
    pub settings: UpstreamConfig,
}
