//! Settings of upstreams: their URLs, how one is chosen, what a health check requests.

use super::address::is_unix_socket;
use super::values::ValueError;
use serde::Deserialize;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// The URL of an S3 server: scheme, host and port only.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "http://HOST:PORT or https://HOST."))]
#[serde(try_from = "String")]
pub struct UpstreamUrl {
    tls: bool,
    host: String,
    port: u16,
}

impl UpstreamUrl {
    /// Whether the scheme is https.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host: a name or an address, an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; the scheme's default if the URL has none.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl UpstreamUrl {
    /// The `Host` of a request for it: with its port, unless that is the scheme's own (RFC 9110 §7.2).
    #[must_use]
    pub fn authority(&self) -> String {
        let text = self.to_string();
        let authority = text.split_once("://").map_or(text.as_str(), |(_, authority)| authority);
        let own_port = if self.is_tls() { ":443" } else { ":80" };
        authority.strip_suffix(own_port).unwrap_or(authority).to_owned()
    }
}

impl FromStr for UpstreamUrl {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        let invalid = |reason: &str| ValueError::new(text, reason.to_owned());
        if is_unix_socket(text) {
            return Err(invalid(
                "a Unix socket is not supported; write the http://HOST:PORT that the server listens on",
            ));
        }
        // As MinIO writes the servers of a cluster.
        if text.contains(['{', '}']) {
            return Err(invalid(
                "an upstream is one server; list them one by one: http://minio1:9000, http://minio2:9000",
            ));
        }
        let url = url::Url::parse(text).map_err(|_| invalid(&instead(text, "not a URL")))?;
        let tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(invalid(&instead(text, "an upstream is http:// or https://"))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("an upstream has no user and no password: clients sign their own requests"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid(
                "an upstream has no path: request paths are forwarded byte for byte, or signatures break",
            ));
        }
        let host = match url.host() {
            Some(url::Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => return Err(invalid("an upstream needs a host")),
        };
        // Nothing listens on port 0.
        let port = url.port_or_known_default().filter(|port| *port != 0).ok_or_else(|| invalid(PORTS))?;
        Ok(Self { tls, host, port })
    }
}

const PORTS: &str = "a port is 1 to 65535";

/// The reason, with the URL that the text was meant to be where that is known.
fn instead(text: &str, reason: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let authority = rest.trim_end_matches('/');
    let with_port = |(host, port): (&str, &str)| Some((host.parse::<Ipv6Addr>().ok()?, port.parse::<u16>().ok()?));
    let is_name = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    match (authority.rsplit_once(':').and_then(with_port), authority.parse::<Ipv6Addr>(), authority.rsplit_once(':')) {
        (Some((host, port)), ..) => format!("an IPv6 address is in brackets; write {scheme}://[{host}]:{port}"),
        (None, Ok(host), _) => format!("an IPv6 address is in brackets; write {scheme}://[{host}]"),
        (None, Err(_), Some((_, port))) if is_too_high(port) => PORTS.to_owned(),
        (None, Err(_), Some((host, port))) if scheme == "http" && is_name(host) && port.parse::<u16>().is_ok() => {
            format!("{reason}; write http://{host}:{port}, or https://{host}:{port} for TLS")
        }
        (None, Err(_), None) if scheme == "http" && !authority.is_empty() && is_name(authority) => {
            format!("{reason}; write http://{authority}:9000, with the port of the server, or https://{authority}")
        }
        _ => format!("{reason}; write http://HOST:PORT or https://HOST"),
    }
}

fn is_too_high(port: &str) -> bool {
    !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_err()
}

impl TryFrom<String> for UpstreamUrl {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// How an address is chosen among the available ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// Each address in turn.
    #[default]
    RoundRobin,
    /// The one with the fewest requests in flight.
    LeastConnections,
}

/// The path that a health check requests, with or without a query.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A path, with or without a query."))]
#[serde(try_from = "String")]
pub struct CheckPath(String);

impl CheckPath {
    /// The path as sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CheckPath {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let valid = text.starts_with('/') && text.parse::<http::uri::PathAndQuery>().is_ok();
        if valid { Ok(Self(text)) } else { Err(ValueError::new(&text, "a path begins with / and has no spaces")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_scheme_host_and_port() {
        for (text, shown) in [
            ("http://minio:9000", "http://minio:9000"),
            ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
            ("https://s3.eu-central-1.amazonaws.com", "https://s3.eu-central-1.amazonaws.com:443"),
            ("http://[::1]:9000", "http://[::1]:9000"),
        ] {
            assert_eq!(text.parse::<UpstreamUrl>().unwrap().to_string(), shown);
        }
        for text in
            ["minio:9000", "127.0.0.1:9000", "ftp://x", "http://a:b@x", "http://x/prefix", "http://x?y", "http://"]
        {
            assert!(text.parse::<UpstreamUrl>().is_err(), "{text}");
        }
        for (text, said) in [
            ("http://minio{1...4}:9000", "list them one by one: http://minio1:9000"),
            ("http://user:5ECRET@minio{1...4}:9000", "\"http://...@minio{1...4}:9000\""),
            ("unix:/run/minio.sock", "a Unix socket is not supported; write the http://HOST:PORT"),
            ("/run/minio.sock", "a Unix socket is not supported"),
            ("minio:9000", "write http://minio:9000, or https://minio:9000"),
            ("10.0.0.1:9000", "write http://10.0.0.1:9000"),
            ("minio", "write http://minio:9000, with the port"),
            ("::1:9000", "write http://[::1]:9000"),
            ("https://fe80::1", "write https://[fe80::1]"),
            ("http://fe80::1:9000/", "write http://[fe80::1]:9000"),
            ("http://minio:0", "a port is 1 to 65535"),
            ("http://minio:99999", "a port is 1 to 65535"),
            ("http://user:5ECRET", "write http://HOST:PORT"),
            ("user:5ECRET@minio:9000", "write http://HOST:PORT"),
            ("ftp://minio", "an upstream is http:// or https://; write http://HOST:PORT"),
            ("http://${HOST}:9000", "nothing replaces ${HOST}"),
            ("\"http://minio:9000\"", "the quotes are a part of the value"),
        ] {
            let error = text.parse::<UpstreamUrl>().unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("5ECRET"), "{text}: {error}");
        }
    }

    #[test]
    fn a_check_requests_a_path() {
        for (text, valid) in
            [("/", true), ("/minio/health/live", true), ("/x?y=1", true), ("x", false), ("/a b", false)]
        {
            assert_eq!(CheckPath::try_from(text.to_owned()).is_ok(), valid, "{text}");
        }
    }
}
