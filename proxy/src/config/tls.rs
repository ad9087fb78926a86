//! TLS settings, towards clients and towards upstreams.

use super::fields::{As, OrDefault};
use super::paths::{OptionalPath, RequiredPath};
use super::values::ValueError;
use rustls::pki_types;
use serde::Deserialize;
use std::path::PathBuf;
use std::str::FromStr;

/// Certificate and key of a listener, in PEM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The server's certificate, followed by the intermediate certificates.
    #[serde(with = "RequiredPath")]
    pub certificate: PathBuf,
    /// The private key, unencrypted.
    #[serde(with = "RequiredPath")]
    pub key: PathBuf,
}

/// TLS of the process: towards clients, upstreams and sources of rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Offers and accepts X25519MLKEM768 in the key exchange, unless `off`.
    #[serde(with = "OrDefault::<PostQuantum>")]
    pub post_quantum: PostQuantum,
}

/// Key exchange that resists quantum computers, where both sides can do it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PostQuantum {
    /// X25519MLKEM768 comes first.
    #[default]
    On,
    /// Only X25519 and the curves of NIST are offered.
    Off,
}

/// How upstream certificates are verified.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct UpstreamTls {
    /// CA roots in PEM, used instead of the system's.
    #[serde(with = "OptionalPath")]
    pub ca_file: Option<PathBuf>,
    /// The name that is sent (SNI) and verified, instead of the URL's host.
    pub server_name: Option<ServerName>,
    /// Whether certificates are verified at all.
    #[serde(with = "As::<bool>")]
    pub verify: bool,
}

impl UpstreamTls {
    /// The warning when certificates are not verified.
    pub const NOT_VERIFIED: &str =
        "upstream.tls.verify is false: anyone on the network path can read and change everything";
}

impl Default for UpstreamTls {
    fn default() -> Self {
        Self { ca_file: None, server_name: None, verify: true }
    }
}

/// A host name or address that a certificate can be issued for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A host name or an address."))]
#[serde(try_from = "String")]
pub struct ServerName(String);

impl ServerName {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServerName {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match pki_types::ServerName::try_from(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(ValueError::new(text, "a server name is a host name or an address, without scheme and port")),
        }
    }
}

impl TryFrom<String> for ServerName {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_name_is_a_name_or_an_address() {
        for text in ["storage.internal", "127.0.0.1", "::1"] {
            assert_eq!(text.parse::<ServerName>().unwrap().as_str(), text);
        }
        for text in ["", "https://storage", "storage:9000", "a..b", "*.storage.internal"] {
            assert!(text.parse::<ServerName>().is_err(), "{text}");
        }
    }
}
