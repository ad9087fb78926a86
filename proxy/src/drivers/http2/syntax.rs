//! The bytes that the parts of a head may have.

use http::uri::Authority;
use s3cors_http1::request_target::may_be_in_host;

/// RFC 3986 §3.1, as long as the `http` crate takes them.
pub(super) fn is_scheme(value: &[u8]) -> bool {
    let may_follow = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    value.len() <= 64 && value.first().is_some_and(u8::is_ascii_alphabetic) && value.iter().all(may_follow)
}

/// Returns true for the host of a request (RFC 9113 §8.3.1). The `http` crate has the last word about brackets and ports.
pub(super) fn is_host(value: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if !value.is_empty() && value.iter().all(is_plain) {
        return true;
    }
    value.iter().copied().all(may_be_in_host) && Authority::try_from(value).is_ok()
}

/// RFC 9110 §5.6.2.
pub(super) const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// RFC 3986 §3.3 and §3.4.
pub(super) const fn is_usual_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'$' | b'%' | b'&'..=b'/' | b':' | b';' | b'=' | b'?' | b'@' | b'_' | b'~')
}
