//! `Vary`: the request headers that a response depends on.
//!
//! S3 sends it with grants only (S3: ls-origins-get-noorigin). A shared cache then stores a response without CORS headers and
//! serves it to every origin, so the caller should send it on every response of a bucket with rules.

use http::HeaderValue;

/// The three request headers that a response depends on, in S3's order (S3: ls-origins-star-options).
pub const VARY: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Headers, Access-Control-Request-Method");

const VARY_TOKENS: [&str; 3] = ["Origin", "Access-Control-Request-Headers", "Access-Control-Request-Method"];

/// What to do with the `Vary` of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaryMerge {
    /// Nothing: S3's three tokens are there, or `*`, which covers them.
    Complete,
    /// Replace all lines with this value.
    Set(HeaderValue),
}

/// Merges S3's three tokens into the `Vary` lines of a response: after the tokens that are there, none of the three twice.
///
/// A token with bytes that no header value may hold (RFC 9110 §5.5) is dropped: it names no header, and must not cost the response
/// its `Vary`.
#[must_use]
pub fn merge_vary<'v>(lines: impl IntoIterator<Item = &'v [u8]>) -> VaryMerge {
    let mut merged: Vec<u8> = Vec::new();
    let mut missing = [true; VARY_TOKENS.len()];
    for line in lines {
        for token in line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if token == b"*" {
                return VaryMerge::Complete;
            }
            let mut known = VARY_TOKENS.iter().zip(&mut missing);
            let known = known.find(|(known, _)| token.eq_ignore_ascii_case(known.as_bytes()));
            if is_value(token) && known.is_none_or(|(_, missing)| std::mem::replace(missing, false)) {
                push(&mut merged, token);
            }
        }
    }
    if merged.is_empty() {
        return VaryMerge::Set(VARY);
    }
    if missing.iter().all(|missing| !missing) {
        return VaryMerge::Complete;
    }
    for (token, _) in VARY_TOKENS.iter().zip(missing).filter(|(_, missing)| *missing) {
        push(&mut merged, token.as_bytes());
    }
    VaryMerge::Set(value(merged))
}

#[expect(clippy::expect_used, reason = "every token was checked for the bytes that a header value may hold")]
fn value(list: Vec<u8>) -> HeaderValue {
    HeaderValue::try_from(list).expect("checked tokens and separators")
}

/// Whether a header value may hold these bytes: no control character but the tab.
fn is_value(token: &[u8]) -> bool {
    token.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control())
}

fn push(list: &mut Vec<u8>, token: &[u8]) {
    if token.is_empty() {
        return;
    }
    if !list.is_empty() {
        list.extend_from_slice(b", ");
    }
    list.extend_from_slice(token);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vary_is_merged_never_doubled_and_never_lost() {
        const OURS: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";
        let cases: [(&[&[u8]], Option<&str>); 10] = [
            (&[], Some(OURS)),
            (&[b""], Some(OURS)),
            (
                &[b"Accept-Encoding", b"oRIGIN"],
                Some("Accept-Encoding, oRIGIN, Access-Control-Request-Headers, Access-Control-Request-Method"),
            ),
            (&[b"Origin,Access-Control-Request-Method", b"access-control-request-headers"], None),
            (
                &[b"Origin, Cookie", b"origin, Origin"],
                Some("Origin, Cookie, Access-Control-Request-Headers, Access-Control-Request-Method"),
            ),
            (&[b"*"], None),
            (&[b"Accept-Encoding, *"], None),
            (&[b"a\0b"], Some(OURS)),
            (&[b"a\r\nSet-Cookie: x"], Some(OURS)),
            (&[b"\x7f, Origin, b"], Some("Origin, b, Access-Control-Request-Headers, Access-Control-Request-Method")),
        ];
        for (present, expected) in cases {
            let expected = expected.map_or(VaryMerge::Complete, |text| VaryMerge::Set(HeaderValue::from_static(text)));
            assert_eq!(merge_vary(present.iter().copied()), expected, "{present:?}");
        }
    }
}
