//! A denied request: as the exchange hands it over, and as much of it as is kept.

use s3_cors::{Reason, RequestKind};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt::Display;
use std::time::SystemTime;

/// A request that the rules denied, as it is kept: long values are cut. Without the query, which can hold a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Denial<Text = Box<str>, Sent = Box<str>> {
    /// The proxy's `x-amz-request-id`, on the responses of its own.
    pub request_id: Text,
    /// The upstream's, on the responses of the upstream.
    pub upstream_request_id: Option<Text>,
    /// When.
    #[serde(serialize_with = "timestamp")]
    pub at: SystemTime,
    /// The bucket that the request names, if it names one.
    pub bucket: Option<Text>,
    /// True if servers could take it for requests to different buckets, so that no rule could grant it.
    pub is_ambiguous: bool,
    /// The label of the bucket's rules.
    #[serde(rename = "rules")]
    pub label: Text,
    /// The request's kind to CORS.
    #[serde(serialize_with = "name")]
    pub kind: RequestKind,
    /// The path, without the query.
    pub path: Text,
    /// The Origin; empty where there was none.
    pub origin: Sent,
    /// The method that the rules were asked about.
    pub method: Sent,
    /// The headers that were asked for.
    pub request_headers: Option<Sent>,
    /// True if these values are as they came.
    pub is_whole: bool,
    /// Which clause denied it.
    #[serde(serialize_with = "name")]
    pub reason: Reason,
    /// What the clause refused.
    pub detail: Option<Text>,
    /// The status that the client got; 0 if it left before.
    pub status: u16,
    /// True if an upstream answered, so that it may have carried out the request.
    pub was_answered: bool,
}

/// A denied request as it came: the tables bound what they keep of it.
pub type Denied<'d> = Denial<&'d str, &'d [u8]>;

impl<Text: AsRef<str>, Sent> Denial<Text, Sent> {
    /// Names what the request is counted under: the label of its rules, or the bucket that has none. A client chooses the latter.
    pub fn group(&self) -> &str {
        let bucket = self.bucket.as_ref().map(AsRef::as_ref);
        match bucket {
            _ if self.reason != Reason::NoRules || self.is_ambiguous => self.label.as_ref(),
            None => SERVICE,
            Some(name) if name.len() <= MAX_BUCKET && !name.contains(char::is_control) => name,
            Some(_) => OTHER,
        }
    }
}

/// The label of requests without a bucket.
const SERVICE: &str = "_service";
/// The label of everything that has no name of its own.
pub(super) const OTHER: &str = "_other";

/// The most that is kept of a bucket's name, in bytes: longer ones have no rules of their own, S3's have at most 63 characters.
pub(super) const MAX_BUCKET: usize = 255;
/// The longest origin that is kept, in bytes: a DNS name has at most 253.
pub(super) const MAX_ORIGIN: usize = 300;
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

/// The name of a value in a closed set.
pub(super) fn name<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// RFC 3339, in UTC.
pub(super) fn timestamp<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_rfc3339_millis(*at))
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
            kind: RequestKind::Preflight,
            path: "/b/k",
            origin: origin.as_bytes(),
            method: b"PUT",
            request_headers: None,
            is_whole: true,
            reason: Reason::Origin,
            detail: Some(origin),
            status: 403,
            was_answered: false,
        }
    }

    #[test]
    fn a_bucket_without_rules_is_counted_under_its_name() {
        let (denied, long) = (Denied { label: "_other", reason: Reason::NoRules, ..denied("") }, "b".repeat(256));
        for (of, group) in [
            (Denied { reason: Reason::Origin, ..denied }, "_other"),
            (Denied { bucket: Some("Avatars"), ..denied }, "Avatars"),
            (Denied { bucket: None, ..denied }, "_service"),
            (Denied { bucket: None, is_ambiguous: true, ..denied }, "_other"),
            (Denied { bucket: Some(&long), ..denied }, "_other"),
            (Denied { bucket: Some("a\0b"), ..denied }, "_other"),
        ] {
            assert_eq!(of.group(), group, "{of:?}");
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
