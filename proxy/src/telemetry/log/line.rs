//! One log line, built field by field in a buffer that is used again for the next one.
//!
//! Decides how a value is written. The output is what the formatters of `tracing-subscriber` write for the same event, byte for byte,
//! so that access lines and other lines look alike. Must not know which fields a line has.

use super::timestamp::{Timestamp, push_padded, push_to_second};
use std::io::Write;
use std::net::SocketAddr;
use std::time::SystemTime;

/// The syntax of a line's fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// A JSON object on each line.
    Json,
    /// `name=value`.
    Text,
}

/// The name of a field, as each syntax writes it before the value.
#[derive(Clone, Copy)]
pub(crate) struct Name {
    pub(crate) json: &'static str,
    pub(crate) text: &'static str,
}

macro_rules! name {
    ($name:literal) => {
        const { $crate::telemetry::log::line::Name { json: concat!(",\"", $name, "\":"), text: concat!(" ", $name, "=") } }
    };
}
pub(crate) use name;

/// What a thread keeps from line to line.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(super) buffer: Vec<u8>,
    pub(super) timestamp: Timestamp,
}

impl Scratch {
    /// Begins a line at level INFO with the present time.
    pub(super) fn line(&mut self, syntax: Syntax, target: &'static str, message: &'static str) -> Line<'_> {
        let Self { buffer, timestamp } = self;
        buffer.clear();
        if syntax == Syntax::Json {
            buffer.extend_from_slice(b"{\"timestamp\":\"");
        }
        timestamp.push_now(buffer);
        let parts = match syntax {
            Syntax::Json => ["\",\"level\":\"INFO\",\"message\":\"", message, "\"", ""],
            Syntax::Text => ["  INFO ", target, ": ", message],
        };
        for part in parts {
            buffer.extend_from_slice(part.as_bytes());
        }
        Line { buffer, syntax, target }
    }
}

/// A line to which fields can be added.
pub(crate) struct Line<'a> {
    buffer: &'a mut Vec<u8>,
    syntax: Syntax,
    target: &'static str,
}

impl<'a> Line<'a> {
    /// Adds a text.
    pub(crate) fn text(&mut self, name: Name, value: &str) -> &mut Self {
        self.name(name);
        push_text(self.buffer, self.syntax, value);
        self
    }

    /// Adds a text that may be missing; without one there is no field.
    pub(crate) fn optional_text(&mut self, name: Name, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// Adds an address; without one the field is an empty text.
    pub(crate) fn address(&mut self, name: Name, value: Option<SocketAddr>) -> &mut Self {
        self.name(name);
        self.buffer.push(b'"');
        if let Some(value) = value {
            push_address(self.buffer, value);
        }
        self.buffer.push(b'"');
        self
    }

    /// Adds a whole number.
    pub(crate) fn number(&mut self, name: Name, value: u64) -> &mut Self {
        self.name(name);
        push_padded(self.buffer, value, 1);
        self
    }

    /// Adds a number with a fraction.
    pub(crate) fn float(&mut self, name: Name, value: f64) -> &mut Self {
        self.name(name);
        // A `Vec` accepts every write, and a float has no serialization that fails.
        let _ = match self.syntax {
            Syntax::Json => serde_json::to_writer(&mut *self.buffer, &value).map_err(Into::into),
            Syntax::Text => write!(self.buffer, "{value:?}"),
        };
        self
    }

    /// Adds a time, to the second.
    pub(crate) fn time(&mut self, name: Name, value: SystemTime) -> &mut Self {
        self.name(name);
        self.buffer.push(b'"');
        push_to_second(self.buffer, value);
        self.buffer.push(b'"');
        self
    }

    /// Ends the line and returns it with its newline.
    pub(crate) fn end(self) -> &'a [u8] {
        if self.syntax == Syntax::Json {
            for part in [",\"target\":\"", self.target, "\"}"] {
                self.buffer.extend_from_slice(part.as_bytes());
            }
        }
        self.buffer.push(b'\n');
        self.buffer
    }

    fn name(&mut self, name: Name) {
        let name = match self.syntax {
            Syntax::Json => name.json,
            Syntax::Text => name.text,
        };
        self.buffer.extend_from_slice(name.as_bytes());
    }
}

fn push_text(buffer: &mut Vec<u8>, syntax: Syntax, value: &str) {
    // Nearly every value needs no escape in either syntax. A fold has no early exit, so the compiler checks 16 bytes at once.
    let escapes = value.bytes().fold(0, |escapes, byte| {
        escapes | u8::from(byte.wrapping_sub(b' ') > b'~' - b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\')
    });
    if escapes == 0 {
        buffer.push(b'"');
        buffer.extend_from_slice(value.as_bytes());
        buffer.push(b'"');
        return;
    }
    // As above: neither can fail.
    let _ = match syntax {
        Syntax::Json => serde_json::to_writer(buffer, value).map_err(Into::into),
        Syntax::Text => write!(buffer, "{value:?}"),
    };
}

fn push_address(buffer: &mut Vec<u8>, address: SocketAddr) {
    // Of a client that a proxy before this one names, the port is not known.
    let port = Some(address.port()).filter(|port| *port != 0);
    let SocketAddr::V4(address) = address else {
        // As above.
        let _ = match port {
            Some(_) => write!(buffer, "{address}"),
            None => write!(buffer, "{}", address.ip()),
        };
        return;
    };
    let [first, rest @ ..] = address.ip().octets();
    push_padded(buffer, first.into(), 1);
    for octet in rest {
        buffer.push(b'.');
        push_padded(buffer, octet.into(), 1);
    }
    if let Some(port) = port {
        buffer.push(b':');
        push_padded(buffer, port.into(), 1);
    }
}
