//! A client of HTTP/2 that sends what it is told and reads responses with a decoder of its own. It keeps to the windows.

use super::DEADLINE;
use super::frames::{
    DATA, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, PREFACE, RST_STREAM, WINDOW_UPDATE, fields, frame,
};
use super::huffman;
use super::tls::Authority;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;
/// RFC 9113 §6.9.2.
const INITIAL: i64 = 65_535;
/// A window that no response fills.
const LARGE: u32 = i32::MAX as u32;

trait Both: Read + Write + Send {}
impl<S: Read + Write + Send> Both for S {}

/// The end of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Cleanly,
    Reset(u32),
    GoneAway(u32),
    Closed,
}

/// Everything that came on a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub interim: Vec<u16>,
    /// 0 where no response came.
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub ended: Ended,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A connection.
pub struct Http2 {
    stream: Box<dyn Both>,
    /// The same without TLS.
    socket: Option<TcpStream>,
    window: i64,
    initial: i64,
    windows: HashMap<u32, i64>,
    next: u32,
    kept: Vec<Frame>,
    gone: Option<Ended>,
    /// Set once the server's settings came.
    is_greeted: bool,
}

impl Http2 {
    /// A connection without TLS.
    pub fn open(address: SocketAddr) -> Self {
        Self::with_window(address, LARGE)
    }

    /// A connection without TLS whose streams have this window.
    pub fn with_window(address: SocketAddr, window: u32) -> Self {
        let socket = connect(address);
        let mut client = Self::over(socket.try_clone().unwrap(), window);
        client.socket = Some(socket);
        client
    }

    /// A connection over TLS.
    pub fn over_tls(authority: &Authority, address: SocketAddr) -> Self {
        let mut config = authority.client(rustls::ALL_VERSIONS);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from("s3.example.test").unwrap();
        let tls = ClientConnection::new(Arc::new(config), name).unwrap();
        Self::over(StreamOwned::new(tls, connect(address)), LARGE)
    }

    fn over(stream: impl Both + 'static, window: u32) -> Self {
        let mut client = Self {
            stream: Box::new(stream),
            socket: None,
            window: INITIAL,
            initial: INITIAL,
            windows: HashMap::new(),
            next: 1,
            kept: Vec::new(),
            gone: None,
            is_greeted: false,
        };
        // No table, since the decoder here has none.
        let settings = frame(SETTINGS, 0, 0, &[&[0, 1, 0, 0, 0, 0, 0, 4][..], &window.to_be_bytes()].concat());
        client.send(&[&PREFACE[..PREFACE.len() - 9], &settings].concat());
        client.send(&frame(WINDOW_UPDATE, 0, 0, &(1_u32 << 30).to_be_bytes()));
        // They are acknowledged now: no frame may come between those of a head later.
        while !client.is_greeted && client.read() {}
        client
    }

