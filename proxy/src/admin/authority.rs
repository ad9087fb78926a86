//! The names by which a request calls this listener, and whether a stranger could own one of them.
//!
//! A page of `evil.example` can have its name resolve to this machine and then read every response here as its own (DNS rebinding). Its
//! browser still sends `Host: evil.example`.

use crate::config::AdminListener;
use http::HeaderMap;
use http::header::HOST;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The ends of names that no registry gives to strangers: RFC 6761 (`localhost`), RFC 6762 (`local`, and so `cluster.local`), ICANN's
/// `internal`, and the short names of Kubernetes' services.
const NOT_FOR_STRANGERS: [&str; 4] = [".localhost", ".local", ".internal", ".svc"];

/// Everything in a request that says which host it is for: the target's authority where the target has one, and each `Host` line.
pub(super) fn authorities<'r>(target: &'r [u8], headers: &'r HeaderMap) -> impl Iterator<Item = &'r [u8]> {
    of_target(target).into_iter().chain(headers.get_all(HOST).iter().map(|host| host.as_bytes().trim_ascii()))
}

/// The authority of a target that is not just a path (RFC 9112 §3.2).
fn of_target(target: &[u8]) -> Option<&[u8]> {
    if target.is_empty() || target.starts_with(b"/") || target.starts_with(b"?") || target == b"*" {
        return None;
    }
    let after_scheme = target.windows(3).position(|bytes| bytes == b"://").and_then(|at| target.get(at + 3..));
    let authority = after_scheme.unwrap_or(target);
    authority.split(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\')).next()
}

/// Returns whether a request that names this authority can be served: no stranger owns it, or the configuration names it.
///
/// An empty one passes, as a missing line does: browsers always send the name.
pub(super) fn is_own(authority: &[u8], listener: &AdminListener) -> bool {
    authority.is_empty() || std::str::from_utf8(authority).is_ok_and(|authority| is_own_text(authority, listener))
}

fn is_own_text(authority: &str, listener: &AdminListener) -> bool {
    if authority.parse::<Ipv6Addr>().is_ok() {
        return true;
    }
    let Some(host) = without_port(authority) else { return false };
    if let Some(literal) = host.strip_prefix('[') {
        // A zone (RFC 6874) is a name for an interface of one machine.
        let address = literal.strip_suffix(']').and_then(|literal| literal.split('%').next());
        return address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if name.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let is_label_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_name = name.split('.').all(|label| !label.is_empty() && label.bytes().all(is_label_byte));
    let is_local = !name.contains('.') || NOT_FOR_STRANGERS.iter().any(|end| name.ends_with(end));
    is_name && (is_local || listener.hosts.iter().any(|own| own.as_str() == name))
}

/// The host of an authority; `None` where what follows it is no port.
fn without_port(authority: &str) -> Option<&str> {
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let (_, rest) = authority.split_at_checked(end)?;
    let Some(colon) = rest.find(':') else { return Some(authority) };
    let (host, port) = authority.split_at_checked(end + colon)?;
    let digits = port.strip_prefix(':')?;
    (digits.is_empty() || digits.parse::<u16>().is_ok() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then_some(host)
}

/// Compares an `Origin` with that of the pages of this listener: its scheme, and the host and port of the authority.
pub(super) fn is_origin_of(origin: &[u8], authority: &[u8], is_tls: bool) -> bool {
    let (scheme, default_port) = if is_tls { ("https://", ":443") } else { ("http://", ":80") };
    let Some(of_page) = origin.strip_prefix(scheme.as_bytes()) else { return false };
    let without_default = |text: &[u8]| text.strip_suffix(default_port.as_bytes()).unwrap_or(text).to_ascii_lowercase();
    let of_listener = without_default(authority);
    !of_listener.is_empty() && without_default(of_page) == of_listener
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener() -> AdminListener {
        let hosts = vec!["s3cors.example.com".parse().unwrap()];
        AdminListener { hosts, ..AdminListener::default() }
    }

    #[test]
    fn only_a_name_that_no_stranger_can_own_is_ours() {
        for own in [
            "",
            "127.0.0.1",
            "127.0.0.1:9180",
            "127.0.0.1.",
            "10.1.2.3:",
            "[::1]",
            "[::1]:9180",
            "[fe80::1%eth0.1]:9180",
            "::1",
            "[::ffff:127.0.0.1]:1",
            "localhost",
            "LOCALHOST:9180",
            "localhost.:9180",
            "s3cors",
            "s3cors:9180",
            "s3_cors:9180",
            "a.localhost",
            "printer.local:9180",
            "s3cors.internal",
            "s3cors.web.svc",
            "s3cors.web.svc.:9180",
            "S3cors.Web.Svc.Cluster.Local:9180",
            "s3cors.example.com",
            "S3CORS.example.com.:443",
        ] {
            assert!(is_own(own.as_bytes(), &listener()), "{own:?}");
        }
        for foreign in [
            "evil.example",
            "evil.example:9180",
            "evil.example.",
            "evil.example.:9180",
            "127.0.0.1.nip.io",
            "127.0.0.1.nip.io:9180",
            "1.2.3.4.5",
            "0x7f.1",
            "127.1",
            "127.0.0.01",
            "s3cors.svc.evil.example",
            "localhost.evil.example",
            "evillocalhost.example",
            "evil.example:.local",
            "evil.example:80.local",
            "evil.example/.local",
            "evil.example#.local",
            "evil.example\\.local",
            "evil.example@a.local",
            "a.local@evil.example",
            "evil.example .local",
            "evil.example,a.local",
            "evil.example%00.local",
            "evil.example\0.local",
            ".local",
            "..local",
            "evil..local",
            "a.local..",
            ".",
            "..",
            ":9180.x",
            "a.local:99999",
            "a.local:+80",
            "a.local:80:80",
            "127.0.0.1:x",
            "[::1",
            "::1]",
            "[::1]x",
            "[::1]:x",
            "[evil.example]",
            "[::1].evil.example",
            "[::1]:80.evil.example",
            "[%.evil.example]",
            "xs3cors.example.com",
            "a.s3cors.example.com",
            "s3cors.example.com.evil",
            "m\u{fc}ller.local",
            "*.local",
            "'.local",
            "127.0.0.1:9180, evil.example",
        ] {
            assert!(!is_own(foreign.as_bytes(), &listener()), "{foreign:?}");
        }
        assert!(!is_own(b"\xff.local", &listener()));
    }

    #[test]
    fn each_line_and_the_target_name_a_host() {
        let mut headers = HeaderMap::new();
        headers.append(HOST, http::HeaderValue::from_static(" a "));
        headers.append(HOST, http::HeaderValue::from_static("b"));
        for (target, named) in [
            ("/metrics", vec!["a", "b"]),
            ("//evil.example/metrics", vec!["a", "b"]),
            ("*", vec!["a", "b"]),
            ("?x=://y/", vec!["a", "b"]),
            ("http://evil.example/metrics?x", vec!["evil.example", "a", "b"]),
            ("http://evil.example", vec!["evil.example", "a", "b"]),
            ("HTTP://evil.example\\x", vec!["evil.example", "a", "b"]),
            ("evil.example:80", vec!["evil.example:80", "a", "b"]),
            ("evil.example/metrics", vec!["evil.example", "a", "b"]),
        ] {
            let seen: Vec<_> =
                authorities(target.as_bytes(), &headers).map(|name| String::from_utf8_lossy(name)).collect();
            assert_eq!(seen, named, "{target}");
        }
    }

    #[test]
    fn an_origin_is_ours_by_scheme_host_and_port() {
        for (origin, authority, is_tls, is_ours) in [
            ("http://127.0.0.1:9180", "127.0.0.1:9180", false, true),
            ("http://LOCALHOST:9180", "localhost:9180", false, true),
            ("http://localhost", "localhost:80", false, true),
            ("http://localhost:80", "localhost", false, true),
            ("https://localhost", "localhost:443", true, true),
            ("http://[::1]:9180", "[::1]:9180", false, true),
            ("https://127.0.0.1:9180", "127.0.0.1:9180", false, false),
            ("http://127.0.0.1:9180", "127.0.0.1:9180", true, false),
            ("http://127.0.0.1:8080", "127.0.0.1:9180", false, false),
            ("http://127.0.0.1", "127.0.0.1:9180", false, false),
            ("http://localhost:9180", "127.0.0.1:9180", false, false),
            ("http://localhost.:9180", "localhost:9180", false, false),
            ("http://evil.example", "127.0.0.1:9180", false, false),
            ("http://127.0.0.1:9180/", "127.0.0.1:9180", false, false),
            ("http://127.0.0.1:9180, http://a", "127.0.0.1:9180", false, false),
            ("null", "127.0.0.1:9180", false, false),
            ("", "", false, false),
            ("http://", "", false, false),
            ("http://:80", "", false, false),
        ] {
            assert_eq!(is_origin_of(origin.as_bytes(), authority.as_bytes(), is_tls), is_ours, "{origin} {authority}");
        }
    }

    /// An independent reader: whatever of these a browser takes as a host, it is ours or not by the URL standard's own reading.
    fn is_own_to_a_browser(authority: &str) -> bool {
        let Ok(url) = url::Url::parse(&format!("http://{authority}/")) else { return true };
        match url.host() {
            Some(url::Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                let ends = |end: &str| name.rsplit_once(end).is_some_and(|(_, rest)| rest.is_empty());
                let is_local = !name.contains('.') || NOT_FOR_STRANGERS.iter().any(|end| ends(end));
                is_local || name == "s3cors.example.com"
            }
            _ => true,
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(20_000))]
        #[test]
        fn no_text_that_a_browser_reads_as_a_strangers_name_is_ours(parts in proptest::collection::vec(proptest::sample::select(vec![
            "evil", "example", "s3cors", "com", "local", "localhost", "internal", "svc", "cluster", "127", "0x7f", "0", "1", "nip", "io",
            ".", ".", ".", "..", ":", "9180", "[", "]", "::1", "%", "%2e", "%00", "@", "/", "\\", "#", "?", " ", "\t", "-", "_", "*", "\u{3002}", "\u{ff0e}", "A",
        ]), 1..9)) {
            let authority = parts.concat();
            proptest::prop_assert!(!is_own(authority.as_bytes(), &listener()) || is_own_to_a_browser(&authority), "{authority:?}");
        }
    }
}
