//! A second reading of HTTP/1.1, to hold the first one against.
//!
//! It shares no code, no dependency and no technique with the driver's grammar: it is written from RFC 9112 with whole messages,
//! copies and searches, and is as slow as that. It reads exactly the messages that the grammar is meant to accept, and no others.

/// A field line's name and value, and the whole line.
pub type Line = (Vec<u8>, Vec<u8>, Vec<u8>);

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Nothing is said.
    Unstated,
    /// A number of bytes.
    Bytes(u128),
    /// Chunks.
    Chunks,
}

/// One request head.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    /// How many bytes the head has.
    pub size: usize,
    /// The method.
    pub method: Vec<u8>,
    /// The target.
    pub target: Vec<u8>,
    /// The digit after `HTTP/1.`.
    pub minor: u8,
    /// The field lines.
    pub lines: Vec<Line>,
    /// The host.
    pub host: Option<Vec<u8>>,
    /// The body's length.
    pub length: Length,
    /// Whether the connection is kept.
    pub keep_alive: bool,
    /// Whether `100 Continue` is expected.
    pub expects_continue: bool,
}

/// One response head.
#[derive(Debug, PartialEq, Eq)]
pub struct Response {
    /// How many bytes the head has.
    pub size: usize,
    /// The digit after `HTTP/1.`.
    pub minor: u8,
    /// The status.
    pub status: u16,
    /// The reason phrase.
    pub reason: Vec<u8>,
    /// The field lines.
    pub lines: Vec<Line>,
    /// What is said about the body's length.
    pub length: Length,
    /// Whether the connection is kept.
    pub keep_alive: bool,
}

const TOKEN: &str = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const HOST: &str = "-._~!$&'()*+,;=:[]0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Reads the request head that `bytes` begin with, if they do.
pub fn request(bytes: &[u8]) -> Option<Request> {
    let (size, first, lines) = head(bytes)?;
    let parts: Vec<&[u8]> = first.split(|byte| *byte == b' ').collect();
    let [method, target, version] = parts[..] else { return None };
    let minor = minor(version)?;
    let is_target =
        target.first() == Some(&b'/') && target.iter().all(|byte| byte.is_ascii_graphic() && !b"#<>`".contains(byte));
    if !consists_of(method, TOKEN) || !is_target {
        return None;
    }
    if ["connect", "trace", "pri"].contains(&&*lower(method)) {
        return None;
    }
    for (name, ..) in &lines {
        let name = lower(name);
        let hop = ["upgrade", "http2-settings", "te", "trailer", "keep-alive"];
        if hop.contains(&&*name) || name.starts_with("proxy-") {
            return None;
        }
    }
    let host = match &all(&lines, "host")[..] {
        [] if minor == 0 => None,
        [host] if consists_of(host, HOST) => Some(host.to_vec()),
        _ => return None,
    };
    let expects_continue = match &all(&lines, "expect")[..] {
        [] => false,
        [value] if lower(value) == "100-continue" && minor == 1 => true,
        _ => return None,
    };
    let options = options(&lines);
    if options.iter().any(|option| option != "close" && option != "keep-alive") {
        return None;
    }
    let length = length(&lines, minor)?;
    let keep_alive = keep_alive(&options, minor);
    let (method, target) = (method.to_vec(), target.to_vec());
    Some(Request { size, method, target, minor, lines, host, length, keep_alive, expects_continue })
}

/// Reads the response head that `bytes` begin with, if they do.
pub fn response(bytes: &[u8]) -> Option<Response> {
    let (size, first, lines) = head(bytes)?;
    let (version, rest) = first.split_at_checked(8)?;
    let minor = minor(version)?;
    let (status, reason) = rest.strip_prefix(b" ")?.split_at_checked(3)?;
    if !status.iter().all(u8::is_ascii_digit) || reason.iter().any(|byte| !is_value(*byte)) {
        return None;
    }
    let status: u16 = str::from_utf8(status).ok()?.parse().ok()?;
    let reason = match reason {
        [] => Vec::new(),
        [b' ', reason @ ..] => reason.to_vec(),
        _ => return None,
    };
    if !(100..600).contains(&status) || status == 101 {
        return None;
    }
    let length = length(&lines, minor)?;
    let keep_alive = keep_alive(&options(&lines), minor) && (status, length) != (204, Length::Chunks);
    Some(Response { size, minor, status, reason, lines, length, keep_alive })
}

