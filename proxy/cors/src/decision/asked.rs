//! What a request asks of the rules, read once.
//!
//! Decides: what is malformed, in S3's order, and which header names are asked for. Must not know: rules.

use super::denial::{Denial, stored};
use super::request::CorsRequest;
use crate::header_name::{NO_TOKEN, lower_token};
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
    pub(crate) headers: AskedHeaders,
}

impl<'r> Asked<'r> {
    pub(crate) fn read(request: &CorsRequest<'r>) -> Result<Self, Denial> {
        if !request.has_origin() {
            return Err(Denial::NoOrigin);
        }
        Ok(Self {
            origin: request.only_origin(),
            method: asked_method(request)?,
            headers: AskedHeaders::read(request.asked_header_lines())
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

/// The header names that a request asks for: lower-cased, in its order, duplicates kept, joined with `", "`.
///
/// The text is both what is matched and the value of `Access-Control-Allow-Headers`
/// (S3: ls-headers-list-mixed-case, sd-headers-duplicates), so it is built only once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AskedHeaders {
    joined: String,
    too_long: bool,
}

/// An item of `Access-Control-Request-Headers` that is no header name, cut for storing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MalformedItem(pub(crate) Box<str>);

const SEPARATOR: &[u8] = b", ";

impl AskedHeaders {
    /// Reads the list: several lines are one list, and empty items do not count (RFC 9110 §5.3, §5.6.1.2).
    #[expect(clippy::expect_used, reason = "token characters are ASCII")]
    pub(crate) fn read<'r>(lines: impl Iterator<Item = &'r [u8]>) -> Result<Self, MalformedItem> {
        let mut joined = Vec::new();
        let (mut length, mut names) = (0, 0);
        for line in lines {
            length += line.len();
            if length > MAX_REQUEST_HEADERS_LENGTH {
                return Ok(Self::beyond_the_limit());
            }
            // A browser's line has no spaces: every comma becomes a separator, and the text fits exactly.
            joined.reserve_exact(line.len() + line.iter().filter(|byte| **byte == b',').count());
            for item in line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                push(&mut joined, item)?;
                names += usize::from(!item.is_empty());
            }
        }
        if names > MAX_REQUEST_HEADERS {
            return Ok(Self::beyond_the_limit());
        }
        Ok(Self { joined: String::from_utf8(joined).expect("tokens and separators are UTF-8"), too_long: false })
    }

    const fn beyond_the_limit() -> Self {
        Self { joined: String::new(), too_long: true }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.joined.split(',').map(|name| name.strip_prefix(' ').unwrap_or(name)).filter(|name| !name.is_empty())
    }

    /// Whether the list was longer than [`MAX_REQUEST_HEADERS_LENGTH`] or [`MAX_REQUEST_HEADERS`] and so cannot be allowed.
    pub(crate) const fn is_too_long(&self) -> bool {
        self.too_long
    }

    /// The value of `Access-Control-Allow-Headers`; `None` for an empty list.
    #[expect(clippy::expect_used, reason = "token characters, commas and spaces are valid in a header value")]
    pub(crate) fn into_value(self) -> Option<HeaderValue> {
        (!self.joined.is_empty()).then(|| HeaderValue::try_from(self.joined).expect("only tokens and separators"))
    }
}

fn push(joined: &mut Vec<u8>, item: &[u8]) -> Result<(), MalformedItem> {
    if !item.is_empty() && !joined.is_empty() {
        joined.extend_from_slice(SEPARATOR);
    }
    // Each byte is looked up once: it is checked and put in lower case by the same table.
    let start = joined.len();
    joined.extend(item.iter().map(|byte| lower_token(*byte)));
    if joined.get(start..).is_some_and(|lower| lower.contains(&NO_TOKEN)) {
        return Err(MalformedItem(stored(item)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<AskedHeaders, MalformedItem> {
        AskedHeaders::read(lines.iter().map(|line| line.as_bytes()))
    }

    #[test]
    fn asked_headers_are_trimmed_lower_cased_and_keep_order_and_duplicates() {
        for (lines, expected) in [
            (&["X-B ,\tx-a, X-b"][..], "x-b, x-a, x-b"),
            (&["x-a", "X-B"], "x-a, x-b"),
            (&[",, ,"], ""),
            (&["content-type,,expires"], "content-type, expires"),
            (&[], ""),
        ] {
            assert_eq!(read(lines).unwrap().joined, expected, "{lines:?}");
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
            assert_eq!(read(&[list]).unwrap().is_too_long(), too_long, "{} bytes", list.len());
        }
    }
}
