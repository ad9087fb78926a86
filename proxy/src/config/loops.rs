//! Upstreams that are a listener of this process: every request would come back, until connections or memory end.
//!
//! Decides by addresses alone, without asking the network: a name can lead elsewhere tomorrow. Loops over other hops are not seen here.

use super::error::ConfigError;
use super::upstream::UpstreamUrl;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An error for each upstream that is one of these listeners.
pub(super) fn own_listeners<'c>(
    upstreams: &'c [UpstreamUrl],
    listeners: &'c [SocketAddr],
) -> impl Iterator<Item = ConfigError> + 'c {
    upstreams.iter().filter_map(|upstream| {
        let address = *listeners.iter().find(|listener| reaches(upstream, **listener))?;
        Some(ConfigError::OwnListener { upstream: upstream.to_string(), address })
    })
}

/// Returns true if a connection to the upstream ends at the listener. Port 0 is a port that no one knows yet.
fn reaches(upstream: &UpstreamUrl, listener: SocketAddr) -> bool {
    let own = listener.ip().to_canonical();
    upstream.port() != 0
        && upstream.port() == listener.port()
        && addresses(upstream.host()).any(|ip| {
            // To connect to all addresses is to connect to this machine.
            let ip = match ip.to_canonical() {
                IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                ip => ip,
            };
            // A socket on [::] has connections of IPv4 too, unless the system is told otherwise.
            let is_all = own.is_unspecified() && (ip.is_ipv4() || own.is_ipv6());
            ip == own || is_all && ip.is_loopback()
        })
}

/// The addresses of a host that needs no lookup.
fn addresses(host: &str) -> impl Iterator<Item = IpAddr> {
    let is_local = host.trim_end_matches('.').eq_ignore_ascii_case("localhost");
    let local = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    local.into_iter().filter(move |_| is_local).chain(host.parse())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_no_listener_of_this_process() {
        for (listener, upstream, is_own) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080", true),
            ("127.0.0.1:8080", "https://127.0.0.1:8080", true),
            ("127.0.0.1:8080", "http://127.0.0.1:9000", false),
            ("127.0.0.1:80", "http://127.0.0.1", true),
            ("127.0.0.1:443", "https://localhost", true),
            ("127.0.0.1:8080", "http://localhost:8080", true),
            ("127.0.0.1:8080", "http://LOCALHOST.:8080", true),
            ("[::1]:8080", "http://localhost:8080", true),
            ("127.0.0.1:8080", "http://0.0.0.0:8080", true),
            ("127.0.0.1:8080", "http://0:8080", true),
            ("127.0.0.1:8080", "http://[::ffff:127.0.0.1]:8080", true),
            ("[::1]:8080", "http://[::]:8080", true),
            ("127.0.0.1:8080", "http://[::]:8080", false),
            ("127.0.0.1:8080", "http://127.0.0.2:8080", false),
            ("0.0.0.0:8080", "http://127.0.0.2:8080", true),
            ("0.0.0.0:8080", "http://0.0.0.0:8080", true),
            ("0.0.0.0:8080", "http://[::1]:8080", false),
            ("0.0.0.0:8080", "http://localhost:8080", true),
            ("[::]:8080", "http://[::1]:8080", true),
            ("[::]:8080", "http://127.0.0.1:8080", true),
            ("[::]:8080", "http://0.0.0.0:8080", true),
            ("192.0.2.1:8080", "http://192.0.2.1:8080", true),
            ("0.0.0.0:8080", "http://192.0.2.1:8080", false),
            ("0.0.0.0:8080", "http://minio:8080", false),
            ("0.0.0.0:8080", "http://localhost.example.com:8080", false),
            ("127.0.0.1:0", "http://127.0.0.1:9000", false),
        ] {
            let (listeners, upstreams) = ([listener.parse().unwrap()], [upstream.parse().unwrap()]);
            assert_eq!(own_listeners(&upstreams, &listeners).count(), usize::from(is_own), "{upstream} to {listener}");
        }
    }
}
