//! What TLS needs to be told, towards clients and towards upstreams.

use super::values::ValueError;
use rustls::pki_types;
use serde::Deserialize;
use std::path::PathBuf;
use std::str::FromStr;

/// The files that a listener shows and proves who it is with, in PEM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate, and after it those between it and the authority.
    pub certificate: PathBuf,
    /// Its private key, unencrypted.
    pub key: PathBuf,
}

/// How the certificates of upstreams are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamTls {
    /// The authorities that are trusted, in PEM, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The name that is asked for (SNI) and verified, instead of the URL's host.
    pub server_name: Option<ServerName>,
    /// Whether certificates are verified at all.
    pub verify: bool,
}

impl UpstreamTls {
    /// What to say when certificates are not verified.
    pub const NOT_VERIFIED: &str =
        "upstream.tls.verify is false: whoever stands in between can read and change everything";
}

impl Default for UpstreamTls {
    fn default() -> Self {
        Self { ca_file: None, server_name: None, verify: true }
    }
}

/// A name or an address that a certificate can be for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String")]
pub struct ServerName(String);

impl ServerName {
    /// The name as it was written.
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
            Err(_) => {
                Err(ValueError::new(text, "a server's name is a host name or an address, without scheme and port"))
            }
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
