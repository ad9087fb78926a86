//! The origins that browsers send.
//!
//! Decides: whether a text is one (Fetch, serialising an origin; URL, serialising a host), and what is wrong with it if not; whose
//! site it is. Must not know: patterns.

use super::super::warning::NeverSent;
use super::public_suffix::registered;
use super::similar::is_close;
use crate::placeholder::placeholder;
use crate::punycode;
use core::net::{Ipv4Addr, Ipv6Addr};

/// The longest name of the DNS, and the longest part of one (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// Top-level domains in which no one can register a name (RFC 6761, RFC 6762 appendix G, RFC 8375; ICANN: internal). `example` is
/// not among them: where documentation uses it, it stands for one in which anyone can.
const PRIVATE: [&str; 10] =
    ["arpa", "corp", "home", "internal", "intranet", "lan", "local", "localhost", "private", "test"];

/// An origin as a browser writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BrowserOrigin<'t> {
    scheme: &'t str,
    host: &'t str,
}

/// Those who control what an origin serves: two origins of one site have one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Site<'t> {
    /// A domain that one owner has registered below a public suffix, or an IP address.
    Registered(&'t str),
    /// A top-level domain of [`PRIVATE`]: all of it belongs to one network.
    Private(&'t str),
}

impl<'t> BrowserOrigin<'t> {
    /// Reads an origin that has a scheme and a host, which `null` has not.
    pub(crate) fn parse(text: &'t str) -> Result<Self, NeverSent> {
        let origin = Self::parse_filled(text)?;
        let is_server = default_port(origin.scheme).is_some();
        let is_punycode = !is_server || origin.host.split('.').all(is_punycode_or_plain);
        if is_punycode { Ok(origin) } else { Err(NeverSent::Host) }
    }

    /// Reads an origin in which a wildcard was filled with an example: the rest of an `xn--` label may be any.
    pub(crate) fn parse_filled(text: &'t str) -> Result<Self, NeverSent> {
        characters(text)?;
        let (scheme, rest) = text.split_once("://").ok_or(NeverSent::NoScheme)?;
        if !is_scheme(scheme) {
            return Err(if scheme.contains(char::is_uppercase) { NeverSent::UpperCase } else { NeverSent::Scheme });
        }
        if rest.split('/').next().is_some_and(|authority| authority.contains('@')) {
            return Err(NeverSent::User);
        }
        if rest.contains(['?', '#']) {
            return Err(NeverSent::Query);
        }
        if rest.contains('/') {
            return Err(NeverSent::Path);
        }
        let Some(default_port) = default_port(scheme) else { return other_scheme(scheme, rest) };
        if rest.contains(|character: char| character.is_ascii_uppercase()) {
            return Err(NeverSent::UpperCase);
        }
        let (host, port) = split_port(rest);
        if !is_host(host) {
            return Err(NeverSent::Host);
        }
        if let Some(port) = port {
            check_port(port, default_port)?;
        }
        Ok(Self { scheme, host })
    }

    /// Whether anyone on the network path can impersonate it.
    pub(crate) fn is_insecure(&self) -> bool {
        self.scheme == "http" && !self.is_loopback()
    }

    /// Returns true for names and addresses of the machine itself.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(self.host)
    }

    /// Whose it is; `None` for an origin of an application, whose host is no name of the DNS.
    pub(crate) fn site(&self) -> Option<Site<'t>> {
        default_port(self.scheme)?;
        if is_address(self.host) {
            return Some(Site::Registered(self.host));
        }
        let host = self.host.strip_suffix('.').unwrap_or(self.host);
        let top = host.rsplit('.').next().unwrap_or(host);
        if PRIVATE.contains(&top) {
            return Some(Site::Private(top));
        }
        Some(Site::Registered(registered(host).unwrap_or(host)))
    }
}

