//! The value types of settings. Each is parsed and checked in one place, for flags and file alike.
//!
//! In the schema a value type has a title, which the reference shows as what the key takes.

use crate::s3::as_written::as_written;
use crate::s3::domain::{InvalidDomain, without_user};
use serde::Deserialize;
use std::borrow::Cow;
use std::time::Duration;

/// An invalid value, without a user and password that a URL has, and the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?}: {reason}")]
pub struct ValueError {
    value: String,
    reason: Cow<'static, str>,
}

impl From<InvalidDomain> for ValueError {
    fn from(InvalidDomain { value, reason }: InvalidDomain) -> Self {
        Self { value, reason: reason.into() }
    }
}

impl ValueError {
    pub(super) fn new(value: &str, reason: impl Into<Cow<'static, str>>) -> Self {
        let shown = without_user(value);
        let reason = match as_written(value, &shown) {
            Some(words) => words.into(),
            None if value.eq_ignore_ascii_case("auto") => {
                format!("{}; there is no auto: leave the key out for its default", reason.into()).into()
            }
            None => reason.into(),
        };
        Self { value: shown, reason }
    }
}

/// Reads the origin of a page, of which an explanation shows every byte.
///
/// # Errors
/// [`ValueError`] where it has what may be a password.
pub fn page_origin(text: &str) -> Result<String, ValueError> {
    let is_secret = without_user(text) != text;
    if is_secret { Err(ValueError::new(text, "an origin is scheme, host and port alone")) } else { Ok(text.to_owned()) }
}

/// A setting that is on or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// Nothing is done.
    #[default]
    Off,
    /// The setting's effect is there.
    On,
}

impl Switch {
    /// Returns true where it is done.
    #[must_use]
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

/// The fate of an `Origin` that the request does not sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum UpstreamOrigin {
    /// Upstreams do not see it: CORS is decided here, and an upstream may refuse a request for it.
    #[default]
    Drop,
    /// Upstreams see it.
    Preserve,
}

/// Which responses carry `Vary`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum VaryPolicy {
    /// Every response of a bucket that has rules: correct for every cache.
    #[default]
    Always,
    /// Only responses that grant access, as S3 does.
    Matched,
}

/// Whether the rules decide who may read the times of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TimingAllowOrigin {
    /// They do not: what the upstream says passes.
    #[default]
    Off,
    /// The origin of a grant may, and no other.
    Granted,
}

/// Which `Cross-Origin-Resource-Policy` the responses of buckets with rules carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ResourcePolicy {
    /// None of ours: what the upstream says passes.
    #[default]
    Off,
    /// `cross-origin`: every page may embed them.
    CrossOrigin,
}

/// Whether a grant to a named origin includes credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CredentialsPolicy {
    /// As S3 does: with every grant that is not to `*`.
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

/// What becomes of a HEAD request on a presigned URL that the upstream rejects with 403.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PresignedHead {
    /// The client gets the 403, as from S3.
    #[default]
    AsSigned,
    /// The upstream is asked for the first byte with GET, and the client gets the headers of that response.
    ByGet,
}

/// The log format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON everywhere else.
    #[default]
    Auto,
    /// One JSON object per line.
    Json,
    /// One line of text per event.
    Text,
}

/// The drivers that serve requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Drivers {
    /// Our own, for every request.
    #[default]
    Own,
    /// Pingora, for every request.
    Pingora,
}

impl Drivers {
    /// The warning where the file uses the key's former name.
    pub const RENAMED: &str = "http1 is called drivers now; rename the key";
}

/// The least severe level that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Faults that need a fix.
    Error,
    /// Conditions that may need one.
    Warn,
    /// Normal events, requests included.
    #[default]
    Info,
    /// Details of the proxy itself, for troubleshooting. The library below it stays silent: it would print signatures.
    Debug,
}

/// A duration with its unit; zero turns something off.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A duration with its unit."))]
#[serde(try_from = "String")]
pub(super) struct Time(Duration);

