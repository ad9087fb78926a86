//! The admin listener that a command asks: where it is, what it is trusted by, and the token for it.

use clap::Args;
use rustls::ClientConfig;
use s3cors_proxy::config::{AdminListener, ConfigFile, ListenAddress, Token, TokenFile};
use s3cors_proxy::tls::client::{trusting_only, trusting_system};
use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use url::Url;

#[derive(Args)]
pub(super) struct AdminArguments {
    /// The admin listener: an address, or http://HOST:PORT or https://HOST:PORT. For a private authority set SSL_CERT_FILE [default: what
    /// the configuration says, else 127.0.0.1:9180]
    #[arg(long, value_name = "ADDR|URL", env = "S3CORS_ADMIN")]
    admin: Option<AdminPlace>,
    /// File whose first line is the token that the admin listener wants [default: admin.token_file of the configuration, for a listener
    /// on this machine]
    #[arg(long, value_name = "FILE", env = "S3CORS_ADMIN_TOKEN_FILE")]
    admin_token_file: Option<TokenFile>,
}

/// A place to ask, as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum AdminPlace {
    /// As `serve` takes it.
    Address(SocketAddr),
    /// A listener that may be on another machine.
    Url { is_tls: bool, host: String, port: u16 },
}

/// A listener to ask.
pub(super) struct AdminTarget {
    /// The name or address to connect to; without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The verification of its certificate, where it speaks TLS.
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) token: Option<Token>,
}

impl AdminArguments {
    /// The listener that the arguments name, or else that of the configuration.
    pub(super) fn target(&self, config: Option<&Path>) -> Result<AdminTarget, Box<dyn Error>> {
        let token = self.admin_token_file.as_ref().map(TokenFile::read).transpose()?;
        let address = match &self.admin {
            Some(AdminPlace::Url { is_tls, host, port }) => {
                let tls = is_tls.then(trusting_system).transpose()?.map(Arc::new);
                return Ok(AdminTarget { host: host.clone(), port: *port, tls, token });
            }
            Some(AdminPlace::Address(address)) => Some(*address),
            None => None,
        };
        let configured = match (config.map(ConfigFile::read).transpose(), address) {
            (Ok(file), _) => file.map_or_else(AdminListener::default, |file| file.admin()),
            // The process that is asked may have read a better one before.
            (Err(_), Some(_)) => AdminListener::default(),
            (Err(error), None) => return Err(error.into()),
        };
        let address = address.unwrap_or(configured.address);
        let token = match (token, configured.token_file.filter(|_| is_here(address, configured.address))) {
            (Some(token), _) => Some(token),
            (None, Some(file)) => file.read().ok(),
            (None, None) => None,
        };
        let tls = configured.tls.map(|files| trusting_only(&files.certificate)).transpose()?.map(Arc::new);
        let address = reachable(address);
        Ok(AdminTarget { host: address.ip().to_string(), port: address.port(), tls, token })
    }
}

/// The authority, as a URL has it.
impl fmt::Display for AdminTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Returns whether the configured listener is meant. Its token goes to no other machine.
fn is_here(address: SocketAddr, configured: SocketAddr) -> bool {
    address == configured || address.ip().is_unspecified() || address.ip().to_canonical().is_loopback()
}

/// A listener on all addresses is asked on this machine's own.
pub(super) fn reachable(admin: SocketAddr) -> SocketAddr {
    let ip = match admin.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        // Such a listener takes connections of IPv4 too, and there is always an address for those.
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, admin.port())
}

impl FromStr for AdminPlace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORMS: &str = "an admin listener is IP:PORT, localhost:PORT, http://HOST:PORT or https://HOST:PORT";
        let text = text.trim();
        if !text.contains("://") {
            return text.parse::<ListenAddress>().map(|address| Self::Address(address.into())).map_err(|_| FORMS);
        }
        let url = Url::parse(text).map_err(|_| FORMS)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "a user and a password do not belong here: set S3CORS_ADMIN_TOKEN_FILE to a file with the token",
            );
        }
        let is_whole = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let (true, Some(host), Some(port)) = (is_whole, url.host_str(), url.port_or_known_default()) else {
            return Err(FORMS);
        };
        let is_tls = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(FORMS),
        };
        Ok(Self::Url { is_tls, host: host.trim_matches(['[', ']']).to_owned(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_an_address_or_a_url() {
        let url = |is_tls, host: &str, port| AdminPlace::Url { is_tls, host: host.into(), port };
        for (text, expected) in [
            ("127.0.0.1:1", Some(AdminPlace::Address(([127, 0, 0, 1], 1).into()))),
            (":1", Some(AdminPlace::Address((std::net::Ipv6Addr::UNSPECIFIED, 1).into()))),
            ("http://s3cors:9180", Some(url(false, "s3cors", 9180))),
            ("https://s3cors.example.com:9180/", Some(url(true, "s3cors.example.com", 9180))),
            ("HTTPS://S3cors.example.com", Some(url(true, "s3cors.example.com", 443))),
            ("https://[::1]:9180", Some(url(true, "::1", 9180))),
            ("s3cors:9180", None),
            ("ftp://s3cors:9180", None),
            ("https://s3cors:9180/status", None),
            ("https://s3cors:9180?x", None),
            ("https://user:5ECRET@s3cors:9180", None),
            ("https://", None),
        ] {
            assert_eq!(text.parse::<AdminPlace>().ok(), expected, "{text}");
        }
    }

    #[test]
    fn the_configured_listener_is_on_this_machine_or_at_its_own_address() {
        for (address, is_it) in [
            ("10.0.0.1:9180", true),
            ("127.0.0.1:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("[::]:1", true),
            ("10.0.0.1:9181", false),
            ("10.0.0.2:9180", false),
            ("[2001:db8::1]:9180", false),
        ] {
            assert_eq!(is_here(address.parse().unwrap(), ([10, 0, 0, 1], 9180).into()), is_it, "{address}");
        }
    }
}
