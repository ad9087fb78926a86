//! Forwarding headers (X-Forwarded-For and its kin): which lines of a request are trusted, and which lines the upstream gets.
//!
//! A server decides by these lines: MinIO compares `aws:SourceIp` with the first address of X-Forwarded-For, and Ceph RGW compares
//! `aws:SecureTransport` with X-Forwarded-Proto. So a stranger's own lines end here. A line that the request signs stays as it came, or
//! the signature would not hold.

use super::head::{RequestHead, checked_names};
use super::peer::ClientPeer;
use super::via;
use crate::config::{Forwarded, ForwardedMode};
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

const FOR: &str = "X-Forwarded-For";
const PROTO: &str = "X-Forwarded-Proto";
const HOST: &str = "X-Forwarded-Host";

/// Returns true for the name of a header about the proxies before the sender, in any case.
///
/// An underscore counts as a hyphen: a server that has its headers as CGI variables (Ceph RGW) reads both as one.
#[inline]
pub(super) fn is_forwarding(name: &[u8]) -> bool {
    match name {
        // The first bytes rule out every line of S3 (x-amz-…).
        [b'x' | b'X', _, b'f' | b'F', ..] => begins(name, b"x-forwarded-"),
        [b'x' | b'X', _, b'r' | b'R', ..] => name.len() == 9 && begins(name, b"x-real-ip"),
        // RFC 7239.
        [b'f' | b'F', ..] => name.eq_ignore_ascii_case(b"forwarded"),
        _ => false,
    }
}

fn begins(name: &[u8], with: &[u8]) -> bool {
    let is_same = |(byte, wanted): (&u8, &u8)| byte.eq_ignore_ascii_case(wanted) || (*wanted == b'-' && *byte == b'_');
    name.len() >= with.len() && name.iter().zip(with).all(is_same)
}

/// The proxies before a trusted peer, as far as its lines are trusted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// The client at its beginning.
    pub(super) client: SocketAddr,
    /// The client and the proxies after it, as `X-Forwarded-For` has them, without the peer.
    hops: String,
}

/// The proxies whose lines are trusted, and whether upstreams get lines of ours.
pub(super) struct Forwarding {
    is_off: bool,
    trusted: Box<[IpNet]>,
}

impl Forwarding {
    pub(super) fn of(config: &Forwarded) -> Self {
        Self { is_off: config.mode == ForwardedMode::Off, trusted: config.trusted.clone().into() }
    }

    /// The client at this address. One of IPv4 has its own address, also where the socket is one of IPv6 (RFC 4291 §2.5.5.2).
    pub(super) fn peer(&self, address: Option<SocketAddr>, is_tls: bool, listener: Option<usize>) -> ClientPeer {
        let address = address.map(|address| SocketAddr::new(address.ip().to_canonical(), address.port()));
        let is_trusted = address.is_some_and(|address| self.trusts(address.ip()));
        ClientPeer::new(address, is_tls, is_trusted, listener)
    }

    /// Returns true if the lines of the proxy at this address are trusted (`forwarded.trusted`).
    fn trusts(&self, ip: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&ip))
    }

    /// The end of `X-Forwarded-For` that trusted proxies have written: from the right, up to the first address that is not one of
    /// theirs. Entries further left came with the request to the first trusted proxy, so that a client can forge them.
    pub(super) fn chain(&self, head: &impl RequestHead, peer: &ClientPeer) -> Option<Chain> {
        if !peer.is_trusted {
            return None;
        }
        let lines: Vec<_> = head.lines().filter(|(name, _)| name.eq_ignore_ascii_case(FOR.as_bytes())).collect();
        let mut hops: Vec<&str> = Vec::new();
        let mut client = None;
        let entries = lines.iter().rev().flat_map(|(_, value)| value.rsplit(|byte| *byte == b','));
        for entry in entries {
            let Some(address) = str::from_utf8(entry).ok().and_then(address_of) else { break };
            hops.push(str::from_utf8(entry).unwrap_or_default().trim());
            client = Some(address);
            if !self.trusts(address.ip()) {
                break;
            }
        }
        hops.reverse();
        client.map(|client| Chain { client, hops: hops.join(", ") })
    }

    /// The lines about the client that the upstream gets; `has_lines`: the request has such of its own; `has_via`: it has a `Via`.
    pub(super) fn lines<'r>(
        &self,
        head: &'r impl RequestHead,
        peer: &'r ClientPeer,
        (has_lines, has_via): (bool, bool),
        chain: Option<&'r Chain>,
    ) -> Option<ForwardedLines<'r>> {
        if self.is_off {
            return None;
        }
        let mut lines = ForwardedLines {
            has_lines,
            signed: if has_lines || has_via { checked_names(head) } else { None },
            hops: None,
            ip: peer.ip(),
            proto: scheme(peer.is_tls),
            host: head.host(),
        };
        if has_lines && peer.is_trusted {
            lines.hops = chain.map(|chain| chain.hops.as_str());
            lines.proto = last_entry(head, PROTO).and_then(scheme_of).unwrap_or(lines.proto);
            lines.host = last_entry(head, HOST).or(lines.host);
        }
        Some(lines)
    }
}