/// What no part of an origin can hold.
fn characters(text: &str) -> Result<(), NeverSent> {
    if text.is_empty() {
        return Err(NeverSent::Empty);
    }
    if placeholder(text).is_some() {
        return Err(NeverSent::Placeholder);
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(',') {
        return Err(NeverSent::NotAscii);
    }
    if is_regular_expression(text) {
        return Err(NeverSent::RegularExpression);
    }
    if text.contains([';', '|']) {
        return Err(NeverSent::Several);
    }
    if text.contains(',') || text.matches("://").count() > 1 {
        return Err(NeverSent::List);
    }
    Ok(())
}

/// Returns true for anchors, escapes and groups.
fn is_regular_expression(text: &str) -> bool {
    let is_between_slashes = text.strip_prefix('/').is_some_and(|rest| rest.ends_with('/') && !rest.starts_with('/'));
    let is_enclosed = is_between_slashes || text.starts_with('^') || text.ends_with('$');
    is_enclosed || text.contains("\\.") || text.contains("(?") || (text.contains('(') && text.contains('|'))
}

fn is_scheme(scheme: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_lowercase()) && scheme.bytes().all(is_part)
}

fn default_port(scheme: &str) -> Option<&'static str> {
    match scheme {
        "http" => Some("80"),
        "https" => Some("443"),
        _ => None,
    }
}

/// The origin of an extension or application, such as `capacitor://localhost`: what follows the scheme is its own affair.
fn other_scheme<'t>(scheme: &'t str, host: &'t str) -> Result<BrowserOrigin<'t>, NeverSent> {
    // A page's origin is http or https, also of a page that opens WebSockets; the rest are misspellings.
    let no_page = matches!(scheme, "ws" | "wss" | "ftp" | "s3" | "about" | "blob" | "data" | "javascript");
    if no_page || is_close(scheme, "https") || is_close(scheme, "http") {
        return Err(NeverSent::Scheme);
    }
    Ok(BrowserOrigin { scheme, host })
}

fn split_port(rest: &str) -> (&str, Option<&str>) {
    match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (rest, None),
    }
}

/// A port is a number without leading zeros, and left out where it is the scheme's own.
fn check_port(port: &str, default: &str) -> Result<(), NeverSent> {
    if port == default {
        return Err(NeverSent::DefaultPort);
    }
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0');
    match port.parse::<u16>() {
        Ok(_) if is_number => Ok(()),
        _ => Err(NeverSent::Port),
    }
}

fn is_host(host: &str) -> bool {
    if host.starts_with('[') || is_ipv4_like(host) {
        return is_address(host);
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let is_label = |label: &str| (1..=MAX_LABEL).contains(&label.len()) && label.bytes().all(is_part);
    name.len() <= MAX_NAME && name.split('.').all(is_label)
}

/// A label that begins with `xn--` stands for one outside ASCII; browsers take no URL in which it does not (URL, "domain to ASCII").
fn is_punycode_or_plain(label: &str) -> bool {
    label.strip_prefix("xn--").is_none_or(|encoded| {
        let is_canonical =
            |decoded: &String| !decoded.is_ascii() && punycode::encode(decoded).as_deref() == Some(encoded);
        punycode::decode(encoded).is_some_and(|decoded| is_canonical(&decoded) && !decoded.contains(is_never_in_label))
    })
}

/// Returns true for what the mapping of domain names changes or refuses (UTS 46).
fn is_never_in_label(character: char) -> bool {
    character.is_uppercase() || character.is_control() || character.is_whitespace()
}

/// The last label is a number: URLs then have an IPv4 address or nothing (URL, "ends in a number").
fn is_ipv4_like(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_number = |last: &str| {
        let hexadecimal = last.strip_prefix("0x").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        hexadecimal.is_some() || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
    };
    name.rsplit('.').next().is_some_and(is_number)
}

/// An IP address in the one form in which URLs write it.
fn is_address(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(v6) => v6.parse::<Ipv6Addr>().is_ok_and(|address| serialised(address) == v6),
        None => host.parse::<Ipv4Addr>().is_ok(),
    }
}

/// An IPv6 address as URLs write it (URL, "IPv6 serializer"): in hexadecimal, also where an IPv4 address is in it.
fn serialised(address: Ipv6Addr) -> String {
    let shown = address.to_string();
    let Some((before, _)) = shown.rsplit_once(':').filter(|(_, last)| last.contains('.')) else { return shown };
    let [.., high, low] = address.segments();
    format!("{before}:{high:x}:{low:x}")
}