    /// Sends bytes; `false` when the other side is not there any more.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).and_then(|()| self.stream.flush()).is_ok()
    }

    /// Begins a request, and gives its stream. A head that is longer than a frame is continued.
    pub fn begin<N: AsRef<[u8]>, V: AsRef<[u8]>>(&mut self, head: &[(N, V)], ends: bool) -> u32 {
        let stream = self.next;
        self.next += 2;
        self.windows.insert(stream, self.initial);
        let block = fields(head);
        let mut pieces = block.chunks(16_384).peekable();
        let (mut kind, mut flags) = (HEADERS, if ends { END_STREAM } else { 0 });
        while let Some(piece) = pieces.next() {
            flags |= if pieces.peek().is_none() { END_HEADERS } else { 0 };
            self.send(&frame(kind, flags, stream, piece));
            (kind, flags) = (super::frames::CONTINUATION, 0);
        }
        stream
    }

    /// Sends as much of a body as the windows take, until there is a response. Gives how much that was.
    pub fn upload(&mut self, stream: u32, body: &[u8], ends: bool) -> usize {
        let mut sent = 0;
        if body.is_empty() && ends {
            self.send(&frame(DATA, END_STREAM, stream, b""));
        }
        while sent < body.len() {
            let window = self.window.min(self.windows[&stream]).min(16_384);
            let size = usize::try_from(window).unwrap_or(0).min(body.len() - sent);
            if size == 0 {
                if self.is_answered(stream) || !self.read() {
                    break;
                }
                continue;
            }
            let flags = if ends && sent + size == body.len() { END_STREAM } else { 0 };
            if !self.send(&frame(DATA, flags, stream, &body[sent..sent + size])) {
                break;
            }
            self.window -= size as i64;
            *self.windows.get_mut(&stream).unwrap() -= size as i64;
            sent += size;
        }
        sent
    }

    /// Sends as much of a body as the windows take now. Gives how much that is.
    pub fn fill(&mut self, stream: u32) -> usize {
        let mut sent = 0;
        loop {
            let window = self.window.min(self.windows[&stream]).min(16_384);
            let Some(size) = usize::try_from(window).ok().filter(|size| *size > 0) else { return sent };
            if !self.send(&frame(DATA, 0, stream, &vec![b'x'; size])) {
                return sent;
            }
            self.window -= window;
            *self.windows.get_mut(&stream).unwrap() -= window;
            sent += size;
        }
    }

    /// Reads a frame if one begins to come in this time.
    pub fn read_within(&mut self, limit: Duration) -> bool {
        let socket = self.socket.as_ref().unwrap();
        socket.set_read_timeout(Some(limit)).unwrap();
        let is_here = socket.peek(&mut [0]).is_ok();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        is_here && self.read()
    }

    /// The bytes of a body that came and were not taken.
    pub fn data_of(&self, stream: u32) -> usize {
        let data = self.kept.iter().filter(|frame| frame.stream == stream && frame.kind == DATA);
        data.map(|frame| frame.payload.len()).sum()
    }

    /// Returns true if something came on a stream.
    pub fn is_answered(&self, stream: u32) -> bool {
        self.gone.is_some() || self.kept.iter().any(|frame| frame.stream == stream)
    }

    /// Waits for the final response to a request.
    pub fn answer(&mut self, stream: u32) -> Answer {
        let mut answer = Answer { interim: vec![], status: 0, headers: vec![], body: vec![], ended: Ended::Closed };
        loop {
            if let Some(at) = self.kept.iter().position(|frame| frame.stream == stream) {
                let frame = self.kept.remove(at);
                match frame.kind {
                    HEADERS => {
                        if answer.status > 0 {
                            panic!("trailers: {frame:?}");
                        }
                        let mut headers = decode(&frame.payload);
                        let status = headers.remove(0).1.parse().unwrap();
                        if status < 200 {
                            answer.interim.push(status);
                        } else {
                            (answer.status, answer.headers) = (status, headers);
                        }
                    }
                    DATA => answer.body.extend_from_slice(&frame.payload),
                    RST_STREAM => {
                        answer.ended = Ended::Reset(code(&frame.payload));
                        return answer;
                    }
                    _ => {}
                }
                if frame.ends() {
                    answer.ended = Ended::Cleanly;
                    return answer;
                }
            } else if let Some(ended) = self.gone {
                answer.ended = ended;
                return answer;
            } else {
                self.read();
            }
        }
    }

    /// Reads a frame and does what it asks for. `false` at the end of the connection.
    pub fn read(&mut self) -> bool {
        let mut head = [0; 9];
        let mut payload = Vec::new();
        let read = self.stream.read_exact(&mut head).and_then(|()| {
            payload.resize(u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize, 0);
            self.stream.read_exact(&mut payload)
        });
        if read.is_err() {
            self.gone.get_or_insert(Ended::Closed);
            return false;
        }
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        let frame = Frame { kind: head[3], flags: head[4], stream, payload };
        self.take(frame);
        true
    }

    fn take(&mut self, received: Frame) {
        match received.kind {
            SETTINGS if received.flags & ACK == 0 => {
                for setting in received.payload.chunks(6).filter(|setting| setting[..2] == [0, 4]) {
                    let initial = i64::from(code(&setting[2..]));
                    self.windows.values_mut().for_each(|window| *window += initial - self.initial);
                    self.initial = initial;
                }
                self.is_greeted = true;
                self.send(&frame(SETTINGS, ACK, 0, b""));
            }
            PING if received.flags & ACK == 0 => {
                self.send(&frame(PING, ACK, 0, &received.payload));
            }
            WINDOW_UPDATE if received.stream == 0 => self.window += i64::from(code(&received.payload)),
            WINDOW_UPDATE => {
                if let Some(window) = self.windows.get_mut(&received.stream) {
                    *window += i64::from(code(&received.payload));
                }
            }
            // The streams that are open go on.
            GOAWAY if code(&received.payload[4..8]) == 0 => {}
            GOAWAY => self.gone = Some(Ended::GoneAway(code(&received.payload[4..8]))),
            DATA | HEADERS | RST_STREAM => self.kept.push(received),
            _ => {}
        }
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn code(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap())
}

/// The fields of a block without a table of its own (RFC 7541).
fn decode(mut block: &[u8]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    while let Some(first) = block.first().copied() {
        if first & 0x80 != 0 {
            let (name, value) = huffman::STATIC[integer(&mut block, 7) - 1];
            all.push((name.to_owned(), value.to_owned()));
        } else if first & 0xe0 == 0x20 {
            integer(&mut block, 5);
        } else {
            let name = match integer(&mut block, if first & 0x40 != 0 { 6 } else { 4 }) {
                0 => string(&mut block),
                index => huffman::STATIC[index - 1].0.to_owned(),
            };
            all.push((name, string(&mut block)));
        }
    }
    all
}

fn integer(block: &mut &[u8], bits: u32) -> usize {
    let most = (1 << bits) - 1;
    let mut value = usize::from(block[0]) & most;
    *block = &block[1..];
    if value == most {
        for shift in (0..).step_by(7) {
            let next = block[0];
            *block = &block[1..];
            value += (usize::from(next) & 0x7f) << shift;
            if next & 0x80 == 0 {
                break;
            }
        }
    }
    value
}

fn string(block: &mut &[u8]) -> String {
    let is_encoded = block[0] & 0x80 != 0;
    let length = integer(block, 7);
    let (text, rest) = block.split_at(length);
    *block = rest;
    let text = if is_encoded { huffman::decode(text) } else { text.to_vec() };
    text.into_iter().map(char::from).collect()
}
