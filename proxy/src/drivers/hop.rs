//! Lines of a response that are for the upstream's connection only.

use s3cors_http1::hop_by_hop::is_hop_by_hop;
use s3cors_http1::response_head::ResponseHead;

/// Returns true if a line of an upstream's response ends here, also because its `Connection` names it.
pub(super) fn ends_here(head: &ResponseHead<'_>, name: &[u8]) -> bool {
    is_hop_by_hop(name) || head.nominated().any(|option| option.eq_ignore_ascii_case(name))
}

/// Returns true if a line states the length of a body.
pub(super) fn is_length(name: &[u8]) -> bool {
    match name.len() {
        14 => name.eq_ignore_ascii_case(b"content-length"),
        17 => name.eq_ignore_ascii_case(b"transfer-encoding"),
        _ => false,
    }
}
