//! `s3cors healthcheck`: asks `/readyz` of a running proxy, for images without curl.

use super::fail;
use clap::Args;
use s3cors_proxy::config::Config;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

/// Longest wait for the connection, and for each read of the response.
const LIMIT: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(super) struct Healthcheck {
    /// Address of the admin listener
    #[arg(long, value_name = "ADDR", env = "S3CORS_ADMIN", default_value_t = Config::DEFAULT_ADMIN)]
    admin: SocketAddr,
}

impl Healthcheck {
    pub(super) fn run(self) -> ExitCode {
        match self.status_line() {
            Ok(line) if line.split(' ').nth(1) == Some("200") => ExitCode::SUCCESS,
            Ok(line) => fail(&format!("not ready: {}", line.trim_end())),
            Err(error) => fail(&format!("{}: {error}", self.admin)),
        }
    }

    fn status_line(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&self.admin, LIMIT)?;
        stream.set_read_timeout(Some(LIMIT))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.admin)?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line)
    }
}
