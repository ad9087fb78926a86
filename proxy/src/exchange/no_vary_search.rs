//! A response that a browser keeps for all signatures of a URL: the browser of the one who may read it, and nothing else.
//!
//! A URL that is presigned anew has another query, so that a browser loads again what it has. `No-Vary-Search` says which parameters change
//! nothing in the response (draft-ietf-httpbis-no-vary-search). A shared cache would then answer without asking the judge of the signature:
//! only a response that its reader alone may keep gets the header.

use super::head::RequestHead;
use crate::s3::presigned::is_complete;
use http::{HeaderName, HeaderValue, StatusCode, header};

/// The parameters of a signature, of version 4 and 2, and the one in which the SDKs name the operation. The same for every path: a response
/// with another value could not be used for it (the draft, section 5).
pub(super) static NO_VARY_SEARCH: (HeaderName, HeaderValue) = (
    HeaderName::from_static("no-vary-search"),
    HeaderValue::from_static(
        "params=(\"X-Amz-Algorithm\" \"X-Amz-Credential\" \"X-Amz-Date\" \"X-Amz-Expires\" \"X-Amz-SignedHeaders\" \
         \"X-Amz-Signature\" \"X-Amz-Security-Token\" \"X-Amz-Content-Sha256\" \"x-id\" \"AWSAccessKeyId\" \"Signature\" \
         \"Expires\")",
    ),
);
pub(super) static PRIVATE: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static("private"));

/// The word of a response's `Cache-Control` lines on who may keep it (RFC 9111 §5.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Keeping {
    is_said: bool,
    is_private: bool,
    /// Anyone may keep it, or no one.
    is_for_others: bool,
}

impl Keeping {
    /// Reads one line.
    pub(super) fn add(&mut self, cache_control: &[u8]) {
        for directive in cache_control.split(|byte| *byte == b',') {
            let name = directive.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
            let is = |names: &[&[u8]]| names.iter().any(|each| name.eq_ignore_ascii_case(each));
            self.is_said |= !name.is_empty();
            self.is_private |= is(&[b"private"]);
            self.is_for_others |= is(&[b"public", b"s-maxage", b"no-store"]);
        }
    }

    /// Returns true if nothing is said.
    pub(super) const fn is_unsaid(self) -> bool {
        !self.is_said
    }

    /// Returns true if its reader alone may keep the response.
    pub(super) const fn is_for_reader(self) -> bool {
        self.is_private && !self.is_for_others
    }
}

/// Returns true for a presigned GET: only its signature says who may read the response.
pub(super) fn is_presigned_get(head: &impl RequestHead) -> bool {
    head.method() == "GET" && is_complete(head.query()) && head.value("authorization").is_none()
}

/// Returns true for a response that a later one may be answered with.
pub(super) fn is_kept(status: StatusCode) -> bool {
    matches!(status, StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_its_readers_where_cache_control_says_so() {
        for (lines, is_unsaid, is_for_reader) in [
            (&[][..], true, false),
            (&[""], true, false),
            (&["private"], false, true),
            (&["max-age=60, Private"], false, true),
            (&["max-age=60", "private"], false, true),
            (&["private=\"set-cookie\""], false, true),
            (&["max-age=60"], false, false),
            (&["public"], false, false),
            (&["private, s-maxage=60"], false, false),
            (&["private, no-store"], false, false),
            (&["public", "private"], false, false),
        ] {
            let mut keeping = Keeping::default();
            lines.iter().for_each(|line| keeping.add(line.as_bytes()));
            assert_eq!((keeping.is_unsaid(), keeping.is_for_reader()), (is_unsaid, is_for_reader), "{lines:?}");
        }
    }
}
