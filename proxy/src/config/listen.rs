//! Where S3 clients connect, and the protocols spoken there.

use super::address::ListenAddress;
use super::fields::{OptionalSection, OrDefault};
use super::tls::TlsFiles;
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
}

/// A plain HTTP/1.1 listener.
impl From<SocketAddr> for Listener {
    fn from(address: SocketAddr) -> Self {
        Self { address, tls: None, proxy_protocol: false, http2: false }
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
}

impl From<ListenerSection> for Listener {
    fn from(section: ListenerSection) -> Self {
        let ListenerSection { address, tls, http2, proxy_protocol } = section;
        Self { address: address.into(), http2: http2.unwrap_or(tls.is_some()), tls, proxy_protocol }
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
    fn every_listener_error_has_its_place() {
        for (text, place, about) in [
            ("listen: here", "1:9:", "listen address"),
            ("listen: {address: here}", "1:19:", "listen address"),
            ("listen:\n- 127.0.0.1:1\n- here\n", "3:3:", "listen address"),
            ("listen:\n- 127.0.0.1:1\n- {addres: 127.0.0.1:1}\n", "3:4:", "addres"),
            ("listen:\n  address: 127.0.0.1:1\n  http2: 3\n", "3:10:", "bool"),
            ("listen:\n- address: 127.0.0.1:1\n  tls: {certificate: c.pem, kee: k.pem}\n", "3:29:", "kee"),
            ("listen:\n- address: 127.0.0.1:1\n  tls: {certificate: c.pem}\n", "3:9:", "key"),
            ("listen:\n- http2: true\n", "2:3:", "address"),
        ] {
            let message = read(text).unwrap_err();
            assert!(
                message.contains(&format!("s3cors.yaml:{place}")) && message.contains(about),
                "{text:?}: {message}"
            );
        }
    }
}
