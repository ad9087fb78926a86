//! Random exchanges: a request, and what its upstream makes of it.

use fastrand::Rng;

/// How the end of a response's body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length,
    Chunked,
    Close,
    Bodiless,
}

/// What an upstream does wrong. It closes the connection then, where the proxy does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The response breaks off.
    CutOff,
    /// Bytes follow the response, in the same write.
    Excess,
    /// It is no response.
    Nonsense,
    /// Nothing is sent.
    Silence,
    /// The connection is closed after the response, and that was not announced.
    Close,
    /// The response comes before the request's body was read.
    Early,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub framing: Framing,
    pub closes: bool,
    pub fault: Option<Fault>,
    wire: Vec<u8>,
    ends: Vec<usize>,
}

#[derive(Debug)]
pub struct Planned {
    pub id: String,
    pub method: &'static str,
    pub is_old: bool,
    pub body: Vec<u8>,
    pub sent: Vec<u8>,
    pub answer: Answer,
}

impl std::fmt::Display for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (sent, wire) = (&self.sent[..self.sent.len().min(300)], &self.answer.wire);
        let wire = wire[..wire.len().min(500)].escape_ascii();
        write!(f, "{} answered ({:?}) with {wire}", sent.escape_ascii(), self.answer.fault)
    }
}

impl Planned {
    /// An exchange of this name. The last one of a connection asks for its end.
    pub fn new(id: &str, rng: &mut Rng, may_fail: bool, is_last: bool) -> Self {
        let method = rng.choice(["GET", "GET", "HEAD", "PUT", "PUT", "POST", "DELETE"]).unwrap();
        let is_old = is_last && rng.u8(0..8) == 0;
        let version = if is_old { "HTTP/1.0" } else { "HTTP/1.1" };
        let mut head = format!("{method} /bucket/{id} {version}\r\nHost: h\r\nOrigin: https://app.example\r\n");
        if is_last {
            head.push_str("Connection: close\r\n");
        }
        let has_body = ["PUT", "POST"].contains(&method);
        let body = if has_body { body_of(id, rng) } else { Vec::new() };
        let mut sent = head.into_bytes();
        if has_body && !is_old && rng.bool() {
            sent.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            sent.extend_from_slice(&chunked(&body, rng));
        } else if has_body {
            sent.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            sent.extend_from_slice(&body);
        } else {
            sent.extend_from_slice(b"\r\n");
        }
        let answer = Answer::new(id, method, rng, may_fail);
        Self { id: id.to_owned(), method, is_old, body, sent, answer }
    }
}

impl Answer {
    fn new(id: &str, method: &str, rng: &mut Rng, may_fail: bool) -> Self {
        let status = rng.choice([200, 200, 200, 206, 204, 304, 403, 404, 500]).unwrap();
        let is_bodiless = method == "HEAD" || [204, 304].contains(&status);
        let framing = match rng.u8(0..8) {
            _ if is_bodiless => Framing::Bodiless,
            0 => Framing::Close,
            1..=3 => Framing::Chunked,
            _ => Framing::Length,
        };
        let faults = [Fault::CutOff, Fault::Excess, Fault::Nonsense, Fault::Silence, Fault::Close, Fault::Early];
        // What follows a body that ends with the connection is a part of it.
        let is_possible = |fault: &Fault| *fault != Fault::Excess || framing != Framing::Close;
        let fault = (may_fail && rng.u8(0..4) == 0).then(|| rng.choice(faults).unwrap()).filter(is_possible);
        let closes = framing == Framing::Close || rng.u8(0..10) == 0;
        let mut wire = Vec::new();
        for _ in 0..rng.u8(0..20).saturating_sub(17) {
            wire.extend_from_slice(format!("HTTP/1.1 103 Early Hints\r\nx-id: {id}\r\n\r\n").as_bytes());
        }
        wire.extend_from_slice(format!("HTTP/1.1 {status} Planned\r\nx-id: {id}\r\n").as_bytes());
        if closes {
            wire.extend_from_slice(b"Connection: close\r\n");
        }
        let body = if is_bodiless { Vec::new() } else { body_of(id, rng) };
        match framing {
            Framing::Length => {
                wire.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
                wire.extend_from_slice(&body);
            }
            Framing::Chunked => {
                wire.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                wire.extend_from_slice(&chunked(&body, rng));
            }
            Framing::Close => wire.extend_from_slice(&[b"\r\n", body.as_slice()].concat()),
            Framing::Bodiless if method == "HEAD" => wire.extend_from_slice(b"Content-Length: 9\r\n\r\n"),
            Framing::Bodiless => wire.extend_from_slice(b"\r\n"),
        }
        let mut ends = ends_of_pieces(wire.len(), rng);
        spoil(&mut wire, &mut ends, fault, rng);
        Self { status, body, framing, closes, fault, wire, ends }
    }

    /// What is written, one write each.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.wire[start..*end])
    }
}

fn spoil(wire: &mut Vec<u8>, ends: &mut Vec<usize>, fault: Option<Fault>, rng: &mut Rng) {
    match fault {
        Some(Fault::CutOff) => wire.truncate(rng.usize(0..wire.len())),
        Some(Fault::Nonsense) => wire.insert(0, b'!'),
        Some(Fault::Silence) => wire.clear(),
        Some(Fault::Excess) => wire.extend_from_slice(b"HTTP/1.1 200 OK\r\nx-id: excess\r\nContent-Length: 1\r\n\r\n!"),
        Some(Fault::Close | Fault::Early) | None => return,
    }
    *ends = vec![wire.len()];
}

/// Bytes that are no other exchange's: mostly few, at times more than is read at once.
fn body_of(id: &str, rng: &mut Rng) -> Vec<u8> {
    let length = match rng.u8(0..60) {
        0 => 0,
        1 => rng.usize(0..200_000),
        2..=7 => rng.usize(0..20_000),
        _ => rng.usize(0..200),
    };
    format!("<{id}>\r\n0\r\n\r\n").bytes().cycle().take(length).collect()
}

fn chunked(body: &[u8], rng: &mut Rng) -> Vec<u8> {
    let (mut rest, mut bytes) = (body, Vec::new());
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rng.usize(1..=rest.len()));
        let extension = if rng.u8(0..5) == 0 { ";x=\"y\"" } else { "" };
        bytes.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
        rest = after;
    }
    bytes.extend_from_slice(if rng.u8(0..5) == 0 { b"0\r\nx-trailer: 1\r\n\r\n" } else { b"0\r\n\r\n" });
    bytes
}

/// Bytes, cut at random.
pub fn pieces<'b>(bytes: &'b [u8], rng: &mut Rng) -> impl Iterator<Item = &'b [u8]> {
    let ends = ends_of_pieces(bytes.len(), rng);
    let starts: Vec<_> = std::iter::once(0).chain(ends.iter().copied()).collect();
    starts.into_iter().zip(ends).map(|(start, end)| &bytes[start..end])
}

fn ends_of_pieces(length: usize, rng: &mut Rng) -> Vec<usize> {
    let mut ends: Vec<_> = match rng.u8(0..10) {
        0 if length < 500 => (1..length).collect(),
        1..=4 => (0..rng.usize(1..6)).map(|_| rng.usize(0..=length)).collect(),
        _ => Vec::new(),
    };
    ends.push(length);
    ends.sort_unstable();
    ends.dedup();
    ends
}
