//! The time that an upstream keeps a connection open that has nothing to do, as the field `Keep-Alive` of its response says.
//!
//! The field is no standard (RFC 9110 §7.6.1 only reserves its name); Apache, nginx, Node.js and Ceph RGW send `timeout=SECONDS`, which
//! draft-thomson-hybi-http-timeout-03 §2 describes.

use s3cors_http1::response_head::ResponseHead;
use std::time::Duration;

/// The time by which a connection ends earlier here: that of a request on its way.
const MARGIN: Duration = Duration::from_secs(1);

/// Returns how long the connection can be used again; zero is not at all, `None` says nothing.
pub(super) fn patience(head: &ResponseHead<'_>) -> Option<Duration> {
    if !head.has_keep_alive_line() {
        return None;
    }
    let lines = head.lines().filter(|line| line.name.eq_ignore_ascii_case(b"keep-alive"));
    lines.flat_map(|line| line.value.split(|byte| *byte == b',')).filter_map(timeout).min().map(usable)
}

/// The seconds of `timeout=SECONDS`.
fn timeout(parameter: &[u8]) -> Option<u64> {
    let at = parameter.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (parameter.get(..at)?.trim_ascii(), parameter.get(at + 1..)?.trim_ascii());
    if !name.eq_ignore_ascii_case(b"timeout") || value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |seconds, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        Some(seconds.saturating_mul(10).saturating_add(digit))
    })
}

/// A second less, but half of a single second.
fn usable(seconds: u64) -> Duration {
    let stated = Duration::from_secs(seconds);
    stated.saturating_sub(MARGIN).max(stated.min(MARGIN) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3cors_http1::response_head::{Parsed, parse};

    #[test]
    fn a_connection_ends_here_before_it_ends_there() {
        for (lines, expected) in [
            ("", None),
            ("Keep-Alive: timeout=5\r\n", Some(4_000)),
            ("keep-alive: max=100, Timeout = 65\r\n", Some(64_000)),
            ("Keep-Alive: timeout=2\r\n", Some(1_000)),
            ("Keep-Alive: timeout=1\r\n", Some(500)),
            ("Keep-Alive: timeout=0\r\n", Some(0)),
            ("Keep-Alive: timeout=60\r\nKeep-Alive: timeout=3, max=9\r\n", Some(2_000)),
            ("Keep-Alive: timeout=99999999999999999999999\r\n", Some(u64::MAX)),
            ("Keep-Alive: max=5\r\n", None),
            ("Keep-Alive: timeout\r\n", None),
            ("Keep-Alive: timeout=\r\n", None),
            ("Keep-Alive: timeout=-1\r\n", None),
            ("Keep-Alive: timeout=5s\r\n", None),
            ("Keep-Alive: xtimeout=5\r\n", None),
        ] {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{lines}\r\n");
            let Parsed::Head(head) = parse(head.as_bytes()) else { panic!("{lines:?}") };
            let milliseconds = |patience: Duration| u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
            assert_eq!(patience(&head).map(milliseconds), expected, "{lines:?}");
        }
    }
}
