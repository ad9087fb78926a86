//! One request to the admin listener of a running proxy.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for the connection, and for each read of the response.
const LIMIT: Duration = Duration::from_secs(2);
/// The longest response that is read.
const MAX_RESPONSE: u64 = 4 << 20;

/// What a proxy says.
pub(super) struct Answer {
    /// The first line of the response.
    pub(super) status_line: String,
    rest: std::io::Take<BufReader<TcpStream>>,
}

/// Asks for a path and query.
pub(super) fn ask(admin: SocketAddr, target: &str) -> std::io::Result<Answer> {
    let admin = reachable(admin);
    let mut stream = TcpStream::connect_timeout(&admin, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
    let mut rest = BufReader::new(stream).take(MAX_RESPONSE);
    let mut status_line = String::new();
    rest.read_line(&mut status_line)?;
    Ok(Answer { status_line, rest })
}

impl Answer {
    /// Whether it is what was asked for.
    pub(super) fn is_ok(&self) -> bool {
        self.status_line.split(' ').nth(1) == Some("200")
    }

    /// The body, which ends with the connection: that was asked for.
    pub(super) fn body(mut self) -> std::io::Result<String> {
        let mut line = String::new();
        while self.rest.read_line(&mut line)? > 0 && !line.trim_end().is_empty() {
            line.clear();
        }
        let mut body = String::new();
        self.rest.read_to_string(&mut body)?;
        Ok(body)
    }
}

/// A listener on all addresses is asked on this machine's own.
fn reachable(admin: SocketAddr) -> SocketAddr {
    let ip = match admin.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        // Such a listener takes connections of IPv4 too, and there is always an address for those.
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, admin.port())
}
