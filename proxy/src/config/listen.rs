//! Where S3 clients connect, and the protocols spoken there.

use super::address::ListenAddress;
use super::fields::{OptionalSection, OrDefault};
use super::tls::TlsFiles;
use super::values::ValueError;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::net::SocketAddr;

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its address.
    pub address: SocketAddr,
    /// With these files, the listener speaks only TLS.
    pub tls: Option<TlsFiles>,
    /// Whether each connection begins with a header of the PROXY protocol, which says who the client is.
    pub proxy_protocol: bool,
    /// Whether it speaks HTTP/2 in addition to HTTP/1.1: over TLS by ALPN, otherwise with prior knowledge (h2c).
    pub http2: bool,
    /// The path that is answered like `/readyz` of the admin listener, for load balancers.
    pub health_path: Option<HealthPath>,
}

/// A plain HTTP/1.1 listener.
impl From<SocketAddr> for Listener {
    fn from(address: SocketAddr) -> Self {
        Self { address, tls: None, proxy_protocol: false, http2: false, health_path: None }
    }
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct ListenerSection {
    address: ListenAddress,
    #[serde(default, with = "OptionalSection::<TlsFiles>")]
    tls: Option<TlsFiles>,
    http2: Option<bool>,
    #[serde(default, with = "OrDefault::<bool>")]
    proxy_protocol: bool,
    health_path: Option<HealthPath>,
}

impl From<ListenerSection> for Listener {
    fn from(section: ListenerSection) -> Self {
        let ListenerSection { address, tls, http2, proxy_protocol, health_path } = section;
        Self { address: address.into(), http2: http2.unwrap_or(tls.is_some()), tls, proxy_protocol, health_path }
    }
}

/// The listener that the system gives a connection to: the one with its very address, else the one with all addresses of its kind, else
/// with those of both.
#[must_use]
pub fn listener_of(listeners: impl Iterator<Item = SocketAddr> + Clone, local: SocketAddr) -> Option<usize> {
    let ip = local.ip().to_canonical();
    let of_port = listeners.enumerate().filter(|(_, listener)| listener.port() == local.port());
    let is_exact = |listener: &SocketAddr| listener.ip().to_canonical() == ip;
    let is_open = |listener: &SocketAddr| listener.ip().is_unspecified() && listener.is_ipv4() == ip.is_ipv4();
    let is_open_to_both = |listener: &SocketAddr| listener.ip().is_unspecified() && listener.is_ipv6();
    let first = |fits: &dyn Fn(&SocketAddr) -> bool| of_port.clone().find(|(_, listener)| fits(listener));
    let found = first(&is_exact).or_else(|| first(&is_open)).or_else(|| first(&is_open_to_both));
    found.map(|(number, _)| number)
}

/// A path that no request for an object has, to be asked whether the process is ready.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A path."))]
#[serde(try_from = "String")]
pub struct HealthPath(String);

impl HealthPath {
    /// The path as a request has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HealthPath {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let is_path = text.len() > 1 && text.starts_with('/') && !text.contains(['?', '#']);
        let is_valid = is_path && text.parse::<http::uri::PathAndQuery>().is_ok_and(|path| path.as_str() == text);
        // All buckets are listed at /.
        if is_valid { Ok(Self(text)) } else { Err(ValueError::new(&text, "a path is / and a name, such as /-/ready")) }
    }
}

/// An address or an object. Not an untagged enum: its error would not name the problem.
impl<'de> Deserialize<'de> for Listener {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AddressOrObject;

