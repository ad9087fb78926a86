//! Names of fields, in any case (RFC 9110 §5.1).
//!
//! Decides how a name is compared with one that is known when the program is compiled, and which names are valid.

use crate::field_bytes::token_length;

/// Returns true for this name in any case; `known` is in lower case.
#[inline(always)]
#[must_use]
pub fn is_named<const LENGTH: usize>(name: &[u8], known: &[u8; LENGTH]) -> bool {
    let Ok(name) = <&[u8; LENGTH]>::try_from(name) else { return false };
    // Of a size that is known, and without an early end: so many bytes are compared at once.
    name.iter().zip(known).fold(true, |all, (byte, known)| all & (byte.to_ascii_lowercase() == *known))
}

/// Returns true for a valid name in lower case (RFC 9110 §5.6.2), as HTTP/2 has them.
#[must_use]
pub fn is_lower_name(name: &[u8]) -> bool {
    let has_upper = name.iter().fold(false, |any, byte| any | byte.is_ascii_uppercase());
    !name.is_empty() && !has_upper && token_length(name) == name.len()
}

#[cfg(test)]
mod tests {
    use super::{is_lower_name, is_named};

    #[test]
    fn a_name_is_known_in_every_case_and_no_other_is() {
        for (name, is_host) in [
            ("host", true),
            ("HOST", true),
            ("hOsT", true),
            ("hos", false),
            ("hosts", false),
            ("", false),
            ("\x08ost", false),
        ] {
            assert_eq!(is_named(name.as_bytes(), b"host"), is_host, "{name:?}");
        }
        for (name, is_valid) in [
            ("x-amz-date", true),
            ("te", true),
            ("a!#$%&'*+.^_`|~09", true),
            ("", false),
            ("X", false),
            ("a b", false),
            ("a:", false),
        ] {
            assert_eq!(is_lower_name(name.as_bytes()), is_valid, "{name:?}");
        }
        for byte in 0..=255 {
            assert_eq!(is_named(&[b'x', byte, b'a'], b"x-a"), byte == b'-', "{byte:#x}");
        }
    }
}
