//! The origin of a page, and that of a server that it requests from.
//!
//! Decides: which two are the same, whether a page may request over plain http, and which address is nearer to the user than which.

use crate::NeverSent;
use crate::document::lint::browser_origin::BrowserOrigin;
use core::net::{Ipv4Addr, Ipv6Addr};
use std::fmt;

/// The origin of a page, as the browser writes it (HTML, "ASCII serialization of an origin").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageOrigin {
    /// That of a sandboxed frame or of a `data:` URL: `null`, and no other origin is the same.
    Opaque,
    /// That of a server.
    Server(ServerOrigin),
    /// That of an extension or application, such as `capacitor://localhost`.
    Other(Box<str>),
}

/// An origin that a server has: `http` or `https`, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOrigin(Box<str>);

/// A text that is no origin of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoServerOrigin {
    /// No browser writes an origin so.
    #[error("{}", .0.as_str())]
    NeverSent(NeverSent),
    /// Only what `http` and `https` name can be requested.
    #[error("it does not begin with http:// or https://")]
    Scheme,
}

/// Where an address is, seen from the user (Local Network Access, "IP address space"). What is nearer is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AddressSpace {
    Loopback,
    Local,
    /// Also a name whose address is not known.
    Public,
}

impl PageOrigin {
    /// Reads an origin.
    ///
    /// # Errors
    /// [`NeverSent`] for what no browser sends.
    pub fn parse(text: &str) -> Result<Self, NeverSent> {
        if text == "null" {
            return Ok(Self::Opaque);
        }
        match ServerOrigin::parse(text) {
            Ok(server) => Ok(Self::Server(server)),
            Err(NoServerOrigin::Scheme) => Ok(Self::Other(text.into())),
            Err(NoServerOrigin::NeverSent(never)) => Err(never),
        }
    }

    /// As `Origin` has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Opaque => "null",
            Self::Server(server) => server.as_str(),
            Self::Other(text) => text,
        }
    }

    pub(super) fn is(&self, target: Option<&ServerOrigin>) -> bool {
        matches!((self, target), (Self::Server(own), Some(target)) if own == target)
    }

    /// Whether the browser requests nothing from there, because the page came over https and the request would not (Mixed Content
    /// §4.4). A loopback address is as trustworthy as https (Secure Contexts §3.1), and about one of the local network Chromium asks
    /// the user instead (Local Network Access, "Mixed Content").
    pub(super) fn has_as_mixed_content(&self, target: &ServerOrigin) -> bool {
        matches!(self, Self::Server(own) if own.is_https())
            && !target.is_https()
            && target.space() == AddressSpace::Public
    }

    pub(super) fn space(&self) -> AddressSpace {
        match self {
            Self::Server(server) => server.space(),
            Self::Opaque | Self::Other(_) => AddressSpace::Public,
        }
    }
}

impl ServerOrigin {
    /// Reads an origin of `http` or `https`.
    ///
    /// # Errors
    /// [`NoServerOrigin`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, NoServerOrigin> {
        BrowserOrigin::parse(text).map_err(NoServerOrigin::NeverSent)?;
        let is_server = text.starts_with("http://") || text.starts_with("https://");
        if is_server { Ok(Self(text.into())) } else { Err(NoServerOrigin::Scheme) }
    }

    /// As a browser writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// The host without the port, and an IPv6 address without its brackets.
    fn host(&self) -> &str {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        match rest.strip_prefix('[') {
            Some(address) => address.split(']').next().unwrap_or(address),
            None => rest.split(':').next().unwrap_or(rest),
        }
    }

    pub(super) fn space(&self) -> AddressSpace {
        let host = self.host();
        if let Ok(address) = host.parse::<Ipv4Addr>() {
            return of_ipv4(address);
        }
        if let Ok(address) = host.parse::<Ipv6Addr>() {
            return of_ipv6(address);
        }
        // Browsers resolve these themselves (RFC 6761 §6.3), and names below .local on the local network (RFC 6762 §3).
        match host.trim_end_matches('.').rsplit('.').next() {
            Some("localhost") => AddressSpace::Loopback,
            Some("local") => AddressSpace::Local,
            _ => AddressSpace::Public,
        }
    }
}

fn of_ipv4(address: Ipv4Addr) -> AddressSpace {
    if address.is_loopback() {
        AddressSpace::Loopback
    } else if address.is_private() || address.is_link_local() {
        AddressSpace::Local
    } else {
        AddressSpace::Public
    }
}

fn of_ipv6(address: Ipv6Addr) -> AddressSpace {
    if address.is_loopback() {
        AddressSpace::Loopback
    } else if address.is_unique_local() || address.is_unicast_link_local() {
        AddressSpace::Local
    } else {
        AddressSpace::Public
    }
}

impl fmt::Display for PageOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ServerOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_one_that_a_browser_writes() {
        for (text, expected) in [
            ("null", Ok(PageOrigin::Opaque)),
            ("https://app.example", Ok(PageOrigin::Server(ServerOrigin("https://app.example".into())))),
            ("capacitor://localhost", Ok(PageOrigin::Other("capacitor://localhost".into()))),
            ("https://app.example/", Err(NeverSent::Path)),
            ("https://App.example", Err(NeverSent::UpperCase)),
            ("app.example", Err(NeverSent::NoScheme)),
        ] {
            assert_eq!(PageOrigin::parse(text), expected, "{text}");
        }
        assert_eq!(ServerOrigin::parse("capacitor://localhost"), Err(NoServerOrigin::Scheme));
        assert_eq!(ServerOrigin::parse("null"), Err(NoServerOrigin::NeverSent(NeverSent::NoScheme)));
    }

    #[test]
    fn an_address_is_as_near_as_its_number_says() {
        for (origin, space) in [
            ("http://localhost:9000", AddressSpace::Loopback),
            ("http://s3.localhost", AddressSpace::Loopback),
            ("http://127.1.2.3", AddressSpace::Loopback),
            ("http://[::1]:9000", AddressSpace::Loopback),
            ("http://192.168.1.4:9000", AddressSpace::Local),
            ("http://10.0.0.1", AddressSpace::Local),
            ("http://169.254.1.1", AddressSpace::Local),
            ("http://nas.local", AddressSpace::Local),
            ("http://[fd00::1]", AddressSpace::Local),
            ("https://192.0.2.1", AddressSpace::Public),
            ("https://s3.example", AddressSpace::Public),
        ] {
            assert_eq!(ServerOrigin::parse(origin).unwrap().space(), space, "{origin}");
        }
    }

    #[test]
    fn a_page_over_https_requests_plain_http_only_from_near_by() {
        for (page, target, is_mixed) in [
            ("https://app.example", "http://s3.example", true),
            ("https://app.example", "http://192.0.2.1", true),
            ("https://app.example", "http://192.168.0.2", false),
            ("https://app.example", "http://127.0.0.1:9000", false),
            ("https://app.example", "http://s3.localhost:9000", false),
            ("https://app.example", "https://s3.example", false),
            ("http://app.example", "http://s3.example", false),
        ] {
            let (page, target) = (PageOrigin::parse(page).unwrap(), ServerOrigin::parse(target).unwrap());
            assert_eq!(page.has_as_mixed_content(&target), is_mixed, "{page} {target}");
        }
    }
}
