//! Body length must be stated once and unambiguously, or proxy and upstream may frame the same bytes as different requests
//! (request smuggling).

/// Whether a recipient could read the length of a request's body in another way, by its header lines.
///
/// Pingora accepts a length that is stated twice (`3, 3`; `3` and `03`) and passes it on as it came, which is forbidden (RFC 9110
/// §8.6); of several transfer codings it decodes the last and drops the names of the others (RFC 9112 §6.1).
pub fn is_ambiguous<'h>(lines: impl Iterator<Item = (&'h [u8], &'h [u8])>) -> bool {
    let (mut lengths, mut codings) = (0, 0);
    for (name, value) in lines {
        let is_clear = if name.eq_ignore_ascii_case(b"content-length") {
            lengths += 1;
            lengths == 1 && !value.is_empty() && value.iter().all(u8::is_ascii_digit)
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            codings += 1;
            codings == 1 && value.eq_ignore_ascii_case(b"chunked")
        } else {
            true
        };
        if !is_clear {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_stated_once_and_unambiguously() {
        for (headers, ambiguous) in [
            (&[][..], false),
            (&[("content-length", "0")], false),
            (&[("content-length", "003")], false),
            (&[("content-length", "3, 3")], true),
            (&[("content-length", "+3")], true),
            (&[("content-length", "")], true),
            (&[("content-length", "3"), ("Content-Length", "3")], true),
            (&[("transfer-encoding", "chunked")], false),
            (&[("transfer-encoding", "Chunked")], false),
            (&[("transfer-encoding", "gzip, chunked")], true),
            (&[("transfer-encoding", "chunked, chunked")], true),
            (&[("transfer-encoding", "identity"), ("transfer-encoding", "chunked")], true),
        ] {
            let lines = headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            assert_eq!(is_ambiguous(lines), ambiguous, "{headers:?}");
        }
    }
}