        impl<'de> Visitor<'de> for AddressOrObject {
            type Value = Listener;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address, or an object with the key `address`")
            }

            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Listener, E> {
                value.parse::<ListenAddress>().map(|address| SocketAddr::from(address).into()).map_err(E::custom)
            }

            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Listener, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_map<A: MapAccess<'de>>(self, value: A) -> Result<Listener, A::Error> {
                ListenerSection::deserialize(MapAccessDeserializer::new(value)).map(Listener::from)
            }
        }

        deserializer.deserialize_any(AddressOrObject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigFile;
    use std::path::Path;

    fn read(text: &str) -> Result<Vec<Listener>, String> {
        let file = ConfigFile::parse(text, Path::new("s3cors.yaml")).map_err(|error| error.to_string())?;
        Ok(file.listeners())
    }

    #[test]
    fn a_listener_is_an_address_an_object_or_a_list_of_both() {
        let listener = |port, tls: bool, http2| Listener {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            tls: tls.then(|| TlsFiles { certificate: "c.pem".into(), key: "k.pem".into() }),
            http2,
            proxy_protocol: false,
            health_path: None,
        };
        for (text, expected) in [
            ("listen: 127.0.0.1:1", vec![listener(1, false, false)]),
            ("listen: {address: 127.0.0.1:1}", vec![listener(1, false, false)]),
            ("listen: {address: 127.0.0.1:1, http2: true}", vec![listener(1, false, true)]),
            ("listen: {address: '127.0.0.1:1', tls: {certificate: c.pem, key: k.pem}}", vec![listener(1, true, true)]),
            (
                "listen:\n- 127.0.0.1:1\n- address: 127.0.0.1:2\n  http2: false\n  tls:\n    key: k.pem\n    certificate: c.pem\n",
                vec![listener(1, false, false), listener(2, true, false)],
            ),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_listener_has_a_health_path_of_its_own() {
        let read = read("listen:\n- :1\n- {address: ':2', health_path: /-/ready}\n").unwrap();
        let paths: Vec<_> = read.iter().map(|listener| listener.health_path.as_ref().map(HealthPath::as_str)).collect();
        assert_eq!(paths, [None, Some("/-/ready")]);
    }

    #[test]
    fn a_connection_belongs_to_the_listener_that_the_system_gave_it_to() {
        let listeners = ["0.0.0.0:80", "192.0.2.1:80", "[::]:80", "[::]:443", "127.0.0.1:9000", "[::1]:9000"];
        let listeners = listeners.map(|address| address.parse().unwrap());
        for (local, listener) in [
            ("192.0.2.1:80", Some(1)),
            ("192.0.2.2:80", Some(0)),
            ("[::ffff:192.0.2.1]:80", Some(1)),
            ("[2001:db8::1]:80", Some(2)),
            ("[2001:db8::1]:443", Some(3)),
            ("[::ffff:192.0.2.1]:443", Some(3)),
            ("127.0.0.1:9000", Some(4)),
            ("[::1]:9000", Some(5)),
            ("192.0.2.1:9000", None),
            ("192.0.2.1:81", None),
        ] {
            assert_eq!(listener_of(listeners.into_iter(), local.parse().unwrap()), listener, "{local}");
        }
    }

    #[test]
    fn every_listener_error_has_its_place() {
        for (text, place, about) in [
            ("listen: here", "1:9:", "listen address"),
            ("listen: {address: here}", "1:19:", "listen address"),
            ("listen:\n- 127.0.0.1:1\n- here\n", "3:3:", "listen address"),
            ("listen:\n- 127.0.0.1:1\n- {addres: 127.0.0.1:1}\n", "3:4:", "addres"),
            ("listen:\n  address: 127.0.0.1:1\n  http2: 3\n", "3:10:", "true or false"),
            ("listen:\n- address: 127.0.0.1:1\n  tls: {certificate: c.pem, kee: k.pem}\n", "3:29:", "kee"),
            ("listen:\n- address: 127.0.0.1:1\n  tls: {certificate: c.pem}\n", "3:9:", "key"),
            ("listen:\n- http2: true\n", "2:3:", "address"),
            ("listen: {address: ':1', health_path: x}\n", "1:38:", "such as /-/ready"),
            ("listen: {address: ':1', health_path: /}\n", "1:38:", "such as /-/ready"),
            ("listen: {address: ':1', health_path: '/x?y'}\n", "1:38:", "such as /-/ready"),
            ("listen: {address: ':1', health_path: '/a b'}\n", "1:38:", "such as /-/ready"),
        ] {
            let message = read(text).unwrap_err();
            assert!(
                message.contains(&format!("s3cors.yaml:{place}")) && message.contains(about),
                "{text:?}: {message}"
            );
        }
    }
}