/// Returns true if the client's request was encrypted on its way to us, as far as a trusted peer or the connection says.
pub(super) fn is_encrypted(head: &impl RequestHead, peer: &ClientPeer, has_lines: bool) -> bool {
    let is_trusted = has_lines && peer.is_trusted;
    let of_peer = if is_trusted { last_entry(head, PROTO).and_then(scheme_of) } else { None };
    of_peer.map_or(peer.is_tls, |scheme| scheme == "https")
}

/// The lines about the client for an upstream.
#[derive(Debug)]
pub(super) struct ForwardedLines<'r> {
    /// Set if the request has such lines of its own.
    has_lines: bool,
    /// The names of the headers that the request signs.
    signed: Option<Cow<'r, str>>,
    hops: Option<&'r str>,
    ip: &'r str,
    proto: &'static str,
    host: Option<&'r str>,
}

impl ForwardedLines<'_> {
    /// Leaves out which host the client asked for.
    pub(super) const fn leave_out_host(&mut self) {
        self.host = None;
    }

    /// Whether a line of the request ends here.
    pub(super) fn replaces(&self, name: &[u8]) -> bool {
        self.has_lines && is_forwarding(name) && !self.is_signed(name)
    }

    fn is_signed(&self, name: &[u8]) -> bool {
        let signed = self.signed.iter().flat_map(|names| names.split(';'));
        signed.into_iter().any(|signed| signed.as_bytes().eq_ignore_ascii_case(name))
    }

    /// Hands over the name and the parts of the value of each line. One that the request signs is there already.
    pub(super) fn for_each(&self, mut line: impl FnMut(&'static str, [&str; 3])) {
        let mut add = |name: &'static str, value: [&str; 3]| {
            if !self.is_signed(name.as_bytes()) {
                line(name, value);
            }
        };
        match self.hops {
            Some(hops) => add(FOR, [hops, ", ", self.ip]),
            None if !self.ip.is_empty() => add(FOR, [self.ip, "", ""]),
            None => {}
        }
        add(PROTO, [self.proto, "", ""]);
        if let Some(host) = self.host {
            add(HOST, [host, "", ""]);
        }
        let (name, value) = via::LINE;
        add(name, value);
    }
}

const fn scheme(is_tls: bool) -> &'static str {
    if is_tls { "https" } else { "http" }
}

/// The last entry of all lines of a name: what the last proxy saw. A proxy appends an entry or a line (RFC 9110 §5.3), so every earlier
/// one can be a stranger's. `None` where it is empty or no text: then nothing is believed.
fn last_entry<'r>(head: &'r impl RequestHead, name: &str) -> Option<&'r str> {
    let lines = head.lines().filter(|(line, _)| line.eq_ignore_ascii_case(name.as_bytes()));
    let (_, value) = lines.last()?;
    let entry = str::from_utf8(value).ok()?.rsplit(',').next()?.trim();
    (!entry.is_empty()).then_some(entry)
}

