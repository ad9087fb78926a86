//! The kinds of value that a setting can have, each of them parsed and checked in one place, for flags and file alike.

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

/// A value that is not valid: which, and what would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?}: {reason}")]
pub struct ValueError {
    value: String,
    reason: &'static str,
}

impl ValueError {
    pub(super) fn new(value: &str, reason: &'static str) -> Self {
        Self { value: value.to_owned(), reason }
    }
}

/// Which answers carry `Vary`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum VaryPolicy {
    /// Every answer of a bucket that has rules: right for every cache.
    #[default]
    Always,
    /// Only granted ones, as S3.
    Matched,
}

/// Whether a grant to a named origin includes credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CredentialsPolicy {
    /// As S3: whenever the answer is not `*`.
    #[default]
    S3,
    /// Never.
    Never,
}

impl From<CredentialsPolicy> for s3_cors::Credentials {
    fn from(policy: CredentialsPolicy) -> Self {
        match policy {
            CredentialsPolicy::S3 => Self::S3,
            CredentialsPolicy::Never => Self::Never,
        }
    }
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// One line of text.
    Text,
}

/// The least important level that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What has to be mended.
    Error,
    /// What may have to be.
    Warn,
    /// What happened, requests included.
    #[default]
    Info,
    /// What helps to find a fault; of the proxy itself, never of the library below, which would print signatures.
    Debug,
}

/// A length of time, written with its unit.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String")]
pub(super) struct Time(Duration);

impl TryFrom<String> for Time {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let parsed = humantime::parse_duration(&text);
        parsed.map(Self).map_err(|_| ValueError::new(&text, "a time has a unit: 500ms, 30s, 5m"))
    }
}

impl From<Time> for Duration {
    fn from(time: Time) -> Self {
        time.0
    }
}

/// A number of bytes, written with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String")]
pub struct Size(pub usize);

impl TryFrom<String> for Size {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let parsed = text.parse::<bytesize::ByteSize>().ok().and_then(|size| usize::try_from(size.as_u64()).ok());
        parsed.map(Self).ok_or_else(|| ValueError::new(&text, "a size has a unit: 512B, 64KiB, 1MiB"))
    }
}

/// A length of time that is not nothing.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String")]
pub(super) struct Interval(Duration);

impl TryFrom<String> for Interval {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let Time(time) = text.clone().try_into()?;
        if time.is_zero() { Err(ValueError::new(&text, "longer than 0")) } else { Ok(Self(time)) }
    }
}

impl From<Interval> for Duration {
    fn from(interval: Interval) -> Self {
        interval.0
    }
}

/// A number of threads: at least one.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "u16")]
pub(super) struct Threads(pub(super) usize);

impl TryFrom<u16> for Threads {
    type Error = ValueError;

    fn try_from(threads: u16) -> Result<Self, ValueError> {
        if threads == 0 { Err(ValueError::new("0", "at least one thread")) } else { Ok(Self(threads.into())) }
    }
}

/// A single value, or a list of them.
///
/// Not an untagged enum, whose error would say neither what is wrong nor with which element.
#[derive(Clone, Debug)]
pub(super) struct OneOrMany<T>(pub(super) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Values<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list of values")
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
                T::deserialize(value.into_deserializer()).map(|value| OneOrMany(vec![value]))
            }

            fn visit_map<A: MapAccess<'de>>(self, value: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(value)).map(|value| OneOrMany(vec![value]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(values)).map(OneOrMany)
            }
        }

        deserializer.deserialize_any(Values(PhantomData))
    }
}
