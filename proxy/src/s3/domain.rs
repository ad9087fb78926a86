//! A domain for virtual-host style requests: in `photos.s3.example.com`, `s3.example.com` is the domain and `photos` the bucket.

use super::as_written::as_written;
use serde::Deserialize;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// A domain whose subdomains are buckets, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A host name."))]
#[serde(try_from = "String")]
pub struct Domain(String);

/// The text is not a domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?}: {reason}")]
pub struct InvalidDomain {
    /// The text, without what may be a secret.
    pub value: String,
    /// The reason.
    pub reason: String,
}

impl InvalidDomain {
    fn new(text: &str) -> Self {
        let value = without_user(text);
        // All names below a domain are buckets, so that people write the wildcard of a certificate.
        let parent = text.trim().strip_prefix("*.").and_then(in_lower_case);
        let reason = match (as_written(text, &value), parent) {
            (Some(words), _) => words,
            (None, Some(parent)) => {
                format!("a name has no *; write {parent}, of which `domains` includes every name below it")
            }
            (None, None) => "a domain is a name without scheme and port".to_owned(),
        };
        Self { value, reason }
    }
}

/// A value for a message, without what may be a secret of a URL: what is before the last `@`, or after a `:` that begins no port, and a
/// query. A password may itself have an `@`, a `/` or a `:`, and be percent-encoded together with its `@`. A value that is a part of a
/// list may end where a password has a comma.
#[must_use]
pub fn without_user(value: &str) -> String {
    if let Some((before, host)) = split_user(value) {
        let scheme = ["http://", "https://"].into_iter().find(|scheme| before.starts_with(scheme)).unwrap_or_default();
        return format!("{scheme}...@{}", without_query(host));
    }
    let (scheme, rest) = value.split_at(value.find("://").map_or(0, |end| end + 3));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.split_once(':') {
        Some((name, port)) if !is_port(port) && !is_ipv6(authority) => format!("{scheme}{name}:..."),
        _ => without_query(value),
    }
}

/// Splits at the last `@`.
fn split_user(value: &str) -> Option<(&str, &str)> {
    let plain = value.rfind('@').map(|at| (at, 1));
    let encoded = value.rfind("%40").map(|at| (at, 3));
    let (at, length) = plain.max(encoded)?;
    Some((value.get(..at)?, value.get(at + length..)?))
}

fn is_port(text: &str) -> bool {
    // A pattern has `*`.
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'*')
}

fn is_ipv6(authority: &str) -> bool {
    let bare = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if is_port(port.trim_start_matches(':')) => address,
        _ => authority,
    };
    bare.parse::<Ipv6Addr>().is_ok()
}

fn without_query(text: &str) -> String {
    match text.find(['?', '#']) {
        Some(end) => format!("{}...", text.get(..=end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The name of a host, without a port.
#[must_use]
pub fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
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
        in_lower_case(text).map(Self).ok_or_else(|| InvalidDomain::new(text))
    }
}

/// The domain that a text is.
fn in_lower_case(text: &str) -> Option<String> {
    let domain = text.trim().trim_matches('.').to_ascii_lowercase();
    let is_label_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_valid = domain.split('.').all(|label| !label.is_empty() && label.bytes().all(is_label_byte));
    is_valid.then_some(domain)
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
    fn a_message_shows_a_value_without_its_secret() {
        for (value, shown) in [
            ("https://user:5ECRET@minio:9000", "https://...@minio:9000"),
            ("https://user:5E@5E/5E:5E@minio", "https://...@minio"),
            ("HTTPS://user:5ECRET@minio", "...@minio"),
            ("https://5ECRET@minio", "https://...@minio"),
            ("user:5ECRET@minio", "...@minio"),
            ("//5ECRET@minio", "...@minio"),
            ("https://user:5ECRET%40minio", "https://...@minio"),
            ("https%3A%2F%2Fuser%3A5ECRET%40minio", "...@minio"),
            ("https://user:5ECRET%40@minio", "https://...@minio"),
            ("https://user:5ECRET@minio?5ECRET", "https://...@minio?..."),
            ("@minio", "...@minio"),
            ("https://user:5ECRET", "https://user:..."),
            ("https://user:5ECRET/5ECRET", "https://user:..."),
            ("user:5ECRET", "user:..."),
            ("https://minio/?X-Amz-Signature=5ECRET", "https://minio/?..."),
            ("minio#5ECRET", "minio#..."),
            ("http://minio:9000/x", "http://minio:9000/x"),
            ("http://minio{1...4}:9000", "http://minio{1...4}:9000"),
            ("http://localhost:*", "http://localhost:*"),
            ("127.0.0.1:99999", "127.0.0.1:99999"),
            ("http://[::1]:9000", "http://[::1]:9000"),
            ("2001:db8::/129", "2001:db8::/129"),
            ("::1:80", "::1:80"),
            ("nowhere", "nowhere"),
            ("", ""),
        ] {
            assert_eq!(without_user(value), shown, "{value}");
        }
    }

    #[test]
    fn a_domain_is_lowercased_and_checked() {
        assert_eq!("S3.Example.test.".parse::<Domain>().unwrap().as_str(), "s3.example.test");
        for text in ["", ".", "a..b", "https://x", "x:8080", "*.x"] {
            assert!(text.parse::<Domain>().is_err(), "{text}");
        }
        for (text, said) in [
            ("*.s3.example.com", "write s3.example.com, "),
            ("*.*.example.com", "without scheme and port"),
            ("https://s3.example.com", "without scheme and port"),
            ("${DOMAIN}", "nothing replaces ${DOMAIN}"),
            ("\"s3.example.com\"", "the quotes are a part of the value"),
        ] {
            let error = text.parse::<Domain>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
