//! A denied request, as the exchange hands it over.

use std::borrow::Cow;
use std::time::SystemTime;

/// The longest origin that is kept, in bytes: a DNS name has at most 253.
pub(super) const MAX_ORIGIN: usize = 300;

/// A request that the rules denied, as it came: what is kept of it is bounded by the tables.
#[derive(Clone, Copy, Debug)]
pub struct Denied<'d> {
    /// When.
    pub at: SystemTime,
    /// The proxy's `x-amz-request-id`, on the responses of its own.
    pub request_id: &'d str,
    /// The upstream's, on the responses of the upstream.
    pub upstream_request_id: Option<&'d str>,
    /// The label of the bucket's rules.
    pub label: &'d str,
    /// The bucket that the request names, if it names one.
    pub bucket: Option<&'d str>,
    /// True if servers could take it for requests to different buckets, so that no rule could grant it.
    pub is_ambiguous: bool,
    /// What the request was to CORS, such as `preflight`.
    pub kind: &'static str,
    /// The path, without the query.
    pub path: &'d str,
    /// The Origin.
    pub origin: Option<&'d [u8]>,
    /// The method that the rules were asked about.
    pub method: &'d [u8],
    /// The headers that were asked for.
    pub request_headers: Option<&'d [u8]>,
    /// Which clause denied it.
    pub reason: &'static str,
    /// What the clause refused.
    pub detail: Option<&'d str>,
}

/// The longest detail that is kept, in bytes.
pub(super) const MAX_DETAIL: usize = 300;
/// The longest method that is kept, in bytes.
pub(super) const MAX_METHOD: usize = 32;

/// The beginning of a text, of at most so many bytes, and whether that is the text as it came. What is not UTF-8 becomes `?`, which is
/// not longer.
pub(super) fn bounded(bytes: &[u8], most: usize) -> (Cow<'_, str>, bool) {
    if let Ok(text) = str::from_utf8(bytes)
        && bytes.len() <= most
    {
        return (text.into(), true);
    }
    let (mut text, mut is_whole) = (String::new(), bytes.len() <= most);
    let beginning = bytes.get(..most).unwrap_or(bytes);
    let mut chunks = beginning.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(chunk.valid());
        let is_cut_in_two = bytes.len() > most && chunks.peek().is_none();
        if !chunk.invalid().is_empty() && !is_cut_in_two {
            text.push('?');
            is_whole = false;
        }
    }
    (text.into(), is_whole)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A denied preflight from this origin.
    pub(in crate::observe) fn denied(origin: &str) -> Denied<'_> {
        Denied {
            at: SystemTime::UNIX_EPOCH,
            request_id: "6F1B3A0C9D2E4857",
            upstream_request_id: None,
            label: "b",
            bucket: Some("b"),
            is_ambiguous: false,
            kind: "preflight",
            path: "/b/k",
            origin: Some(origin.as_bytes()),
            method: b"PUT",
            request_headers: None,
            reason: "origin",
            detail: Some(origin),
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        for (bytes, most, text, is_all) in [
            (&b"abc"[..], 3, "abc", true),
            (b"abc", 2, "ab", false),
            ("aü".as_bytes(), 2, "a", false),
            (b"a\xffb", 3, "a?b", false),
            (b"\xff\xff", 2, "??", false),
        ] {
            assert_eq!(bounded(bytes, most), (text.into(), is_all), "{bytes:?}");
        }
    }
}
