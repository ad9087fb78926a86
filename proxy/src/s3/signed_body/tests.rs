//! Each way to state a body, kept and broken.

use super::*;

const BODY: &str = "123456789";
const MD5: &str = "JfnnlDI7RTiF9RgfG2JNCw==";
const CRC32: &str = "y/Q5Jg==";
const SHA256: &str = "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=";
const HEX: &str = "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225";

fn checked(lines: &[(&str, &str)], body: &str, covers: &Covers<'_>) -> Result<(String, bool), &'static str> {
    let stated = Stated::of(lines.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
    let payload = stated.and_then(|stated| {
        let payload = stated.check(body.as_bytes(), covers)?;
        Ok((String::from_utf8(payload.bytes.into_owned()).unwrap(), payload.is_signed))
    });
    payload.map_err(|error| error.code.as_str())
}

#[test]
fn a_body_is_the_stated_one_and_signed_as_far_as_a_covered_digest_says() {
    let all =
        Covers::Headers("content-md5;host;x-amz-checksum-crc32;x-amz-checksum-sha256;x-amz-content-sha256".into());
    let host = Covers::Headers("host".into());
    let (hash, md5, crc) = (("x-amz-content-sha256", HEX), ("Content-MD5", MD5), ("x-amz-checksum-crc32", CRC32));
    let sha = ("X-Amz-Checksum-SHA256", SHA256);
    let unsigned = ("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
    for (lines, covers, expected) in [
        (&[hash, md5][..], &all, Ok(true)),
        (&[hash, crc], &all, Ok(true)),
        (&[hash, crc], &host, Ok(false)),
        (&[unsigned, crc], &all, Ok(false)),
        (&[unsigned, md5], &all, Ok(true)),
        (&[unsigned, sha], &all, Ok(true)),
        (&[unsigned, sha], &host, Ok(false)),
        (&[sha], &all, Ok(true)),
        (&[md5], &Covers::Version2, Ok(true)),
        (&[sha], &Covers::Version2, Ok(true)),
        (&[hash], &all, Err("InvalidRequest")),
        (&[], &all, Err("InvalidRequest")),
        (&[hash, md5, ("x-amz-checksum-type", "FULL_OBJECT")], &all, Ok(true)),
        (&[hash, crc, sha], &all, Err("InvalidRequest")),
        (&[hash, hash, md5], &all, Err("InvalidRequest")),
        (&[hash, md5, md5], &all, Err("InvalidRequest")),
        (&[hash, ("x-amz-checksum-md4", "x")], &all, Err("InvalidRequest")),
        (&[hash, ("x-amz-checksum-crc32", "AAA=")], &all, Err("InvalidRequest")),
        (&[hash, ("x-amz-checksum-crc32", "AAAAAA==")], &all, Err("BadDigest")),
        (&[hash, ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], &all, Err("BadDigest")),
        (&[hash, ("content-md5", "not base64")], &all, Err("InvalidDigest")),
        (&[("x-amz-content-sha256", "short"), md5], &all, Err("InvalidArgument")),
        (&[("x-amz-content-sha256", &HEX.replace('1', "2")), md5], &all, Err("XAmzContentSHA256Mismatch")),
    ] {
        let expected = expected.map(|is_signed| (BODY.to_owned(), is_signed));
        assert_eq!(checked(lines, BODY, covers), expected, "{lines:?}");
    }
}

#[test]
fn a_body_in_chunks_is_decoded_and_never_signed() {
    let all = Covers::Headers("x-amz-content-sha256".into());
    let streaming = |value| ("x-amz-content-sha256", value);
    let signed = streaming("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    let trailing = streaming("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    let length = ("x-amz-decoded-content-length", "9");
    let (md5, body) = (("content-md5", MD5), "9;chunk-signature=ab\r\n123456789\r\n0;chunk-signature=cd\r\n\r\n");
    let with_trailer = |value: &str| format!("9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:{value}\r\n\r\n");
    for (lines, body, expected) in [
        (&[signed, md5, length][..], body.to_owned(), Ok(())),
        (&[signed, md5], body.to_owned(), Ok(())),
        (&[trailing, length], with_trailer(CRC32), Ok(())),
        (&[trailing, length], with_trailer("AAAAAA=="), Err("BadDigest")),
        (&[trailing, length, ("x-amz-checksum-crc32", CRC32)], with_trailer(CRC32), Err("InvalidRequest")),
        (&[signed, length], body.to_owned(), Err("InvalidRequest")),
        (&[signed, md5, ("x-amz-decoded-content-length", "8")], body.to_owned(), Err("IncompleteBody")),
        (&[signed, md5, length], BODY.to_owned(), Err("IncompleteBody")),
    ] {
        let expected = expected.map(|()| (BODY.to_owned(), false));
        assert_eq!(checked(lines, &body, &all), expected, "{lines:?} {body:?}");
    }
}
