//! The admin listener: where operators connect, under which names, and with which token.

use super::address::ListenAddress;
use super::fields::{As, OneOrMany, OptionalSection, OrDefault};
use super::tls::TlsFiles;
use super::token::TokenFile;
use crate::s3::domain::Domain;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

/// The listener for operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminListener {
    /// Its address.
    pub address: SocketAddr,
    /// The names that requests may give as their Host, besides those that no stranger can own.
    pub hosts: Vec<Domain>,
    /// With these files, the listener speaks only TLS.
    pub tls: Option<TlsFiles>,
    /// The token that requests must have; `None` where they need none.
    pub token_file: Option<TokenFile>,
}

impl AdminListener {
    /// The address without a configuration.
    pub const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9180);

    /// The warning where everyone who can connect from another machine is an operator.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let is_open = self.token_file.is_none() && !self.address.ip().to_canonical().is_loopback();
        is_open.then(|| {
            format!(
                "admin is on {}, which other machines may reach, without a token: anyone who connects can read rules, metrics and \
                 rejected origins and reload the rules; set admin.token_file, or keep it on loopback",
                self.address
            )
        })
    }
}

impl From<SocketAddr> for AdminListener {
    fn from(address: SocketAddr) -> Self {
        Self { address, hosts: Vec::new(), tls: None, token_file: None }
    }
}

impl Default for AdminListener {
    fn default() -> Self {
        Self::DEFAULT.into()
    }
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct AdminSection {
    address: ListenAddress,
    #[serde(default, with = "OrDefault::<OneOrMany<Domain>>")]
    hosts: OneOrMany<Domain>,
    #[serde(default, with = "OptionalSection::<TlsFiles>")]
    tls: Option<TlsFiles>,
    // A key without a value is an error: a template that renders an empty value must not open the listener.
    #[serde(default, with = "As::<TokenFile>")]
    token_file: Option<TokenFile>,
}

impl From<AdminSection> for AdminListener {
    fn from(AdminSection { address, hosts, tls, token_file }: AdminSection) -> Self {
        Self { address: address.into(), hosts: hosts.0, tls, token_file }
    }
}

/// An address or an object, as a [`Listener`](super::Listener) is.
impl<'de> Deserialize<'de> for AdminListener {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AdminVisitor;

        impl<'de> Visitor<'de> for AdminVisitor {
            type Value = AdminListener;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address, or an object with the key `address`")
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<AdminListener, E> {
                value.parse::<ListenAddress>().map(|address| SocketAddr::from(address).into()).map_err(E::custom)
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<AdminListener, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_map<A: MapAccess<'de>>(self, value: A) -> Result<AdminListener, A::Error> {
                AdminSection::deserialize(MapAccessDeserializer::new(value)).map(AdminListener::from)
            }
        }

        deserializer.deserialize_any(AdminVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigFile, Flags};
    use std::path::Path;

    fn read(text: &str) -> Result<AdminListener, String> {
        let file = ConfigFile::parse(text, Path::new("s3cors.yaml")).map_err(|error| error.to_string())?;
        Ok(Config::merge(Flags::default(), file).0.admin)
    }

    #[test]
    fn the_admin_listener_is_an_address_or_an_object() {
        let plain = AdminListener::from(SocketAddr::from(([127, 0, 0, 1], 1)));
        let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<Domain>>();
        let files = TlsFiles { certificate: "c.pem".into(), key: "k.pem".into() };
        for (text, expected) in [
            ("admin: 127.0.0.1:1", plain.clone()),
            ("admin: localhost:1", plain.clone()),
            ("admin: {address: '127.0.0.1:1'}", plain.clone()),
            ("admin: {address: '127.0.0.1:1', hosts: , tls: }", plain.clone()),
            ("admin:\n", AdminListener::default()),
            ("", AdminListener::default()),
            (
                "admin: {address: '127.0.0.1:1', hosts: S3cors.Example.com.}",
                AdminListener { hosts: names(&["s3cors.example.com"]), ..plain.clone() },
            ),
            (
                "admin:\n  address: 127.0.0.1:1\n  hosts: [a.example, b.example]\n  token_file: t\n  tls: {key: k.pem, certificate: c.pem}\n",
                AdminListener {
                    hosts: names(&["a.example", "b.example"]),
                    tls: Some(files),
                    token_file: Some("t".parse().unwrap()),
                    ..plain
                },
            ),
        ] {
            assert_eq!(read(text).as_ref(), Ok(&expected), "{text:?}");
        }
    }

    #[test]
    fn the_flag_replaces_the_address_only() {
        let file =
            ConfigFile::parse("admin: {address: ':1', hosts: a.example, token_file: t}", Path::new("x")).unwrap();
        let flags = Flags { admin: Some("127.0.0.1:2".parse().unwrap()), ..Flags::default() };
        let admin = Config::merge(flags, file).0.admin;
        let address = SocketAddr::from(([127, 0, 0, 1], 2));
        let expected = AdminListener {
            hosts: vec!["a.example".parse().unwrap()],
            token_file: Some("t".parse().unwrap()),
            ..address.into()
        };
        assert_eq!(admin, expected);
    }

    #[test]
    fn every_error_about_the_admin_listener_has_its_place() {
        for (text, place, about) in [
            ("admin: here", "1:8:", "listen address"),
            ("admin: {address: here}", "1:18:", "listen address"),
            ("admin: {addres: ':1'}", "1:9:", "addres"),
            ("admin: {address: ':1', host: x}", "1:24:", "host"),
            ("admin: {hosts: x}", "1:", "address"),
            ("admin: [':1']", "1:", "an object with the key `address`"),
            ("admin: {address: ':1', hosts: 'https://a.example'}", "1:31:", "without scheme and port"),
            ("admin:\n  address: ':1'\n  hosts: [a.example, 'b:9180']\n", "3:22:", "without scheme and port"),
            ("admin: {address: ':1', tls: c.pem}", "1:29:", "tls: {certificate: c.pem}"),
            ("admin: {address: ':1', tls: {certificate: c.pem}}", "1:", "key"),
            ("admin: {address: ':1', token_file: }", "1:", "leave the key out"),
            ("admin: {address: ':1', token_file: ''}", "1:36:", "leave the key out"),
        ] {
            let message = read(text).unwrap_err();
            assert!(
                message.contains(&format!("s3cors.yaml:{place}")) && message.contains(about),
                "{text:?}: {message}"
            );
        }
    }

    #[test]
    fn only_a_listener_for_other_machines_without_a_token_is_warned_of() {
        for (address, token_file, warned) in [
            ("127.0.0.1:1", None, false),
            ("127.9.9.9:1", None, false),
            ("[::1]:1", None, false),
            ("[::ffff:127.0.0.1]:1", None, false),
            ("0.0.0.0:1", None, true),
            ("[::]:1", None, true),
            ("10.0.0.1:1", None, true),
            ("0.0.0.0:1", Some("t"), false),
        ] {
            let token_file = token_file.map(|path: &str| path.parse().unwrap());
            let listener = AdminListener { token_file, ..address.parse::<SocketAddr>().unwrap().into() };
            assert_eq!(listener.warning().is_some(), warned, "{address}");
            assert!(listener.warning().is_none_or(|text| text.contains("admin.token_file")), "{address}");
        }
    }
}
