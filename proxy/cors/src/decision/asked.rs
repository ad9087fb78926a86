//! What a request asks of the rules, read once.
//!
//! Decides: what is malformed, in S3's order, and which header names are asked for. Must not know: rules.

use super::denial::{Denial, stored};
use super::request::{CorsRequest, HeaderLists};
use crate::header_name::is_token_or_empty;
use crate::method::AskedMethod;
use http::HeaderValue;

/// The longest `Access-Control-Request-Headers` that is looked at, all its lines together, in bytes.
///
/// S3 accepts 8 KB for all headers of a request; a browser's list is a few hundred bytes. A longer list is refused like a header
/// that no rule allows, so that no client can make us match a megabyte.
pub const MAX_REQUEST_HEADERS_LENGTH: usize = 8 * 1024;

/// The most names of an `Access-Control-Request-Headers` that are looked at: no page sends so many, and each costs a comparison
/// with every pattern of every rule.
pub const MAX_REQUEST_HEADERS: usize = 256;

/// What a request asks for.
#[derive(Debug)]
pub(crate) struct Asked<'r> {
    /// `None` for what matches nothing: two origins, or bytes that no origin has.
    pub(crate) origin: Option<&'r str>,
    pub(crate) method: AskedMethod,
    pub(crate) headers: AskedHeaders<'r>,
}

impl<'r> Asked<'r> {
    pub(crate) fn read(request: &'r CorsRequest<'_>) -> Result<Self, Denial> {
        if !request.has_origin() {
            return Err(Denial::NoOrigin);
        }
        Ok(Self {
            origin: request.only_origin(),
            method: asked_method(request)?,
            headers: AskedHeaders::read(request.asked_headers())
                .map_err(|MalformedItem(item)| Denial::MalformedHeader(item))?,
        })
    }
}

/// The method asked for, else the request's own: on actual requests too (S3: ls-methods-get-with-acrm-put, sd-acrm-missing). Two
/// lines that ask match nothing.
fn asked_method(request: &CorsRequest<'_>) -> Result<AskedMethod, Denial> {
    match request.only_asked_method() {
        Err(_) => Ok(AskedMethod::Other),
        Ok(None) => Ok(AskedMethod::from_name(request.method()).unwrap_or(AskedMethod::Other)),
        Ok(Some(asked)) => AskedMethod::from_name(asked).ok_or_else(|| Denial::UnknownMethod(stored(asked))),
    }
}

/// The header names that a request asks for, as they were sent: in its order, duplicates kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AskedHeaders<'r> {
    lists: &'r HeaderLists<'r>,
    /// The list, if it is one line as browsers write it.
    plain: Option<&'r [u8]>,
    /// How long [`into_value`](Self::into_value) is, in bytes.
    length: usize,
    too_long: bool,
}

/// An item of `Access-Control-Request-Headers` that is no header name, cut for storing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MalformedItem(pub(crate) Box<str>);

const SEPARATOR: &[u8] = b", ";

impl<'r> AskedHeaders<'r> {
    /// Reads the list: several lines are one list, and empty items do not count (RFC 9110 §5.3, §5.6.1.2).
    fn read(lists: &'r HeaderLists<'r>) -> Result<Self, MalformedItem> {
        let beyond_the_limit = Self { lists, plain: None, length: 0, too_long: true };
        let sent = lists.lines().map(<[u8]>::len).sum::<usize>();
        if sent > MAX_REQUEST_HEADERS_LENGTH {
            return Ok(beyond_the_limit);
        }
        let (mut names, mut length) = (0, 0);
        let plain = lists.only().and_then(|line| Some((line, plain_separators(line)?)));
        if let Some((line, separators)) = plain {
            names = separators + 1;
            length = line.len() + separators;
        } else {
            for item in lists.lines().flat_map(items) {
                if !is_token_or_empty(item) {
                    return Err(MalformedItem(stored(item)));
                }
                names += 1;
                length += item.len() + SEPARATOR.len();
            }
            length = length.saturating_sub(SEPARATOR.len());
        }
        if names > MAX_REQUEST_HEADERS {
            return Ok(beyond_the_limit);
        }
        Ok(Self { lists, plain: plain.map(|(line, _)| line), length, too_long: false })
    }

    /// The names; none of a list that is too long.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'r [u8]> {
        self.lists.lines().take_while(move |_| !self.too_long).flat_map(items)
    }

    /// Whether the list was longer than [`MAX_REQUEST_HEADERS_LENGTH`] or [`MAX_REQUEST_HEADERS`] and so cannot be allowed.
    pub(crate) const fn is_too_long(self) -> bool {
        self.too_long
    }

    /// The value of `Access-Control-Allow-Headers`: the names in lower case, joined with `", "`
    /// (S3: ls-headers-list-mixed-case, sd-headers-duplicates). `None` for an empty list.
    pub(crate) fn into_value(self) -> Option<TokenList> {
        if self.length == 0 {
            return None;
        }
        let mut joined = Vec::with_capacity(self.length);
        match self.plain {
            Some(line) => space_plain(line, &mut joined),
            None => {
                for item in self.lists.lines().flat_map(items) {
                    if !joined.is_empty() {
                        joined.extend_from_slice(SEPARATOR);
                    }
                    joined.extend_from_slice(item);
                }
            }
        }
        joined.make_ascii_lowercase();
        Some(TokenList(joined.into()))
    }
}