impl TryFrom<String> for Time {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let parsed = humantime::parse_duration(&text);
        parsed.map(Self).map_err(|_| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let units = if is_number { format!("{text}ms, {text}s or {text}m") } else { "500ms, 30s, 5m".to_owned() };
            ValueError::new(&text, format!("a time has a unit: {units}"))
        })
    }
}

impl From<Time> for Duration {
    fn from(time: Time) -> Self {
        time.0
    }
}

/// A duration for which zero can only be a mistake: a timeout that always expires, a loop without a pause.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A duration with its unit, longer than 0."))]
#[serde(try_from = "String")]
pub(super) struct Interval(Duration);

impl TryFrom<String> for Interval {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let Time(time) = text.clone().try_into()?;
        if time.is_zero() { Err(ValueError::new(&text, "must be longer than 0")) } else { Ok(Self(time)) }
    }
}

impl From<Interval> for Duration {
    fn from(interval: Interval) -> Self {
        interval.0
    }
}

/// A number of bytes with its unit, more than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A number of bytes with its unit, more than 0."))]
#[serde(try_from = "String")]
pub struct Size(pub usize);

impl TryFrom<String> for Size {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        if let Some(question) = two_sizes(&text) {
            return Err(ValueError::new(&text, question));
        }
        let parsed = text.parse::<bytesize::ByteSize>().ok().and_then(|size| usize::try_from(size.as_u64()).ok());
        match parsed {
            Some(0) => Err(ValueError::new(&text, "must be more than 0")),
            Some(bytes) => Ok(Self(bytes)),
            None => Err(ValueError::new(&text, "a size has a unit: 512B, 64KiB, 1MiB")),
        }
    }
}

/// Asks which size is meant by a unit that programs read in two ways: to nginx and Kubernetes `10k` is not the same.
fn two_sizes(text: &str) -> Option<String> {
    let unit = text.trim().chars().next_back()?;
    let number = text.trim().strip_suffix(unit)?.trim();
    let power = "kmgt".find(unit.to_ascii_lowercase())? + 1;
    let count: u64 = number.parse().ok()?;
    let (decimal, binary) = (if power == 1 { 'k' } else { unit.to_ascii_uppercase() }, unit.to_ascii_uppercase());
    let power = u32::try_from(power).ok()?;
    let bytes = |base: u64| base.checked_pow(power)?.checked_mul(count).map(with_commas);
    Some(format!(
        "which unit is meant? Write {number}{decimal}B ({} bytes) or {number}{binary}iB ({} bytes)",
        bytes(1000)?,
        bytes(1024)?
    ))
}

/// A number with a comma before every three digits.
fn with_commas(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group));
    groups.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit_that_everyone_reads_the_same_way() {
        for (text, expected) in [
            ("64KiB", Ok(65_536)),
            ("1MiB", Ok(1 << 20)),
            ("10kB", Ok(10_000)),
            ("512B", Ok(512)),
            ("10k", Err("Write 10kB (10,000 bytes) or 10KiB (10,240 bytes)")),
            ("10 K", Err("Write 10kB (10,000 bytes) or 10KiB (10,240 bytes)")),
            ("32m", Err("Write 32MB (32,000,000 bytes) or 32MiB (33,554,432 bytes)")),
            ("1G", Err("Write 1GB (1,000,000,000 bytes) or 1GiB (1,073,741,824 bytes)")),
            ("auto", Err("leave the key out")),
            ("${SIZE}", Err("nothing replaces ${SIZE}")),
            ("many", Err("a size has a unit")),
            ("", Err("a size has a unit")),
            ("0B", Err("more than 0")),
        ] {
            match (Size::try_from(text.to_owned()), expected) {
                (Ok(Size(bytes)), Ok(expected)) => assert_eq!(bytes, expected, "{text}"),
                (Err(error), Err(said)) => assert!(error.to_string().contains(said), "{text}: {error}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }
}
