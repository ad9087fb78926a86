//! The content coding `aws-chunked`: a body in chunks, with a signature for each chunk or with trailers (S3 API, Signature
//! calculations for the Authorization header: transferring a payload in multiple chunks).
//!
//! Decodes a small body as a whole. The signatures of chunks are framing here: no key is known to check them by.

/// How many bytes of framing a body of a document may have: about what a chunk of 64 bytes needs, for all of them.
pub const MAX_FRAMING: usize = 64 * 1024;
/// The longest line before a chunk: the size, and a signature of 64 digits, or of ECDSA.
const MAX_SIZE_LINE: usize = 512;

/// A decoded body.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded<'b> {
    /// The data of all chunks.
    pub data: Vec<u8>,
    /// The trailers, in order: name and value.
    pub trailers: Vec<(&'b [u8], &'b [u8])>,
}

/// Decodes a body; `None` where it is not coded so, or ends too early.
#[must_use]
pub fn decode(mut rest: &[u8]) -> Option<Decoded<'_>> {
    let mut data = Vec::with_capacity(rest.len());
    loop {
        let (line, after) = line(rest).filter(|(line, _)| line.len() <= MAX_SIZE_LINE)?;
        let size = size(line)?;
        if size == 0 {
            return Some(Decoded { data, trailers: trailers(after)? });
        }
        let (chunk, after) = after.split_at_checked(size)?;
        data.extend_from_slice(chunk);
        rest = after.strip_prefix(b"\r\n")?;
    }
}

/// A line and what follows it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memmem::find(bytes, b"\r\n")?;
    Some((bytes.get(..end)?, bytes.get(end + 2..)?))
}

/// `chunk-size [; extension]`, the size in hexadecimal digits.
fn size(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| *byte == b';').next()?;
    let is_number = !digits.is_empty() && digits.len() <= 8 && digits.iter().all(u8::is_ascii_hexdigit);
    let digits = str::from_utf8(digits).ok().filter(|_| is_number)?;
    usize::from_str_radix(digits, 16).ok()
}

/// The lines after the last chunk up to an empty one, which ends the body. SDKs differ in whether they send it.
fn trailers(mut rest: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let mut trailers = Vec::new();
    while !rest.is_empty() {
        let (line, after) = line(rest)?;
        if line.is_empty() {
            return after.is_empty().then_some(trailers);
        }
        let colon = memchr::memchr(b':', line)?;
        trailers.push((line.get(..colon)?, line.get(colon + 1..)?.trim_ascii()));
        rest = after;
    }
    Some(trailers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_decoded_whole_or_not_at_all() {
        let trailer = (&b"x-amz-checksum-crc32"[..], &b"AAAAAA=="[..]);
        for (body, data, trailers) in [
            ("3;chunk-signature=ab\r\nabc\r\n0;chunk-signature=cd\r\n\r\n", Some("abc"), &[][..]),
            ("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", Some("abcde"), &[]),
            ("1\r\na\r\n0\r\nx-amz-checksum-crc32: AAAAAA==\r\n\r\n", Some("a"), &[trailer]),
            ("1\r\na\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n", Some("a"), &[trailer]),
            ("A\r\n0123456789\r\n0\r\n", Some("0123456789"), &[]),
            ("0\r\n\r\n", Some(""), &[]),
            ("0\r\n\r\nmore", None, &[]),
            ("0\r\nno colon\r\n\r\n", None, &[]),
            ("3\r\nabc", None, &[]),
            ("3\r\nabcd\r\n0\r\n\r\n", None, &[]),
            ("4\r\nabc\r\n0\r\n\r\n", None, &[]),
            ("+3\r\nabc\r\n0\r\n\r\n", None, &[]),
            ("ffffffffff\r\nabc\r\n0\r\n\r\n", None, &[]),
            ("\r\nabc\r\n0\r\n\r\n", None, &[]),
            ("<CORSConfiguration/>", None, &[]),
            ("", None, &[]),
        ] {
            let decoded = decode(body.as_bytes());
            let expected = data.map(|data| Decoded { data: data.into(), trailers: trailers.to_vec() });
            assert_eq!(decoded, expected, "{body:?}");
        }
    }
}