/// Names in lower case with `", "` between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenList(Box<[u8]>);

impl TokenList {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    #[expect(clippy::expect_used, reason = "token characters, commas and spaces are valid in a header value")]
    pub(crate) fn to_header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).expect("only tokens and separators")
    }
}

/// The number of commas in a list as browsers write it: usual names, and one comma between each two (Fetch, "CORS-preflight fetch"). `None`
/// is any other list.
fn plain_separators(line: &[u8]) -> Option<usize> {
    // Of a size that is known, and without an early end: so many bytes are compared at once.
    let is_usual = |bytes: &[u8; 16]| {
        bytes.iter().fold(true, |all, byte| all & (byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b',')))
    };
    let (sixteens, last) = line.as_chunks();
    let mut padded = [b'a'; 16];
    padded.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
    if line.is_empty() || !sixteens.iter().chain([&padded]).all(is_usual) {
        return None;
    }
    let (mut separators, mut begin) = (0, 0);
    for comma in memchr::memchr_iter(b',', line) {
        if comma == begin {
            return None;
        }
        (separators, begin) = (separators + 1, comma + 1);
    }
    (begin < line.len()).then_some(separators)
}

/// Copies such a list, with a space after each comma.
fn space_plain(line: &[u8], to: &mut Vec<u8>) {
    let mut copied = 0;
    for comma in memchr::memchr_iter(b',', line) {
        to.extend_from_slice(line.get(copied..=comma).unwrap_or_default());
        to.push(b' ');
        copied = comma + 1;
    }
    to.extend_from_slice(line.get(copied..).unwrap_or_default());
}

/// The items of a list that are not empty, without the white space around them.
fn items(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that lines ask for, and what is granted of them.
    fn read(lines: &[&str]) -> Result<(Vec<String>, String, bool), MalformedItem> {
        let mut request = CorsRequest::new(b"OPTIONS");
        lines.iter().for_each(|line| request.add_line(b"access-control-request-headers", line.as_bytes()));
        let asked = AskedHeaders::read(request.asked_headers())?;
        let value = asked.into_value().map(|value| value.to_header().to_str().unwrap().to_owned()).unwrap_or_default();
        assert!(value.is_empty() || value.len() == asked.length, "{value}");
        let names = asked.iter().map(|name| String::from_utf8(name.to_vec()).unwrap()).collect();
        Ok((names, value, asked.is_too_long()))
    }

    #[test]
    fn asked_headers_are_trimmed_and_keep_order_and_duplicates() {
        for (lines, names, value) in [
            (&["X-B ,\tx-a, X-b"][..], &["X-B", "x-a", "X-b"][..], "x-b, x-a, x-b"),
            (&["x-a", "X-B"], &["x-a", "X-B"], "x-a, x-b"),
            (&[",, ,"], &[], ""),
            (&["content-type,,expires"], &["content-type", "expires"], "content-type, expires"),
            (&["content-type,x-a,X-B9"], &["content-type", "x-a", "X-B9"], "content-type, x-a, x-b9"),
            (&["x-a,x-b,"], &["x-a", "x-b"], "x-a, x-b"),
            (&[",x-a"], &["x-a"], "x-a"),
            (&["x_a,x.b"], &["x_a", "x.b"], "x_a, x.b"),
            (&["x"], &["x"], "x"),
            (&[""], &[], ""),
            (&[], &[], ""),
        ] {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(read(lines), Ok((names, value.to_owned(), false)), "{lines:?}");
        }
    }

    #[test]
    fn an_item_that_is_no_token_is_named() {
        assert_eq!(read(&["x-a, Bad Header"]), Err(MalformedItem("Bad Header".into())));
    }

    #[test]
    fn a_list_beyond_the_limits_is_not_matched_at_all() {
        let long = "a".repeat(MAX_REQUEST_HEADERS_LENGTH + 1);
        for (list, too_long) in [
            (long.as_str(), true),
            (&long[1..], false),
            (&"a,".repeat(MAX_REQUEST_HEADERS + 1), true),
            (&"a,,".repeat(MAX_REQUEST_HEADERS), false),
        ] {
            let (names, value, is_too_long) = read(&[list]).unwrap();
            assert_eq!(is_too_long, too_long, "{} bytes", list.len());
            assert_eq!((names.is_empty(), value.is_empty()), (too_long, too_long), "{} bytes", list.len());
        }
    }
}
