//! The bytes of a connection as messages, read by a second parser that shares no code with the proxy.

use super::strict;

/// A request or a response, its body without chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub first_line: String,
    /// Name and value, in order.
    pub lines: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body came to its end.
    pub is_whole: bool,
}

impl Message {
    pub fn value(&self, name: &str) -> Option<&str> {
        self.lines.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The status of a response.
    pub fn status(&self) -> u16 {
        let code = self.first_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        code.unwrap_or_else(|| panic!("no status line: {self:?}"))
    }

    pub fn is_final(&self) -> bool {
        self.status() >= 200
    }
}

/// The request that `bytes` begin with and how many bytes it has, if all of it is there.
pub fn request(bytes: &[u8]) -> Option<(Message, usize)> {
    let (mut message, size) = head(bytes)?;
    let rest = &bytes[size..];
    let length = if message.value("transfer-encoding").is_some() {
        let (body, length) = strict::chunked(rest)?;
        message.body = body;
        length
    } else {
        let length = message.value("content-length").map_or(Ok(0), str::parse).ok()?;
        message.body = rest.get(..length)?.to_vec();
        length
    };
    message.is_whole = true;
    Some((message, size + length))
}

/// Every request of a connection, and how many bytes they are together.
pub fn requests(bytes: &[u8]) -> (Vec<Message>, usize) {
    let (mut all, mut read) = (Vec::new(), 0);
    while let Some((message, size)) = request(&bytes[read..]) {
        all.push(message);
        read += size;
    }
    (all, read)
}

/// The same, read only as far as the second reader of the grammar accepts each head.
pub fn strict_requests(bytes: &[u8]) -> (Vec<Message>, usize) {
    let (mut all, mut read) = (Vec::new(), 0);
    while let Some((message, size)) = strict_request(&bytes[read..]) {
        all.push(message);
        read += size;
    }
    (all, read)
}

fn strict_request(bytes: &[u8]) -> Option<(Message, usize)> {
    let head = strict::request(bytes)?;
    let rest = &bytes[head.size..];
    let (body, length) = match head.length {
        strict::Length::Unstated => (Vec::new(), 0),
        strict::Length::Bytes(length) => (rest.get(..length.try_into().ok()?)?.to_vec(), length.try_into().ok()?),
        strict::Length::Chunks => strict::chunked(rest)?,
    };
    let text = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
    let first_line = format!("{} {} HTTP/1.{}", text(&head.method), text(&head.target), head.minor);
    let lines = head.lines.iter().map(|(name, value, _)| (text(name), text(value))).collect();
    Some((Message { first_line, lines, body, is_whole: true }, head.size + length))
}

/// The response that `bytes` begin with and how many bytes it has; `None` while its head is not whole, or while its body is not and
/// the connection may still bring it.
pub fn response(bytes: &[u8], to_head: bool, has_ended: bool) -> Option<(Message, usize)> {
    let (mut message, size) = head(bytes)?;
    let rest = &bytes[size..];
    let status = message.status();
    let length = if to_head || status < 200 || status == 204 || status == 304 {
        message.is_whole = true;
        0
    } else if message.value("transfer-encoding").is_some() {
        match strict::chunked(rest) {
            Some((body, length)) => {
                (message.body, message.is_whole) = (body, true);
                length
            }
            None => {
                message.body = chunks(rest);
                rest.len()
            }
        }
    } else if let Some(length) = message.value("content-length") {
        let length: usize = length.parse().unwrap();
        message.is_whole = rest.len() >= length;
        message.body = rest[..length.min(rest.len())].to_vec();
        message.body.len()
    } else {
        (message.body, message.is_whole) = (rest.to_vec(), has_ended);
        rest.len()
    };
    (message.is_whole || has_ended).then_some((message, size + length))
}

/// Every response of a connection to requests with these methods, and how many bytes they are together.
pub fn responses(bytes: &[u8], methods: &[&str], has_ended: bool) -> (Vec<Message>, usize) {
    let (mut all, mut read, mut answered) = (Vec::new(), 0, 0);
    while let Some((message, size)) =
        response(&bytes[read..], methods.get(answered).is_some_and(|method| *method == "HEAD"), has_ended)
    {
        answered += usize::from(message.is_final());
        all.push(message);
        read += size;
    }
    (all, read)
}

fn head(bytes: &[u8]) -> Option<(Message, usize)> {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n")?;
    let text: String = bytes[..end].iter().map(|byte| char::from(*byte)).collect();
    let mut lines = text.split("\r\n");
    let first_line = lines.next()?.to_owned();
    let lines = lines.map(|line| line.split_once(':').unwrap_or_else(|| panic!("no header: {line:?}")));
    let lines = lines.map(|(name, value)| (name.to_owned(), value.trim_matches([' ', '\t']).to_owned())).collect();
    Some((Message { first_line, lines, body: Vec::new(), is_whole: false }, end + 4))
}

/// The data of as many chunks as there are.
fn chunks(mut bytes: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = str::from_utf8(&bytes[..end]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let Some(size) = size else { break };
        let rest = &bytes[end + 2..];
        data.extend_from_slice(&rest[..size.min(rest.len())]);
        bytes = rest.get(size + 2..).unwrap_or_default();
    }
    data
}
