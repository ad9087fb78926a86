//! The names that an upstream sees as `Host`: those that clients sign for.

use super::fields::OneOrMany;
use super::values::ValueError;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::str::FromStr;

/// A name that an upstream sees as `Host`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "`preserve`, or a name with or without a port."))]
#[serde(try_from = "String")]
pub enum UpstreamHost {
    /// The client's own: the client signs it.
    #[default]
    Preserve,
    /// Always this one.
    Name(String),
}

impl UpstreamHost {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(one), Self::Name(other)) => one.eq_ignore_ascii_case(other),
            _ => self == other,
        }
    }
}

impl fmt::Display for UpstreamHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Preserve => "preserve",
            Self::Name(name) => name,
        })
    }
}

impl FromStr for UpstreamHost {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text == "preserve" {
            return Ok(Self::Preserve);
        }
        let authority = text.parse::<http::uri::Authority>().ok().filter(|authority| !authority.as_str().contains('@'));
        let is_host = authority.is_some_and(|authority| !authority.host().is_empty());
        let invalid = || ValueError::new(text, "a host is preserve, or a name with or without a port");
        is_host.then(|| Self::Name(text.to_owned())).ok_or_else(invalid)
    }
}

impl TryFrom<String> for UpstreamHost {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

/// The names that an upstream sees as `Host`, in the order in which they are tried: those that clients sign for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamHosts(Vec<UpstreamHost>);

impl UpstreamHosts {
    /// The names; at least one.
    #[must_use]
    pub fn as_slice(&self) -> &[UpstreamHost] {
        &self.0
    }
}

impl Default for UpstreamHosts {
    fn default() -> Self {
        Self(vec![UpstreamHost::Preserve])
    }
}

impl<'de> Deserialize<'de> for UpstreamHosts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let OneOrMany(names) = OneOrMany::<UpstreamHost>::deserialize(deserializer)?;
        let is_repeated = |(at, name): (usize, &UpstreamHost)| names.iter().take(at).any(|other| other.is_same(name));
        if names.is_empty() {
            return Err(D::Error::custom("an empty list; leave the key out for its default"));
        }
        match names.iter().enumerate().find(|each| is_repeated(*each)) {
            Some((_, name)) => Err(D::Error::custom(format_args!("{name} is there twice; each name is tried once"))),
            None => Ok(Self(names)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_host_is_a_name_with_or_without_a_port() {
        assert_eq!("preserve".parse(), Ok(UpstreamHost::Preserve));
        for text in ["minio", "minio:9000", "s3.example.test", "[::1]:9000", "10.0.0.1"] {
            assert_eq!(text.parse(), Ok(UpstreamHost::Name(text.to_owned())));
        }
        for text in ["", ":9000", "http://minio", "a b", "user@minio", "minio/x"] {
            assert!(text.parse::<UpstreamHost>().is_err(), "{text}");
        }
    }
}
