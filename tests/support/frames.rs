//! HTTP/2 as frames: what no client library would send.

use super::DEADLINE;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// The beginning of a connection: what the client must send first, with empty settings (RFC 9113 §3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    /// Whether this is the last of its stream.
    pub fn ends(&self) -> bool {
        [DATA, HEADERS].contains(&self.kind) && self.flags & END_STREAM != 0
    }
}

/// A connection that says exactly what it is told.
pub struct Frames(TcpStream);

/// How a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With an answer; of its status only 200 and 400 are told apart, the two that are one byte in HPACK.
    Answered(Option<u16>),
    /// The stream alone, with this error code.
    Reset(u32),
    /// With the connection.
    GoneAway(u32),
    Closed,
}

impl Frames {
    pub fn open(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(PREFACE).unwrap();
        Self(stream)
    }

    /// Sends; `false` when the other side is not there any more.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// The next frame.
    pub fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.0.read_exact(&mut payload).ok()?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The next frame of this stream.
    pub fn next_of(&mut self, stream: u32) -> Frame {
        loop {
            let frame = self.next().expect("another frame comes");
            if frame.stream == stream {
                return frame;
            }
        }
    }

    /// The frames of this stream up to its end or reset.
    pub fn all_of(&mut self, stream: u32) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next() {
            if frame.stream == stream {
                let is_last = frame.ends() || frame.kind == RST_STREAM;
                frames.push(frame);
                if is_last {
                    break;
                }
            }
        }
        frames
    }

    /// What becomes of this stream.
    pub fn end_of(&mut self, stream: u32) -> End {
        let code = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
        loop {
            match self.next() {
                Some(frame) if (frame.kind, frame.stream) == (HEADERS, stream) => {
                    return End::Answered(
                        [(0x88, 200), (0x8c, 400)]
                            .into_iter()
                            .find(|(byte, _)| frame.payload[0] == *byte)
                            .map(|(_, status)| status),
                    );
                }
                Some(frame) if (frame.kind, frame.stream) == (RST_STREAM, stream) => {
                    return End::Reset(code(&frame.payload));
                }
                Some(frame) if frame.kind == GOAWAY => return End::GoneAway(code(&frame.payload[4..8])),
                Some(_) => {}
                None => return End::Closed,
            }
        }
    }
}

pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Fields as literals that are not indexed (RFC 7541 §6.2.2).
pub fn fields<N: AsRef<[u8]>, V: AsRef<[u8]>>(fields: &[(N, V)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name.as_ref(), value.as_ref()] {
            // An integer with a prefix of seven bits (§5.1).
            let mut rest = text.len();
            if rest < 127 {
                block.push(rest as u8);
            } else {
                block.push(127);
                rest -= 127;
                while rest >= 128 {
                    block.push((rest % 128 + 128) as u8);
                    rest /= 128;
                }
                block.push(rest as u8);
            }
            block.extend_from_slice(text);
        }
    }
    block
}
