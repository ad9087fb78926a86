//! Fields that are for one connection only (RFC 9110 §7.6.1), in requests and in responses.

use crate::field_name::is_named;

/// Returns true for the name of such a field, in any case. Trailers are dropped, and their announcement with them. An offer to upgrade may
/// be ignored (RFC 9110 §7.8): S3 has no other protocol.
#[must_use]
pub fn is_hop_by_hop(name: &[u8]) -> bool {
    match name.len() {
        2 => is_named(name, b"te"),
        7 => is_named(name, b"trailer") || is_named(name, b"upgrade"),
        10 => is_named(name, b"connection") || is_named(name, b"keep-alive"),
        14 => is_named(name, b"http2-settings"),
        16 => is_named(name, b"proxy-connection"),
        17 => is_named(name, b"transfer-encoding"),
        18 => is_named(name, b"proxy-authenticate"),
        19 => is_named(name, b"proxy-authorization"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_hop_by_hop;

    #[test]
    fn fields_of_one_connection_are_known_in_every_spelling() {
        for (name, ends) in [
            ("Connection", true),
            ("KEEP-ALIVE", true),
            ("proxy-connection", true),
            ("Proxy-Authenticate", true),
            ("Proxy-Authorization", true),
            ("TE", true),
            ("Trailer", true),
            ("Transfer-Encoding", true),
            ("Upgrade", true),
            ("HTTP2-Settings", true),
            ("ETag", false),
            ("Host", false),
            ("Content-Length", false),
            ("Proxy-Status", false),
            ("", false),
        ] {
            assert_eq!(is_hop_by_hop(name.as_bytes()), ends, "{name}");
        }
    }
}