/// Names and addresses of the machine itself are trustworthy without TLS (Secure Contexts §3.1).
fn is_loopback(host: &str) -> bool {
    let is_local_name = host == "localhost" || host.ends_with(".localhost");
    is_local_name || host == "[::1]" || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_writes() {
        use NeverSent::{
            DefaultPort, Empty, Host, List, NoScheme, NotAscii, Path, Placeholder, Port, Query, Scheme, UpperCase, User,
        };
        for (text, expected) in [
            ("https://a.example", None),
            ("https://a.example.", None),
            ("https://a_b.example:8443", None),
            ("http://127.0.0.1:3000", None),
            ("http://[::1]:3000", None),
            ("https://xn--bcher-kva.example", None),
            ("capacitor://localhost", None),
            ("moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc", None),
            ("", Some(Empty)),
            ("https://a.example,https://b.example", Some(List)),
            ("https://a.example https://b.example", Some(NotAscii)),
            ("https://a.examplehttps://b.example", Some(List)),
            ("https://a b.example", Some(NotAscii)),
            ("https://bücher.example", Some(NotAscii)),
            ("a.example", Some(NoScheme)),
            ("https:/a.example", Some(NoScheme)),
            ("htpps://a.example", Some(Scheme)),
            ("wss://a.example", Some(Scheme)),
            ("HTTPS://a.example", Some(UpperCase)),
            ("https://A.example", Some(UpperCase)),
            ("https://a.example/", Some(Path)),
            ("https://a.example?x", Some(Query)),
            ("https://a.example#x", Some(Query)),
            ("https://", Some(Host)),
            ("https://.a.example", Some(Host)),
            ("https://a..example", Some(Host)),
            ("https://u@a.example", Some(User)),
            ("https://u:p@a.example/x", Some(User)),
            ("https://a.example/@x", Some(Path)),
            ("https://xn--a.example", Some(Host)),
            ("https://xn--abc-.example", Some(Host)),
            ("https://a.0x1", Some(Host)),
            ("https://127.1", Some(Host)),
            ("https://127.0.0.1.", Some(Host)),
            ("https://0x7f.0.0.1", Some(Host)),
            ("https://[::ffff:1.2.3.4]", Some(Host)),
            ("https://[::ffff:102:304]", None),
            ("https://[2001:db8:0:0::1]", Some(Host)),
            ("https://[2001:db8::1]:8443", None),
            ("https://[2001:DB8::1]", Some(UpperCase)),
            ("https://[fe80::1%25eth0]", Some(Host)),
            ("https://${HOST}", Some(Placeholder)),
            ("{{ origin }}", Some(Placeholder)),
            ("https://__HOST__", Some(Placeholder)),
            ("https://1.2.3", Some(Host)),
            ("https://1.2.3.256", Some(Host)),
            ("https://[::01]", Some(Host)),
            ("https://a.example:443", Some(DefaultPort)),
            ("http://a.example:80", Some(DefaultPort)),
            ("https://a.example:80", None),
            ("https://a.example:0443", Some(Port)),
            ("https://a.example:65536", Some(Port)),
            ("https://a.example:", Some(Port)),
            ("https://a.example:0", Some(Port)),
        ] {
            assert_eq!(BrowserOrigin::parse(text).err(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_site_is_what_one_owner_has() {
        for (text, expected) in [
            ("https://a.b.example.com", Some(Site::Registered("example.com"))),
            ("https://b.example.co.uk", Some(Site::Registered("example.co.uk"))),
            ("https://x.y.vercel.app", Some(Site::Registered("y.vercel.app"))),
            ("https://vercel.app", Some(Site::Registered("vercel.app"))),
            ("https://10.0.0.1", Some(Site::Registered("10.0.0.1"))),
            ("https://a.b.internal", Some(Site::Private("internal"))),
            ("app://x.example.com", None),
        ] {
            assert_eq!(BrowserOrigin::parse(text).unwrap().site(), expected, "{text}");
        }
    }
}
