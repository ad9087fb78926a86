//! `s3cors healthcheck`: asks `/readyz` of a running proxy, for images without curl.

use super::fail;
use clap::Args;
use s3cors_proxy::config::{Config, ListenAddress};
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Longest wait for the connection, and for each read of the response.
const LIMIT: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(super) struct Healthcheck {
    /// Configuration file (YAML) of the running proxy, for the address of its admin listener
    #[arg(long, value_name = "FILE", env = "S3CORS_CONFIG")]
    config: Option<PathBuf>,
    /// Address of the admin listener [default: 127.0.0.1:9180]
    #[arg(long, value_name = "ADDR", env = "S3CORS_ADMIN")]
    admin: Option<ListenAddress>,
}

impl Healthcheck {
    pub(super) fn run(self) -> ExitCode {
        let admin = match Config::admin_address(self.config.as_deref(), self.admin) {
            Ok(admin) => reachable(admin),
            Err(error) => return fail(&error),
        };
        match status_line(admin) {
            Ok(line) if line.split(' ').nth(1) == Some("200") => ExitCode::SUCCESS,
            Ok(line) => fail(&format!("not ready: {}", line.trim_end())),
            Err(error) => fail(&format!("{admin}: {error}")),
        }
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

fn status_line(admin: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&admin, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line)
}
