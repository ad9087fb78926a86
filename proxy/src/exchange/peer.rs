//! The client's side of a connection: who is there, and whether it is believed about those before it.

use super::Exchange;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

/// The longest address as text: of IPv6.
const MAX_IP_TEXT: usize = 45;

/// Who sends requests on a connection. One for each connection: what its requests have in common is worked out once.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    pub(super) address: Option<SocketAddr>,
    /// The IP address as `X-Forwarded-For` has it; empty where it is not known.
    text: IpText,
    /// Whether the client spoke TLS, with us or with the proxy that says so in the PROXY protocol.
    pub(super) is_tls: bool,
    /// Whether what it says about those before it is believed.
    pub(super) is_trusted: bool,
    /// The number of the listener that it has connected to, where one of them has a health path.
    pub(super) listener: Option<usize>,
}

impl Peer {
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
        Peer { address, text: IpText::of(address.map(|address| address.ip())), is_tls, is_trusted, listener: None }
    }

    /// Whether the proxy at this address is believed about those before it (`forwarded.trusted`).
    pub(super) fn trusts(&self, ip: IpAddr) -> bool {
        self.forwarded.trusted.iter().any(|network| network.contains(&ip))
    }
}

/// An IP address as text, without memory of its own.
#[derive(Clone, Copy, Debug)]
struct IpText {
    bytes: [u8; MAX_IP_TEXT],
    length: usize,
}

impl IpText {
    fn of(ip: Option<IpAddr>) -> Self {
        let mut text = Self { bytes: [0; MAX_IP_TEXT], length: 0 };
        // It fits: no IP address is longer.
        let _ = ip.map(|ip| write!(text, "{ip}"));
        text
    }

    fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl Write for IpText {
    fn write_str(&mut self, part: &str) -> std::fmt::Result {
        let end = self.length + part.len();
        self.bytes.get_mut(self.length..end).ok_or(std::fmt::Error)?.copy_from_slice(part.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::IpText;

    #[test]
    fn every_ip_address_has_room_as_text() {
        for ip in ["0.0.0.0", "255.255.255.255", "::", "1111:2222:3333:4444:5555:6666:7777:8888", "::ffff:1.2.3.4"] {
            assert_eq!(IpText::of(Some(ip.parse().unwrap())).as_str(), ip);
        }
        assert_eq!(IpText::of(None).as_str(), "");
    }
}
