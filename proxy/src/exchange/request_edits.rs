//! The request's head for the upstream, where it differs from what came.

use super::forwarding::ForwardedLines;
use super::head_retry;
use crate::s3::placed_signature::{PlacedSignature, SignaturePlace};
use std::borrow::Cow;

/// The difference between the request as it came and as the upstream sees it.
#[derive(Debug)]
pub struct RequestEdits<'r> {
    pub(super) host: Option<&'r str>,
    pub(super) forwarded: Option<ForwardedLines<'r>>,
    pub(super) is_head_retry: bool,
    /// A signature that is broken on the way; all else is equal with it and without.
    pub(super) broken: Option<&'r PlacedSignature>,
}

impl<'r> RequestEdits<'r> {
    /// The `Host` in place of the client's own.
    #[must_use]
    pub const fn host(&self) -> Option<&'r str> {
        self.host
    }

    /// The method in place of the client's own.
    #[must_use]
    pub fn method(&self) -> Option<&'static str> {
        self.is_head_retry.then_some(head_retry::METHOD)
    }

    /// Returns true if a header line of the client's request ends here, by its name in any case, because something is in its place.
    #[must_use]
    pub fn removes(&self, name: &[u8]) -> bool {
        match name.first() {
            Some(b'h' | b'H') => self.host.is_some() && name.eq_ignore_ascii_case(b"host"),
            Some(b'r' | b'R') => self.is_head_retry && name.eq_ignore_ascii_case(head_retry::RANGE.0.as_bytes()),
            _ => self.forwarded.as_ref().is_some_and(|lines| lines.replaces(name)),
        }
    }

    /// Hands over each line that is added: its name, and its value in parts.
    pub fn for_each_line(&self, mut line: impl FnMut(&'static str, [&str; 3])) {
        if self.is_head_retry {
            let (name, value) = head_retry::RANGE;
            line(name, value);
        }
        if let Some(forwarded) = &self.forwarded {
            forwarded.for_each(line);
        }
    }

    /// The query for the upstream.
    #[must_use]
    pub fn query<'q>(&self, query: &'q str) -> Cow<'q, [u8]> {
        self.text(SignaturePlace::Query, query.as_bytes())
    }

    /// The value of a line for the upstream.
    #[must_use]
    pub fn value<'v>(&self, name: &[u8], value: &'v [u8]) -> Cow<'v, [u8]> {
        let is_credential = self.broken.is_some() && name.eq_ignore_ascii_case(b"authorization");
        if is_credential { self.text(SignaturePlace::Authorization, value) } else { value.into() }
    }

    /// Returns true if the signature is broken on the way.
    #[must_use]
    pub const fn breaks_signature(&self) -> bool {
        self.broken.is_some()
    }

    fn text<'v>(&self, place: SignaturePlace, text: &'v [u8]) -> Cow<'v, [u8]> {
        self.broken.map_or(Cow::Borrowed(text), |signature| signature.broken(place, text))
    }
}
