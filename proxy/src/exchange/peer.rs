//! The client's side of a connection: who is there, and whether it is believed about those before it.

use super::Exchange;
use super::short_text::ShortText;
use std::net::{IpAddr, SocketAddr};

/// An IP address as text. The longest is of IPv6.
type IpText = ShortText<45>;

/// Who sends requests on a connection. One for each connection: what its requests have in common is worked out once.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    pub(super) address: Option<SocketAddr>,
    /// The IP address as `X-Forwarded-For` has it; empty where it is not known.
    text: IpText,
    /// Whether the client spoke TLS, with us or with the proxy that says so in the PROXY protocol.
    pub(super) is_tls: bool,
    /// The version of TLS on this connection; `None` without.
    pub(super) tls: Option<&'static str>,
    /// Whether what it says about those before it is believed.
    pub(super) is_trusted: bool,
    /// The number of the listener that it has connected to, where one of them has a health path.
    pub(super) listener: Option<usize>,
}

impl Peer {
    /// The same client over this version of TLS.
    #[must_use]
    pub const fn over(self, tls: Option<&'static str>) -> Self {
        Self { tls, ..self }
    }

    /// The IP address as text.
    pub(super) fn ip(&self) -> &str {
        self.text.as_str()
    }
}

impl Exchange {
    /// A client at this address, where it is known.
    #[must_use]
    pub fn peer(&self, address: Option<SocketAddr>, is_tls: bool) -> Peer {
        // A client of IPv4 has its own address, also where the socket is one of IPv6 (RFC 4291 §2.5.5.2).
        let address = address.map(|address| SocketAddr::new(address.ip().to_canonical(), address.port()));
        let is_trusted = address.is_some_and(|address| self.trusts(address.ip()));
        let text = address.map_or(IpText::of(""), |address| IpText::of(address.ip()));
        Peer { address, text, is_tls, tls: None, is_trusted, listener: None }
    }

    /// Whether the proxy at this address is believed about those before it (`forwarded.trusted`).
    pub(super) fn trusts(&self, ip: IpAddr) -> bool {
        self.forwarded.trusted.iter().any(|network| network.contains(&ip))
    }
}

#[cfg(test)]
mod tests {
    use super::{IpAddr, IpText};

    #[test]
    fn every_ip_address_has_room_as_text() {
        for ip in ["0.0.0.0", "255.255.255.255", "::", "1111:2222:3333:4444:5555:6666:7777:8888", "::ffff:1.2.3.4"] {
            assert_eq!(IpText::of(ip.parse::<IpAddr>().unwrap()).as_str(), ip);
        }
    }
}
