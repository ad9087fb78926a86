//! One request to the admin listener of a running proxy.

use super::admin::AdminTarget;
use super::progress::LongWork;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for the connection, and for each read of the response.
const LIMIT: Duration = Duration::from_secs(2);
/// The longest response that is read.
const MAX_RESPONSE: u64 = 4 << 20;

/// What a proxy says.
pub(super) struct Answer {
    /// The first line of the response.
    pub(super) status_line: String,
    rest: io::Take<BufReader<Box<dyn Read>>>,
}

/// Asks for a path and query.
pub(super) fn ask(admin: &AdminTarget, target: &str) -> io::Result<Answer> {
    let mut request = format!("GET {target} HTTP/1.1\r\nHost: {admin}\r\nConnection: close\r\n");
    if let Some(token) = &admin.token {
        request += &format!("Authorization: Bearer {}\r\n", token.reveal());
    }
    request += "\r\n";
    let mut rest = BufReader::new(send(admin, request.as_bytes())?).take(MAX_RESPONSE);
    let mut status_line = String::new();
    rest.read_line(&mut status_line).map_err(explained)?;
    Ok(Answer { status_line, rest })
}

/// Asks for a page. The error is the text of another response, or the reason why no response came.
pub(super) fn page(admin: &AdminTarget, target: &str) -> Result<String, String> {
    let _asking = LongWork::of(&format_args!("asking {admin}"));
    match ask(admin, target).and_then(|answer| Ok((answer.is_ok(), answer.body()?))) {
        Ok((true, body)) => Ok(body),
        Ok((false, message)) => Err(message.trim_end().to_owned()),
        Err(error) => Err(format!("{admin}: {error}")),
    }
}

/// Sends a request, and returns what the response can be read from.
fn send(admin: &AdminTarget, request: &[u8]) -> io::Result<Box<dyn Read>> {
    let mut stream = connect(admin)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let Some(config) = &admin.tls else {
        stream.write_all(request)?;
        return Ok(Box::new(stream));
    };
    let name = ServerName::try_from(admin.host.clone()).map_err(io::Error::other)?;
    let tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(tls, stream);
    stream.write_all(request).and_then(|()| stream.flush()).map_err(explained)?;
    Ok(Box::new(stream))
}

/// Connects to the first of the addresses that takes a connection.
fn connect(admin: &AdminTarget) -> io::Result<TcpStream> {
    let mut failure = io::Error::other("the name has no address");
    for address in (admin.host.as_str(), admin.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, LIMIT) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// A failed handshake, with what to do about it.
fn explained(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => io::Error::other(format!(
            "{error}; set SSL_CERT_FILE to the certificate of its authority, or name the proxy's own configuration with --config"
        )),
        Some(rustls::Error::InvalidMessage(_)) => io::Error::other(format!("{error}; does it speak TLS?")),
        _ => error,
    }
}

impl Answer {
    /// Whether it is what was asked for.
    pub(super) fn is_ok(&self) -> bool {
        self.status_line.split(' ').nth(1) == Some("200")
    }

    /// The body, which ends with the connection: that was asked for.
    fn body(mut self) -> io::Result<String> {
        let mut line = String::new();
        while self.rest.read_line(&mut line)? > 0 && !line.trim_end().is_empty() {
            line.clear();
        }
        let mut body = String::new();
        self.rest.read_to_string(&mut body)?;
        Ok(body)
    }
}
