//! The request's head for the upstream, where it differs from what came.

use super::forwarding::ForwardedLines;
use super::head_retry;
use super::names::inner_path;
use super::signed_reads::read::ReadEdits;
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
    /// The bytes of the path that belong to the public name.
    pub(super) prefix: usize,
    pub(super) ended: EndedLines,
    /// `Accept-Encoding` in place of the client's own.
    pub(super) encoding: Option<&'static str>,
    /// Set if the body waits until the upstream has judged the head.
    pub(super) holds_body: bool,
    /// Set if the client expects something itself.
    pub(super) has_expectation: bool,
    /// The request that is signed here, in place of the client's own.
    pub(super) read: Option<ReadEdits<'r>>,
}

/// The lines of a client that end here, because they are not for the storage.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EndedLines {
    pub(super) origin: bool,
    pub(super) cookie: bool,
    pub(super) authorization: bool,
    /// `X-Forwarded-Host`, where another `Host` is sent: SeaweedFS judges a signature by it (`extractHostHeader`), and it is the sent one that
    /// was signed.
    pub(super) forwarded_host: bool,
}

impl<'r> RequestEdits<'r> {
    /// The `Host` in place of the client's own.
    #[must_use]
    pub const fn host(&self) -> Option<&'r str> {
        self.host
    }

    /// The request that is signed here, in place of the client's own.
    #[must_use]
    pub const fn signed_read(&self) -> Option<&ReadEdits<'r>> {
        self.read.as_ref()
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
            Some(b'o' | b'O') => self.ended.origin && name.eq_ignore_ascii_case(b"origin"),
            Some(b'c' | b'C') => self.ended.cookie && name.eq_ignore_ascii_case(b"cookie"),
            Some(b'a' | b'A') => {
                (self.ended.authorization && name.eq_ignore_ascii_case(b"authorization"))
                    || (self.encoding.is_some() && name.eq_ignore_ascii_case(b"accept-encoding"))
            }
            Some(b'x' | b'X') if self.ended.forwarded_host && name.eq_ignore_ascii_case(b"x-forwarded-host") => true,
            _ => self.forwarded.as_ref().is_some_and(|lines| lines.replaces(name)),
        }
    }

    /// Hands over each line that is added: its name, and its value in parts.
    pub fn for_each_line(&self, mut line: impl FnMut(&'static str, [&str; 3])) {
        if self.is_head_retry {
            let (name, value) = head_retry::RANGE;
            line(name, value);
        }
        if let Some(encoding) = self.encoding {
            line("Accept-Encoding", [encoding, "", ""]);
        }
        if self.holds_body && !self.has_expectation {
            line("Expect", ["100-continue", "", ""]);
        }
        if let Some(forwarded) = &self.forwarded {
            forwarded.for_each(line);
        }
    }

    /// The path for the upstream, in place of the client's own; `None` where it stays.
    #[must_use]
    pub fn path<'p>(&self, path: &'p str) -> Option<&'p str> {
        (self.prefix > 0).then(|| inner_path(path, self.prefix))
    }

    /// Returns true if the body waits until the upstream has judged the head.
    #[must_use]
    pub const fn holds_body(&self) -> bool {
        self.holds_body
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
