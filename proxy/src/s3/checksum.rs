//! The digests of a body that a request can state: `Content-MD5`, `x-amz-checksum-*` and `x-amz-content-sha256`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// What the name of a header or trailer with a checksum begins with.
pub const PREFIX: &str = "x-amz-checksum-";

/// How a checksum is computed (S3 user guide, Checking object integrity).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// CRC-32, as in zlib.
    Crc32,
    /// CRC-32C (Castagnoli).
    Crc32c,
    /// CRC-64/NVME.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    /// The algorithm of a header, by what follows [`PREFIX`] in its name, in any case.
    #[must_use]
    pub fn of_suffix(suffix: &[u8]) -> Option<Self> {
        let all = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];
        all.into_iter().find(|algorithm| suffix.eq_ignore_ascii_case(algorithm.as_str().as_bytes()))
    }

    /// The end of the header's name; in capitals it is what S3's messages call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64nvme",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// Whether no one can make another body with the same checksum as a given one.
    #[must_use]
    pub const fn is_cryptographic(self) -> bool {
        matches!(self, Self::Sha1 | Self::Sha256)
    }

    /// The checksum of a body, in the header's form; a CRC is written with its highest byte first.
    #[must_use]
    pub fn of(self, body: &[u8]) -> String {
        let crc = |algorithm| crc_fast::checksum(algorithm, body).to_be_bytes();
        match self {
            Self::Crc32 => low_half(crc(CrcAlgorithm::Crc32IsoHdlc)),
            Self::Crc32c => low_half(crc(CrcAlgorithm::Crc32Iscsi)),
            Self::Crc64Nvme => STANDARD.encode(crc(CrcAlgorithm::Crc64Nvme)),
            Self::Sha1 => STANDARD.encode(Sha1::digest(body)),
            Self::Sha256 => STANDARD.encode(Sha256::digest(body)),
        }
    }

    /// Whether a value has the form of this checksum.
    #[must_use]
    pub fn takes(self, value: &str) -> bool {
        let length = match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        };
        is_base64_of(value, length)
    }
}

/// A checksum of 32 bits comes in 64.
fn low_half([_, _, _, _, low @ ..]: [u8; 8]) -> String {
    STANDARD.encode(low)
}

/// Whether a value is base64 of so many bytes.
fn is_base64_of(value: &str, length: usize) -> bool {
    STANDARD.decode(value).is_ok_and(|bytes| bytes.len() == length)
}

/// The value of `Content-MD5` for a body (RFC 1864).
#[must_use]
pub fn content_md5(body: &[u8]) -> String {
    STANDARD.encode(Md5::digest(body))
}

/// Whether a value can be that of `Content-MD5`.
#[must_use]
pub fn is_content_md5(value: &str) -> bool {
    is_base64_of(value, 16)
}

/// The SHA-256 of a body in hexadecimal digits, as `x-amz-content-sha256` has it.
#[must_use]
pub fn hex_sha256(body: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(body).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_published_check_values() {
        // The check values of the CRC catalogue and of FIPS 180 are for these nine digits.
        let body = b"123456789";
        for (algorithm, expected) in [
            (Algorithm::Crc32, "y/Q5Jg=="),
            (Algorithm::Crc32c, "4waSgw=="),
            (Algorithm::Crc64Nvme, "rosUhgp5mIg="),
            (Algorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
            (Algorithm::Sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="),
        ] {
            assert_eq!(algorithm.of(body), expected, "{algorithm:?}");
            assert!(algorithm.takes(expected), "{algorithm:?}");
            assert!(!algorithm.takes("AAA="), "{algorithm:?}");
            assert_eq!(Algorithm::of_suffix(algorithm.as_str().to_uppercase().as_bytes()), Some(algorithm));
        }
        assert_eq!(content_md5(body), "JfnnlDI7RTiF9RgfG2JNCw==");
        assert_eq!(hex_sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
