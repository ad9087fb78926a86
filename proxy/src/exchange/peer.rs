//! The peer of a client's connection: its address, and whether its forwarding headers are trusted.

use super::short_text::ShortText;
use std::net::SocketAddr;

/// An IP address as text. The longest is of IPv6.
type IpText = ShortText<45>;

/// The client at the other end of a connection. One for each connection: what its requests have in common is worked out once.
#[derive(Clone, Copy, Debug)]
pub struct ClientPeer {
    pub(super) address: Option<SocketAddr>,
    /// The IP address as `X-Forwarded-For` has it; empty where it is not known.
    text: IpText,
    /// Whether the client spoke TLS, with us or with the proxy that says so in the PROXY protocol.
    pub(super) is_tls: bool,
    /// The version of TLS on this connection; `None` without.
    pub(super) tls: Option<&'static str>,
    /// Set if its forwarding headers are trusted.
    pub(super) is_trusted: bool,
    /// The number of the listener that it has connected to, where one of them has a health path.
    pub(super) listener: Option<usize>,
}

impl ClientPeer {
    pub(super) fn new(address: Option<SocketAddr>, is_tls: bool, is_trusted: bool, listener: Option<usize>) -> Self {
        let text = address.map_or(IpText::of(""), |address| IpText::of(address.ip()));
        Self { address, text, is_tls, tls: None, is_trusted, listener }
    }

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

#[cfg(test)]
mod tests {
    use super::IpText;
    use std::net::IpAddr;

    #[test]
    fn every_ip_address_has_room_as_text() {
        for ip in ["0.0.0.0", "255.255.255.255", "::", "1111:2222:3333:4444:5555:6666:7777:8888", "::ffff:1.2.3.4"] {
            assert_eq!(IpText::of(ip.parse::<IpAddr>().unwrap()).as_str(), ip);
        }
    }
}