/// Decodes the chunked body that `bytes` begin with, if they do: its data, and how many bytes it has.
pub fn chunked(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut data = Vec::new();
    let mut rest = bytes;
    loop {
        let (line, after) = rest.split_at(find(rest, b"\r\n")?);
        if line.len() > 256 {
            return None;
        }
        let (size, extension) = line.split_at(find(line, b";").unwrap_or(line.len()));
        let is_size = (1..=16).contains(&size.len()) && size.iter().all(u8::is_ascii_hexdigit);
        if !is_size || extension.iter().any(|byte| !is_value(*byte) || !byte.is_ascii()) {
            return None;
        }
        let size = u128::from_str_radix(str::from_utf8(size).ok()?, 16).ok()?;
        if size >= 1 << 63 {
            return None;
        }
        rest = &after[2..];
        if size == 0 {
            break;
        }
        let (chunk, after) = rest.split_at_checked(usize::try_from(size).ok()?)?;
        data.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r\n")?;
    }
    let mut trailers = 0;
    loop {
        let (line, after) = rest.split_at(find(rest, b"\r\n")?);
        rest = &after[2..];
        if line.is_empty() {
            return Some((data, bytes.len() - rest.len()));
        }
        field(line)?;
        trailers += line.len() + 2;
        if trailers > 8192 {
            return None;
        }
    }
}

/// The size of the head, its first line and its field lines.
fn head(bytes: &[u8]) -> Option<(usize, Vec<u8>, Vec<Line>)> {
    let end = find(bytes, b"\r\n\r\n")?;
    let mut rest = &bytes[..end + 2];
    let mut lines = Vec::new();
    while let Some(end) = find(rest, b"\r\n") {
        lines.push(rest[..end].to_vec());
        rest = &rest[end + 2..];
    }
    let first = lines.remove(0);
    let fields = lines.iter().map(|line| field(line)).collect::<Option<Vec<_>>>()?;
    if fields.len() > 100 || first.iter().any(|byte| b"\r\n".contains(byte)) {
        return None;
    }
    Some((end + 4, first, fields))
}

fn field(line: &[u8]) -> Option<Line> {
    let colon = find(line, b":")?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if !consists_of(name, TOKEN) || value.iter().any(|byte| !is_value(*byte)) {
        return None;
    }
    Some((name.to_vec(), trimmed(value), [line, b"\r\n"].concat()))
}

fn length(lines: &[Line], minor: u8) -> Option<Length> {
    match (&all(lines, "content-length")[..], &all(lines, "transfer-encoding")[..]) {
        ([], []) => Some(Length::Unstated),
        ([length], []) if (1..=19).contains(&length.len()) && consists_of(length, "0123456789") => {
            let length: u128 = str::from_utf8(length).ok()?.parse().ok()?;
            (length < 1 << 63).then_some(Length::Bytes(length))
        }
        ([], [coding]) if lower(coding) == "chunked" && minor == 1 => Some(Length::Chunks),
        _ => None,
    }
}

fn keep_alive(options: &[String], minor: u8) -> bool {
    let has = |name: &str| options.iter().any(|option| option == name);
    if minor == 1 { !has("close") } else { has("keep-alive") && !has("close") }
}

fn options(lines: &[Line]) -> Vec<String> {
    let values = all(lines, "connection").into_iter();
    values
        .flat_map(|value| value.split(|byte| *byte == b',').map(|part| lower(&trimmed(part))).collect::<Vec<_>>())
        .collect()
}

fn all<'a>(lines: &'a [Line], wanted: &str) -> Vec<&'a [u8]> {
    lines.iter().filter(|(name, ..)| lower(name) == wanted).map(|(_, value, _)| &value[..]).collect()
}

fn minor(version: &[u8]) -> Option<u8> {
    [(&b"HTTP/1.0"[..], 0), (b"HTTP/1.1", 1)].into_iter().find(|(text, _)| *text == version).map(|(_, minor)| minor)
}

fn consists_of(text: &[u8], alphabet: &str) -> bool {
    !text.is_empty() && text.iter().all(|byte| alphabet.as_bytes().contains(byte))
}

fn is_value(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

fn lower(text: &[u8]) -> String {
    text.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

fn trimmed(text: &[u8]) -> Vec<u8> {
    let is_text = |byte: &u8| *byte != b' ' && *byte != b'\t';
    let start = text.iter().position(is_text).unwrap_or(text.len());
    let end = text.iter().rposition(is_text).map_or(start, |last| last + 1);
    text[start..end].to_vec()
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
