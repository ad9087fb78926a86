//! A second reading of HTTP/1.1, to hold the first one against.
//!
//! It shares no code, no dependency and no technique with the driver's grammar: it is written from RFC 9112 with whole messages,
//! copies and searches, and is as slow as that. It reads exactly the messages that the grammar is meant to accept, and no others.
//!
//! Requests have two readings: the one of a server, which accepts what RFC 9112 lets it, and the one of the upstream, which sees only
//! what the proxy writes and tolerates nothing.

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
    /// The path and query in it, `/` where it has neither.
    pub resource: Vec<u8>,
    /// The digit after `HTTP/1.`.
    pub minor: u8,
    /// The field lines, without a length that chunks override.
    pub lines: Vec<Line>,
    /// Names and values of those that are not for this hop alone.
    pub staying: Vec<(Vec<u8>, Vec<u8>)>,
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

/// Fields for one hop (RFC 9110 §7.6.1), and those of an upgrade.
const HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "http2-settings",
];

/// Reads the request head that `bytes` begin with, if they do, as a server may.
pub fn request(bytes: &[u8]) -> Option<Request> {
    read_request(bytes, true)
}

/// The same as an upstream reads it that knows only CRLF.
pub fn forwarded_request(bytes: &[u8]) -> Option<Request> {
    read_request(bytes, false)
}

fn read_request(bytes: &[u8], may_end_with_lf: bool) -> Option<Request> {
    let (size, first, mut lines) = head(bytes, may_end_with_lf, 256)?;
    let parts: Vec<&[u8]> = first.split(|byte| *byte == b' ').collect();
    let [method, target, version] = parts[..] else { return None };
    let minor = minor(version)?;
    if !consists_of(method, TOKEN) || method == b"CONNECT" {
        return None;
    }
    let (authority, resource) = authority_and_resource(str::from_utf8(target).ok()?)?;
    let named = match &all(&lines, "host")[..] {
        [] if minor == 0 => None,
        [host] if host.is_empty() || consists_of(host, HOST) => Some(host.to_vec()),
        _ => return None,
    };
    if named.is_some() && authority.is_some() && named != authority {
        return None;
    }
    let expects_continue = minor == 1 && all(&lines, "expect").iter().any(|value| lower(value) == "100-continue");
    let options = options(&lines);
    let is_plain = |option: &str| ["", "close", "keep-alive"].contains(&option);
    let nominated: Vec<&String> = options.iter().filter(|option| !is_plain(option)).collect();
    if nominated.len() > 9 || nominated.iter().any(|name| !consists_of(name.as_bytes(), TOKEN)) {
        return None;
    }
    let is_chunked = !all(&lines, "transfer-encoding").is_empty();
    let is_overridden = is_chunked && !all(&lines, "content-length").is_empty();
    if is_chunked {
        lines.retain(|(name, ..)| lower(name) != "content-length");
    }
    let length = length(&lines, minor)?;
    let stays = |name: &str| {
        let is_nominated = nominated.iter().any(|nominated| *nominated == name);
        let is_framing = ["host", "content-length", "transfer-encoding"].contains(&name);
        !HOP.contains(&name) && (!is_nominated || is_framing)
    };
    let staying = lines.iter().filter(|(name, ..)| stays(&lower(name)));
    let staying = staying.map(|(name, value, _)| (name.clone(), value.clone())).collect();
    let keep_alive = keep_alive(&options, minor) && !is_overridden;
    let (method, target, host) = (method.to_vec(), target.to_vec(), authority.or(named));
    Some(Request { size, method, target, resource, minor, lines, staying, host, length, keep_alive, expects_continue })
}

/// The authority of a target, and its path and query.
fn authority_and_resource(target: &str) -> Option<(Option<Vec<u8>>, Vec<u8>)> {
    if target.is_empty() || target.chars().any(|character| character == '#' || character.is_ascii_control()) {
        return None;
    }
    let opaque = (None, b"/".to_vec());
    let (authority, resource) = match (target, target.find(':')) {
        ("*", _) => return Some((None, b"*".to_vec())),
        _ if target.starts_with(['/', '?']) => (None, target),
        (_, None) => return Some(opaque),
        (_, Some(colon)) => {
            let (scheme, rest) = (target[..colon].to_ascii_lowercase(), &target[colon + 1..]);
            let is_web = ["http", "https", "ws", "wss"].contains(&&*scheme);
            if !rest.starts_with("//") {
                return if is_web { None } else { Some(opaque) };
            }
            let mut letters = scheme.chars();
            let is_scheme = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
                && letters.all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter));
            let rest = &rest[2..];
            let end = rest.chars().take_while(|letter| !"/?".contains(*letter)).map(char::len_utf8).sum();
            let (authority, resource) = rest.split_at(end);
            let is_host = authority.is_empty() || consists_of(authority.as_bytes(), HOST);
            if !is_scheme || !is_host || (is_web && !is_host_and_port(authority)) {
                return None;
            }
            (Some(authority.as_bytes().to_vec()), resource)
        }
    };
    let path_end = resource.find('?').unwrap_or(resource.len());
    let is_passed = |(at, letter): (usize, char)| !"<>".contains(letter) && (letter != '`' || at > path_end);
    let root = if path_end == 0 { "/" } else { "" };
    resource.char_indices().all(is_passed).then(|| (authority, [root, resource].concat().into_bytes()))
}

/// A name or an address in brackets, and perhaps a port.
fn is_host_and_port(authority: &str) -> bool {
    let name = if authority.starts_with('[') {
        let Some(end) = authority.find(']') else { return false };
        &authority[end + 1..]
    } else {
        authority
    };
    !authority.is_empty() && !name.contains('[') && !name.contains(']') && name.split(':').count() <= 2
}

/// Reads the response head that `bytes` begin with, if they do.
pub fn response(bytes: &[u8]) -> Option<Response> {
    let (size, first, lines) = head(bytes, false, 2000)?;
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
    if !(100..1000).contains(&status) || status == 101 {
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
        field(line, line)?;
        trailers += line.len() + 2;
        if trailers > 8192 {
            return None;
        }
    }
}

/// The size of the head, its first line and its field lines, of which there are no more than `most`.
fn head(bytes: &[u8], may_end_with_lf: bool, most: usize) -> Option<(usize, Vec<u8>, Vec<Line>)> {
    let mut lines = Vec::new();
    let mut size = 0;
    let (first, fields) = loop {
        let whole = &bytes[size..size + find(&bytes[size..], b"\n")? + 1];
        let line = match whole.strip_suffix(b"\r\n") {
            Some(line) => line,
            None if may_end_with_lf => &whole[..whole.len() - 1],
            None => return None,
        };
        size += whole.len();
        if line.is_empty() {
            let mut lines = lines.into_iter();
            let (first, _): (&[u8], _) = lines.next()?;
            let fields = lines.map(|(line, whole)| field(line, whole)).collect::<Option<Vec<_>>>()?;
            break (first.to_vec(), fields);
        }
        lines.push((line, whole));
    };
    if fields.len() > most || first.contains(&b'\r') {
        return None;
    }
    Some((size, first, fields))
}

fn field(line: &[u8], whole: &[u8]) -> Option<Line> {
    let colon = find(line, b":")?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if !consists_of(name, TOKEN) || value.iter().any(|byte| !is_value(*byte)) {
        return None;
    }
    Some((name.to_vec(), trimmed(value), whole.to_vec()))
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
