//! HTTP/1.1 as bytes: what no client library would send, and what the answer really says.

use super::DEADLINE;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// A connection that says exactly what it is told.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// An answer, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// In order, names as they were written.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Sends what the other side may no longer want to read.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        self.stream.get_mut().write_all(bytes.as_ref())
    }

    /// Half-closes: nothing more will be sent.
    pub fn finish_sending(&mut self) {
        self.stream.get_ref().shutdown(Shutdown::Write).unwrap();
    }

    /// Breaks the connection off, as a machine does whose program is gone: what is on its way is lost.
    pub fn reset(self) {
        rustix::net::sockopt::set_socket_linger(self.stream.get_ref(), Some(std::time::Duration::ZERO)).unwrap();
    }

    /// Reads an answer's status and headers, and leaves its body unread.
    pub fn receive_head(&mut self) -> u16 {
        self.head().0
    }

    /// What is not read yet.
    pub fn unread(&mut self) -> &mut impl Read {
        &mut self.stream
    }

    /// Reads an answer to a request that is not HEAD.
    pub fn receive(&mut self) -> Response {
        self.receive_to("GET")
    }

    /// Reads an answer to a request with this method.
    pub fn receive_to(&mut self, method: &str) -> Response {
        let (status, headers) = self.head();
        let mut response = Response { status, headers, body: Vec::new() };
        let has_body = method != "HEAD" && status >= 200 && status != 204 && status != 304;
        if has_body {
            response.body = self.body(&response);
        }
        response
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).unwrap();
        let text = String::from_utf8_lossy(&line).into_owned();
        text.strip_suffix("\r\n").map_or_else(|| panic!("a line is cut off: {text:?}"), str::to_owned)
    }

    fn head(&mut self) -> (u16, Vec<(String, String)>) {
        let line = self.line();
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {line:?}"));
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                return (status, headers);
            }
            let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no header: {line:?}"));
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    fn body(&mut self, response: &Response) -> Vec<u8> {
        if response.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.chunked();
        }
        let mut body = Vec::new();
        match response.header("content-length") {
            Some(length) => {
                body.resize(length.parse().unwrap(), 0);
                self.stream.read_exact(&mut body).unwrap();
            }
            None => {
                self.stream.read_to_end(&mut body).unwrap();
            }
        }
        body
    }

    fn chunked(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(&self.line(), 16).unwrap();
            let start = body.len();
            body.resize(start + size, 0);
            self.stream.read_exact(&mut body[start..]).unwrap();
            assert_eq!(self.line(), "", "a chunk ends with its line");
            if size == 0 {
                return body;
            }
        }
    }

    /// Whether the other side has closed: waits for it, and for nothing else.
    pub fn is_closed(&mut self) -> bool {
        match self.stream.read(&mut [0; 1]) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    /// Whether bytes have come; waits for them as long as the stream's read timeout says.
    pub fn has_input(&mut self) -> bool {
        self.stream.fill_buf().is_ok_and(|bytes| !bytes.is_empty())
    }

    /// All bytes until the other side closes.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset after the last byte is an end, too; a time that runs out is none.
        if let Err(error) = self.stream.read_to_end(&mut bytes) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "not closed after {}", bytes.escape_ascii());
        }
        bytes
    }

    pub fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }
}

impl Response {
    /// The only value of a header; two lines of it are a failure.
    pub fn header<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut values = self.all(name);
        let first = values.next();
        assert_eq!(values.next(), None, "{name} stands twice: {self:?}");
        first
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Every `Access-Control-*` header, lower-cased and sorted.
    pub fn cors(&self) -> Vec<(String, String)> {
        let lower = self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        let mut cors: Vec<_> = lower.filter(|(name, _)| name.starts_with("access-control-")).collect();
        cors.sort();
        cors
    }

    /// The tokens of `Vary`, lower-cased and sorted.
    pub fn vary(&self) -> Vec<String> {
        let mut tokens: Vec<_> =
            self.all("vary").flat_map(|line| line.split(',')).map(|token| token.trim().to_ascii_lowercase()).collect();
        tokens.sort();
        tokens
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The text of an element of an error document.
    pub fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        let unescaped = value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        Some(unescaped)
    }
}

/// A request's head and body as text: `request("GET", "/b/k", &[("Origin", "x")], "")`.
pub fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{method} {target} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        text.push_str("Host: s3.example.test\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let has_length = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    if !body.is_empty() && !has_length {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text + "\r\n" + body
}

/// One request on a connection of its own.
pub fn fetch(address: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)]) -> Response {
    Connection::open(address).send(request(method, target, headers, "")).receive_to(method)
}