fn scheme_of(entry: &str) -> Option<&'static str> {
    ["https", "http"].into_iter().find(|scheme| entry.eq_ignore_ascii_case(scheme))
}

/// An entry of `X-Forwarded-For`: an IP address, in some proxies' spelling with a port or in brackets. Port 0 is one that is not known.
fn address_of(entry: &str) -> Option<SocketAddr> {
    let entry = entry.trim();
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let ip = bare.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 0));
    let address = ip.or_else(|_| entry.parse()).ok()?;
    Some(SocketAddr::new(address.ip().to_canonical(), address.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_about_those_before_is_known_in_every_spelling() {
        for (name, is_one) in [
            ("X-Forwarded-For", true),
            ("x-forwarded-for", true),
            ("X_FORWARDED_FOR", true),
            ("X-Forwarded_Proto", true),
            ("X-Forwarded-Anything", true),
            ("X-Real-IP", true),
            ("x_real_ip", true),
            ("Forwarded", true),
            ("X-Real-IP-2", false),
            ("X-Forwarde", false),
            ("Forwarded-For", false),
            ("x-amz-date", false),
            ("From", false),
            ("", false),
        ] {
            assert_eq!(is_forwarding(name.as_bytes()), is_one, "{name}");
        }
    }

    #[test]
    fn an_entry_is_an_address_as_proxies_write_it() {
        for (entry, address) in [
            ("192.0.2.1", Some("192.0.2.1:0")),
            (" 192.0.2.1\t", Some("192.0.2.1:0")),
            ("192.0.2.1:4711", Some("192.0.2.1:4711")),
            ("2001:db8::1", Some("[2001:db8::1]:0")),
            ("[2001:db8::1]", Some("[2001:db8::1]:0")),
            ("[2001:db8::1]:80", Some("[2001:db8::1]:80")),
            ("::ffff:192.0.2.1", Some("192.0.2.1:0")),
            ("unknown", None),
            ("_hidden", None),
            ("", None),
        ] {
            assert_eq!(address_of(entry), address.map(|text| text.parse().unwrap()), "{entry}");
        }
    }

    #[test]
    fn of_several_lines_and_entries_the_last_counts() {
        for (lines, host, scheme) in [
            (
                &[("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "a.example")][..],
                Some("a.example"),
                Some("https"),
            ),
            (&[("x-forwarded-proto", "HTTPS")], None, Some("https")),
            (&[("x-forwarded-proto", "https, http")], None, Some("http")),
            (&[("x-forwarded-proto", "http,https ")], None, Some("https")),
            (&[("x-forwarded-proto", "https"), ("X-FORWARDED-PROTO", "http")], None, Some("http")),
            (&[("x-forwarded-proto", "http"), ("x-forwarded-proto", "http, https")], None, Some("https")),
            (&[("x-forwarded-proto", "https"), ("x-forwarded-proto", "wss")], None, None),
            (&[("x-forwarded-proto", "https"), ("x-forwarded-proto", "")], None, None),
            (&[("x-forwarded-proto", "https,")], None, None),
            (&[("x-forwarded-proto", "http"), ("x_forwarded_proto", "https")], None, Some("http")),
            (&[("x_forwarded-proto", "https"), ("x-forwarded_host", "a.example")], None, None),
            (&[("x-forwarded-host", "evil.example"), ("X-Forwarded-Host", "a.example")], Some("a.example"), None),
            (&[("x-forwarded-host", "evil.example , a.example:8443")], Some("a.example:8443"), None),
            (&[("x-forwarded-host", "a.example"), ("x-forwarded-host", "\u{e9}")], Some("\u{e9}"), None),
            (&[("x-forwarded-host", "a.example, ")], None, None),
            (&[], None, None),
        ] {
            let mut request = http::Request::new(());
            for (name, value) in lines {
                let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
                request.headers_mut().append(http::HeaderName::try_from(*name).unwrap(), value);
            }
            let (head, ()) = request.into_parts();
            assert_eq!(last_entry(&head, HOST), host, "{lines:?}");
            assert_eq!(last_entry(&head, PROTO).and_then(scheme_of), scheme, "{lines:?}");
        }
    }
}
