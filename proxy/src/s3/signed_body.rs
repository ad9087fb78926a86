//! Whether the body of a request is the one that its signer had, and the payload in it.
//!
//! An upstream that does not support an operation may say so before it has looked at the body. So what the request states of its body is
//! checked here: a digest that a signature covers binds the body to whom the upstream has authenticated.

use super::aws_chunked::{self, Decoded};
use super::checksum::{self, Algorithm};
use super::credential::Covers;
use super::error::{ErrorCode, S3Error};
use std::borrow::Cow;

const CONTENT_SHA256: &str = "x-amz-content-sha256";
const CONTENT_MD5: &str = "content-md5";
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
/// The values of bodies in `aws-chunked`, with or without trailers, begin so.
const STREAMING: &str = "STREAMING-";

/// What a request states of its body.
#[derive(Debug, Default)]
pub struct Stated<'r> {
    sha256: Option<&'r str>,
    md5: Option<&'r str>,
    checksum: Option<(Algorithm, &'r str)>,
    decoded_length: Option<&'r str>,
}

/// A body that is as stated.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload<'b> {
    /// What is in it.
    pub bytes: Cow<'b, [u8]>,
    /// Whether the signature covers it, so that no one between signer and proxy can have replaced it.
    pub is_signed: bool,
}

impl<'r> Stated<'r> {
    /// Reads the lines of a head.
    ///
    /// # Errors
    /// The error with which S3 rejects what contradicts itself.
    pub fn of(lines: impl IntoIterator<Item = (&'r [u8], &'r [u8])>) -> Result<Self, S3Error> {
        let mut stated = Self::default();
        for (name, value) in lines {
            let Ok(value) = str::from_utf8(value) else { continue };
            let before = if name.eq_ignore_ascii_case(CONTENT_SHA256.as_bytes()) {
                stated.sha256.replace(value).is_some()
            } else if name.eq_ignore_ascii_case(CONTENT_MD5.as_bytes()) {
                stated.md5.replace(value).is_some()
            } else if name.eq_ignore_ascii_case(b"x-amz-decoded-content-length") {
                stated.decoded_length.replace(value).is_some()
            } else {
                stated.read_checksum(name, value)?;
                false
            };
            if before {
                return Err(invalid("A header about the body is there more than once."));
            }
        }
        Ok(stated)
    }

    /// Reads a header or a trailer, if it is a checksum.
    fn read_checksum(&mut self, name: &[u8], value: &'r str) -> Result<(), S3Error> {
        let start = name.get(..checksum::PREFIX.len());
        let Some(suffix) = name
            .get(checksum::PREFIX.len()..)
            .filter(|_| start.is_some_and(|start| start.eq_ignore_ascii_case(checksum::PREFIX.as_bytes())))
        else {
            return Ok(());
        };
        // These say how a checksum is to be kept, and are none.
        if [&b"type"[..], b"mode", b"algorithm"].iter().any(|other| suffix.eq_ignore_ascii_case(other)) {
            return Ok(());
        }
        let algorithm = Algorithm::of_suffix(suffix)
            .ok_or_else(|| invalid("The algorithm type you specified in x-amz-checksum- header is invalid."))?;
        if self.checksum.replace((algorithm, value)).is_some() {
            return Err(invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."));
        }
        Ok(())
    }

    /// Checks a body against everything that is stated of it.
    ///
    /// # Errors
    /// The error with which S3 rejects it.
    pub fn check<'b>(&self, body: &'b [u8], covers: &Covers<'_>) -> Result<Payload<'b>, S3Error> {
        let (bytes, mut is_signed, in_trailers) = match self.sha256 {
            Some(value) if value.starts_with(STREAMING) => {
                let Decoded { data, trailers } = aws_chunked::decode(body).ok_or_else(incomplete)?;
                if self.decoded_length.is_some_and(|length| length.parse() != Ok(data.len())) {
                    return Err(incomplete());
                }
                // The signatures of chunks prove nothing to one that has no key.
                (Cow::Owned(data), false, trailers)
            }
            Some(UNSIGNED) => (Cow::Borrowed(body), false, Vec::new()),
            Some(hash) => {
                check_sha256(hash, body)?;
                (Cow::Borrowed(body), covers.has(CONTENT_SHA256), Vec::new())
            }
            None => (Cow::Borrowed(body), false, Vec::new()),
        };
        let trailing = Stated::of(
            in_trailers.into_iter().filter(|(name, _)| !name.eq_ignore_ascii_case(CONTENT_SHA256.as_bytes())),
        )?;
        if self.checksum.is_some() && trailing.checksum.is_some() {
            return Err(invalid("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."));
        }
        if let Some(md5) = self.md5 {
            check_md5(md5, &bytes)?;
            is_signed |= covers.has(CONTENT_MD5);
        }
        if let Some((algorithm, value)) = self.checksum.or(trailing.checksum) {
            check_checksum(algorithm, value, &bytes)?;
            let is_covered =
                self.checksum.is_some() && covers.has(&format!("{}{}", checksum::PREFIX, algorithm.as_str()));
            is_signed |= is_covered && algorithm.is_cryptographic();
        } else if self.md5.is_none() {
            return Err(invalid("Missing required header for this request: Content-MD5"));
        }
        Ok(Payload { bytes, is_signed })
    }
}

fn check_sha256(stated: &str, body: &[u8]) -> Result<(), S3Error> {
    let is_digest = stated.len() == 64 && stated.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_digest {
        let message = "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, \
                       STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.";
        return Err(S3Error::new(ErrorCode::InvalidArgument, message));
    }
    if stated.eq_ignore_ascii_case(&checksum::hex_sha256(body)) {
        return Ok(());
    }
    let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    Err(S3Error::new(ErrorCode::XAmzContentSha256Mismatch, message))
}

fn check_md5(stated: &str, payload: &[u8]) -> Result<(), S3Error> {
    if !checksum::is_content_md5(stated) {
        return Err(S3Error::new(ErrorCode::InvalidDigest, "The Content-MD5 you specified was invalid."));
    }
    if stated == checksum::content_md5(payload) {
        return Ok(());
    }
    let message = "The Content-MD5 you specified did not match what we received.";
    Err(S3Error::new(ErrorCode::BadDigest, message))
}

fn check_checksum(algorithm: Algorithm, stated: &str, payload: &[u8]) -> Result<(), S3Error> {
    if !algorithm.takes(stated) {
        return Err(invalid(format!("Value for {}{} header is invalid.", checksum::PREFIX, algorithm.as_str())));
    }
    if stated == algorithm.of(payload) {
        return Ok(());
    }
    let name = algorithm.as_str().to_ascii_uppercase();
    let message = format!("The {name} you specified did not match the calculated checksum.");
    Err(S3Error::new(ErrorCode::BadDigest, message))
}

fn invalid(message: impl Into<Cow<'static, str>>) -> S3Error {
    S3Error::new(ErrorCode::InvalidRequest, message)
}

fn incomplete() -> S3Error {
    let message = "You did not provide the number of bytes specified by the Content-Length HTTP header";
    S3Error::new(ErrorCode::IncompleteBody, message)
}

#[cfg(test)]
mod tests;
