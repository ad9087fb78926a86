//! A domain for virtual-host style requests: in `photos.s3.example.com`, `s3.example.com` is the domain and `photos` the bucket.

use serde::Deserialize;
use std::str::FromStr;

/// A domain whose subdomains are buckets, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A host name."))]
#[serde(try_from = "String")]
pub struct Domain(String);

/// The text is not a domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?}: a domain is a name without scheme and port")]
pub struct InvalidDomain(String);

/// A value for a message. What is before the last `@` may be a password: of a URL where none belongs, for example. A password may itself
/// have an `@`, a `/` or a `:`.
#[must_use]
pub fn without_user(value: &str) -> String {
    let Some((before, host)) = value.rsplit_once('@') else { return value.to_owned() };
    let scheme = ["http://", "https://"].into_iter().find(|scheme| before.starts_with(scheme)).unwrap_or_default();
    format!("{scheme}...@{host}")
}

/// The name of a host, without a port and the dot at its end.
#[must_use]
pub fn host_name(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

impl Domain {
    /// The domain in lower case, without leading and trailing dots.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let domain = text.trim().trim_matches('.').to_ascii_lowercase();
        let is_label_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let valid = domain.split('.').all(|label| !label.is_empty() && label.bytes().all(is_label_byte));
        if valid { Ok(Self(domain)) } else { Err(InvalidDomain(without_user(text))) }
    }
}

impl TryFrom<String> for Domain {
    type Error = InvalidDomain;

    fn try_from(text: String) -> Result<Self, InvalidDomain> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_lowercased_and_checked() {
        assert_eq!("S3.Example.test.".parse::<Domain>().unwrap().as_str(), "s3.example.test");
        for text in ["", ".", "a..b", "https://x", "x:8080", "*.x"] {
            assert!(text.parse::<Domain>().is_err(), "{text}");
        }
    }
}
