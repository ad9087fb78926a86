//! Addresses to listen on, as people write them: as Caddy and Prometheus take them.

use super::values::ValueError;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(title = "An address: IP:PORT, localhost:PORT, or :PORT for all.")
)]
#[serde(try_from = "String")]
pub struct ListenAddress(#[cfg_attr(test, schemars(with = "String"))] SocketAddr);

impl FromStr for ListenAddress {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let text = text.trim();
        if is_unix_socket(text) {
            return Err(ValueError::new(
                text,
                "a Unix socket is not supported; listen on IP:PORT, such as 127.0.0.1:8080",
            ));
        }
        if let Ok(address) = text.parse() {
            return Ok(Self(address));
        }
        let invalid = || ValueError::new(text, instead(text));
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        let port: u16 = port.parse().map_err(|_| invalid())?;
        let address = match host {
            // Of IPv4, too: the system hands connections of both kinds to such a socket.
            "" | "*" => (Ipv6Addr::UNSPECIFIED, port).into(),
            "localhost" => (Ipv4Addr::LOCALHOST, port).into(),
            _ => return Err(invalid()),
        };
        Ok(Self(address))
    }
}

/// The forms of an address, with the one that the text was meant to be where that is known.
fn instead(text: &str) -> String {
    const FORMS: &str = "a listen address is IP:PORT, localhost:PORT, or :PORT for all addresses";
    let with_port = |text: &str| {
        let (host, port) = text.rsplit_once(':')?;
        Some((host.parse::<Ipv6Addr>().ok()?, port.parse::<u16>().ok()?))
    };
    let meant = match (text.parse::<u16>(), text.trim_matches(['[', ']']).parse::<IpAddr>(), with_port(text)) {
        (Ok(port), ..) => format!("write :{port} for all addresses, or 127.0.0.1:{port}"),
        // Most such addresses are ones by themselves, too.
        (_, _, Some((host, port))) => format!("write [{host}]:{port}"),
        (_, Ok(IpAddr::V6(ip)), _) => format!("write [{ip}]:8080, with the port that is meant"),
        (_, Ok(IpAddr::V4(ip)), _) => format!("write {ip}:8080, with the port that is meant"),
        _ => return FORMS.to_owned(),
    };
    format!("{FORMS}; {meant}")
}

/// Whether someone means a Unix socket: as nginx, HAProxy and systemd write one, or as its path.
pub(super) fn is_unix_socket(text: &str) -> bool {
    ["unix:", "unix@", "/", "@", "./"].iter().any(|start| text.starts_with(start))
}

impl TryFrom<String> for ListenAddress {
    type Error = ValueError;

    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<SocketAddr> for ListenAddress {
    fn from(address: SocketAddr) -> Self {
        Self(address)
    }
}

impl From<ListenAddress> for SocketAddr {
    fn from(address: ListenAddress) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unix_socket_is_named_as_what_it_is() {
        for text in [
            "unix:/run/s3cors.sock",
            "unix:///run/s3cors.sock",
            "unix@/run/s3cors.sock:",
            "/run/x.sock",
            "./x.sock",
            "@x",
        ] {
            let error = text.parse::<ListenAddress>().unwrap_err().to_string();
            assert!(error.contains("a Unix socket is not supported; listen on IP:PORT"), "{text}: {error}");
        }
    }

    #[test]
    fn an_address_that_lacks_a_part_is_shown_with_it() {
        for (text, said) in [
            ("8080", "write :8080 for all addresses, or 127.0.0.1:8080"),
            ("::1:8080", "write [::1]:8080"),
            (":::8080", "write [::]:8080"),
            ("fe80::1:8080", "write [fe80::1]:8080"),
            ("2001:db8::1", "write [2001:db8::1]:8080"),
            ("fe80::ffff", "write [fe80::ffff]:8080"),
            ("[::1]", "write [::1]:8080"),
            ("127.0.0.1", "write 127.0.0.1:8080"),
            ("${LISTEN}", "nothing replaces ${LISTEN}"),
            ("'127.0.0.1:8080'", "the quotes are a part of the value"),
            ("example.com:80", "IP:PORT, localhost:PORT"),
        ] {
            let error = text.parse::<ListenAddress>().unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn an_address_is_written_in_any_of_the_usual_ways() {
        for (text, address) in [
            (":8080", Some("[::]:8080")),
            ("*:8080", Some("[::]:8080")),
            ("localhost:8080", Some("127.0.0.1:8080")),
            (" 0.0.0.0:8080 ", Some("0.0.0.0:8080")),
            ("[::]:8080", Some("[::]:8080")),
            ("[::1]:0", Some("[::1]:0")),
            ("8080", None),
            ("", None),
            (":", None),
            (":65536", None),
            ("example.com:80", None),
            ("::1:80", None),
            ("http://localhost:80", None),
            ("fe80::1:8080", None),
        ] {
            let parsed = text.parse().map(|ListenAddress(address)| address.to_string());
            assert_eq!(parsed.ok().as_deref(), address, "{text:?}");
        }
    }
}
