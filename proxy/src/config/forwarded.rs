//! What an upstream is told about the client, and which proxies before this one are believed.

use super::fields::{OneOrMany, OrDefault};
use super::values::ValueError;
use ipnet::IpNet;
use serde::Deserialize;
use std::net::IpAddr;

/// Whether an upstream is told who the client is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ForwardedMode {
    /// By X-Forwarded-For, -Proto and -Host; the lines of a client that is not trusted end here.
    #[default]
    Append,
    /// The lines of every client go on as they came.
    Off,
}

/// What an upstream is told about the client.
#[derive(Clone, Debug, Default)]
pub struct Forwarded {
    /// Whether it is told at all.
    pub mode: ForwardedMode,
    /// The addresses of the proxies that are believed about those before them.
    pub trusted: Vec<IpNet>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(super) struct ForwardedSection {
    #[serde(with = "OrDefault::<ForwardedMode>")]
    mode: ForwardedMode,
    #[serde(with = "OrDefault::<OneOrMany<Network>>")]
    trusted: OneOrMany<Network>,
}

impl From<ForwardedSection> for Forwarded {
    fn from(section: ForwardedSection) -> Self {
        Self { mode: section.mode, trusted: section.trusted.0.into_iter().map(|Network(network)| network).collect() }
    }
}

/// An IP address, or all that begin with the same bits.
#[derive(Clone, Copy, Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "A network (10.0.0.0/8) or an IP address."))]
#[serde(try_from = "String")]
struct Network(#[cfg_attr(test, schemars(with = "String"))] IpNet);

impl TryFrom<String> for Network {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        let network = address.or_else(|_| text.parse());
        network
            .map(Self)
            .map_err(|_| ValueError::new(&text, "a network is written 10.0.0.0/8, or an IP address by itself"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_address_with_or_without_a_length() {
        for (text, network) in [
            ("10.0.0.0/8", Some("10.0.0.0/8")),
            ("192.0.2.1", Some("192.0.2.1/32")),
            ("2001:db8::/32", Some("2001:db8::/32")),
            ("::1", Some("::1/128")),
            ("10.0.0.0/33", None),
            ("10.0.0", None),
            ("proxy.internal", None),
            ("", None),
        ] {
            let read = Network::try_from(text.to_owned()).map(|Network(network)| network.to_string());
            assert_eq!(read.ok().as_deref(), network, "{text}");
        }
    }
}
