//! The only place that decides how long a message body is (RFC 9112 §6).
//!
//! It sees header lines, a version and a status, and rejects every message whose length two parsers could read differently: that
//! disagreement is request smuggling (RFC 9112 §11.2). It does not know sockets, chunks or who sent the message.

use crate::field_name::is_named;
use http::Version;

/// The longest `Content-Length` value that is read: 2^63 - 1 has 19 digits.
const MAX_LENGTH_DIGITS: usize = 19;

/// The largest length that a signed 64-bit parser on the path reads as the same number.
const MAX_LENGTH: u64 = i64::MAX as u64;

/// What the header lines of a message say about its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// Neither header is present: a request has no body, a response ends when the connection does.
    None,
    /// One valid `Content-Length`.
    Length(u64),
    /// `Transfer-Encoding: chunked`, and nothing else.
    Chunked,
}

/// Why two parsers could read a message's length differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ambiguous {
    /// More than one `Content-Length` line, even with the same value.
    RepeatedLength,
    /// A `Content-Length` that is not one to 19 digits: a sign, a list, an inner space, nothing.
    InvalidLength,
    /// A `Content-Length` above 2^63 - 1.
    LengthTooLarge,
    /// More than one `Transfer-Encoding` line.
    RepeatedCoding,
    /// A `Transfer-Encoding` other than exactly `chunked`.
    UnknownCoding,
    /// `Content-Length` and `Transfer-Encoding` together.
    LengthAndCoding,
    /// `Transfer-Encoding` in an HTTP/1.0 message.
    CodingInHttp10,
}

impl Ambiguous {
    /// The code for the log, of a response.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::RepeatedLength => "RepeatedResponseLength",
            Self::InvalidLength => "InvalidResponseLength",
            Self::LengthTooLarge => "ResponseLengthTooLarge",
            Self::RepeatedCoding => "RepeatedResponseCoding",
            Self::UnknownCoding => "UnknownResponseCoding",
            Self::LengthAndCoding => "ResponseLengthAndCoding",
            Self::CodingInHttp10 => "ResponseCodingInHttp10",
        }
    }

    /// The reason in a few words.
    pub const fn message(self) -> &'static str {
        match self {
            Self::RepeatedLength => "more than one Content-Length",
            Self::InvalidLength => "a Content-Length that is not a plain number",
            Self::LengthTooLarge => "a Content-Length above 2^63 - 1",
            Self::RepeatedCoding => "more than one Transfer-Encoding",
            Self::UnknownCoding => "a Transfer-Encoding other than chunked",
            Self::LengthAndCoding => "both Content-Length and Transfer-Encoding",
            Self::CodingInHttp10 => "Transfer-Encoding in an HTTP/1.0 message",
        }
    }
}

impl std::fmt::Display for Ambiguous {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Ambiguous {}

/// Returns true for a name of a line that states the length of a body, in any case.
#[must_use]
pub fn is_length(name: &[u8]) -> bool {
    is_named(name, b"content-length") || is_named(name, b"transfer-encoding")
}

/// Collects the length headers of one message, line by line, so that a head is walked once.
#[derive(Clone, Copy, Debug, Default)]
pub struct LengthHeaders {
    /// The result of all `Content-Length` lines. A transfer coding may override them, so an error in one is kept to the end.
    length: Option<Result<u64, Ambiguous>>,
    chunked: bool,
}

impl LengthHeaders {
    /// Reads one header line; `value` comes without surrounding whitespace. Lines of other names are ignored.
    pub fn read(&mut self, name: &[u8], value: &[u8]) -> Result<(), Ambiguous> {
        if is_named(name, b"content-length") {
            // RFC 9110 §8.6 lets a recipient merge repeated equal values. A peer that takes the first or the last line would still
            // have to agree, and no S3 client repeats the line.
            self.length = Some(if self.length.is_some() { Err(Ambiguous::RepeatedLength) } else { length(value) });
        } else if is_named(name, b"transfer-encoding") {
            // RFC 9112 §6.1: transfer coding names are case-insensitive. A list, even `gzip, chunked`, is refused: recipients differ
            // in which of its members they undo.
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Ambiguous::UnknownCoding);
            }
            if std::mem::replace(&mut self.chunked, true) {
                return Err(Ambiguous::RepeatedCoding);
            }
        }
        Ok(())
    }

    /// The length that all lines together state.
    pub fn finish(self, version: Version) -> Result<BodyLength, Ambiguous> {
        match self.finish_request(version)? {
            // RFC 9112 §6.3 item 3: "ought to be handled as an error".
            (_, true) => Err(Ambiguous::LengthAndCoding),
            (length, false) => Ok(length),
        }
    }

    /// The same of a request over HTTP/1.1, and whether a transfer coding overrides a `Content-Length`. A server may process such a
    /// request by the coding alone; it must then close the connection after the response (RFC 9112 §6.1), and must not forward the
    /// `Content-Length` (§6.3 item 3), whatever that says.
    pub fn finish_request(self, version: Version) -> Result<(BodyLength, bool), Ambiguous> {
        match (self.chunked, self.length) {
            // RFC 9112 §6.1: such a message has faulty framing, with or without a Content-Length.
            (true, _) if version < Version::HTTP_11 => Err(Ambiguous::CodingInHttp10),
            (true, length) => Ok((BodyLength::Chunked, length.is_some())),
            (false, Some(length)) => Ok((BodyLength::Length(length?), false)),
            (false, None) => Ok((BodyLength::None, false)),
        }
    }
}

/// Returns true if a recipient could read the length of a request's body in another way, by its header lines.
///
/// For requests that no grammar of ours has judged, those over HTTP/2 with `drivers: pingora`. Pingora accepts a length that is stated twice (`3, 3`; `3` and `03`) and passes it on as it came, which
/// is forbidden (RFC 9110 §8.6); of several transfer codings it decodes the last and drops the names of the others (RFC 9112 §6.1). A
/// length beside a coding it drops, and closes the connection.
pub fn is_ambiguous<'a>(lines: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> bool {
    let mut headers = LengthHeaders::default();
    let is_wrong = lines.into_iter().any(|(name, value)| headers.read(name, value).is_err());
    is_wrong || headers.length.is_some_and(|length| length.is_err())
}

/// The number that a value is; `None` where it is not a length.
pub(crate) fn number(value: &[u8]) -> Option<u64> {
    length(value).ok()
}

/// `Content-Length = 1*DIGIT` (RFC 9110 §8.6).
fn length(value: &[u8]) -> Result<u64, Ambiguous> {
    if value.is_empty() || value.len() > MAX_LENGTH_DIGITS || !value.iter().all(u8::is_ascii_digit) {
        return Err(Ambiguous::InvalidLength);
    }
    // Nineteen nines are below 2^64: the sum cannot overflow, and if it could, it would saturate above the limit.
    let number = value.iter().fold(0u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit & 0x0f)));
    if number > MAX_LENGTH { Err(Ambiguous::LengthTooLarge) } else { Ok(number) }
}

/// How the body of a response ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseBody {
    /// The response ends with its head. `Content-Length` may be there and tells what a GET would return.
    Absent,
    /// After this many bytes.
    Length(u64),
    /// After the last chunk and its trailers.
    Chunked,
    /// When the server closes the connection.
    UntilClose,
}

/// How a response's body ends, given what its header lines say (RFC 9112 §6.3, item by item).
pub fn response_body(stated: BodyLength, to_head: bool, status: u16) -> ResponseBody {
    // Item 1: a response to HEAD, and any 1xx, 204 or 304, ends with its head, whatever its header lines say.
    if to_head || is_bodiless(status) {
        return ResponseBody::Absent;
    }
    // Item 2, a 2xx to CONNECT, cannot occur: CONNECT is never sent upstream.
    match stated {
        // Item 3, both headers, was rejected as ambiguous. Item 4: the final and only coding is chunked.
        BodyLength::Chunked => ResponseBody::Chunked,
        // Item 5, an invalid length, was rejected as ambiguous. Item 6.
        BodyLength::Length(length) => ResponseBody::Length(length),
        // Item 7 is about requests. Item 8.
        BodyLength::None => ResponseBody::UntilClose,
    }
}

/// Whether a response of this status never has a body (RFC 9112 §6.3 item 1).
pub fn is_bodiless(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(lines: &[(&str, &str)], version: Version) -> Result<BodyLength, Ambiguous> {
        let mut headers = LengthHeaders::default();
        for (name, value) in lines {
            headers.read(name.as_bytes(), value.as_bytes())?;
        }
        headers.finish(version)
    }

    #[test]
    fn a_length_is_stated_once_and_unambiguously() {
        const CL: &str = "Content-Length";
        const TE: &str = "Transfer-Encoding";
        for (lines, expected) in [
            (&[][..], Ok(BodyLength::None)),
            (&[("Host", "h"), ("X-Content-Length", "3")], Ok(BodyLength::None)),
            (&[(CL, "0")], Ok(BodyLength::Length(0))),
            (&[("CONTENT-length", "12")], Ok(BodyLength::Length(12))),
            (&[(CL, "003")], Ok(BodyLength::Length(3))),
            (&[(CL, "9223372036854775807")], Ok(BodyLength::Length(i64::MAX as u64))),
            (&[(CL, "9223372036854775808")], Err(Ambiguous::LengthTooLarge)),
            (&[(CL, "9999999999999999999")], Err(Ambiguous::LengthTooLarge)),
            (&[(CL, "18446744073709551619")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "00000000000000000003")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "+3")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "-3")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "0x3")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "3a")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "3.0")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "1 2")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "3,3")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "3, 3")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "3,")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "\u{663}")], Err(Ambiguous::InvalidLength)),
            (&[(CL, "3"), (CL, "3")], Err(Ambiguous::RepeatedLength)),
            (&[(CL, "3"), ("content-LENGTH", "4")], Err(Ambiguous::RepeatedLength)),
            (&[(TE, "chunked")], Ok(BodyLength::Chunked)),
            (&[("transfer-encoding", "ChunkeD")], Ok(BodyLength::Chunked)),
            (&[(TE, "")], Err(Ambiguous::UnknownCoding)),
            (&[(TE, "identity")], Err(Ambiguous::UnknownCoding)),
            (&[(TE, "xchunked")], Err(Ambiguous::UnknownCoding)),
            (&[(TE, "chunked;q=1")], Err(Ambiguous::UnknownCoding)),
            (&[(TE, "chunked,")], Err(Ambiguous::UnknownCoding)),
            (&[(TE, "gzip, chunked")], Err(Ambiguous::UnknownCoding)),
            (&[(TE, "chunked, chunked")], Err(Ambiguous::UnknownCoding)),
            (&[(TE, "\u{b}chunked")], Err(Ambiguous::UnknownCoding)),
            (&[(TE, "chunked"), (TE, "chunked")], Err(Ambiguous::RepeatedCoding)),
            (&[(TE, "chunked"), (TE, "identity")], Err(Ambiguous::UnknownCoding)),
            (&[(CL, "3"), (TE, "chunked")], Err(Ambiguous::LengthAndCoding)),
            (&[(CL, "x"), (TE, "chunked")], Err(Ambiguous::LengthAndCoding)),
            (&[(TE, "chunked"), (CL, "0")], Err(Ambiguous::LengthAndCoding)),
        ] {
            assert_eq!(stated(lines, Version::HTTP_11), expected, "{lines:?}");
        }
    }

    #[test]
    fn http_1_0_has_no_transfer_coding() {
        let coding = ("Transfer-Encoding", "chunked");
        let length = ("Content-Length", "3");
        for (lines, expected) in [
            (&[][..], Ok(BodyLength::None)),
            (&[length], Ok(BodyLength::Length(3))),
            (&[coding], Err(Ambiguous::CodingInHttp10)),
            (&[length, coding], Err(Ambiguous::CodingInHttp10)),
        ] {
            assert_eq!(stated(lines, Version::HTTP_10), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_response_ends_as_rfc_9112_section_6_3_says() {
        use BodyLength::{Chunked, Length, None};
        for (to_head, status, stated, expected) in [
            (false, 200, None, ResponseBody::UntilClose),
            (false, 200, Length(0), ResponseBody::Length(0)),
            (false, 200, Length(7), ResponseBody::Length(7)),
            (false, 206, Chunked, ResponseBody::Chunked),
            (false, 404, Chunked, ResponseBody::Chunked),
            (false, 205, Length(7), ResponseBody::Length(7)),
            (true, 200, None, ResponseBody::Absent),
            (true, 200, Length(7), ResponseBody::Absent),
            (true, 404, Chunked, ResponseBody::Absent),
            (false, 100, None, ResponseBody::Absent),
            (false, 103, Length(7), ResponseBody::Absent),
            (false, 199, Chunked, ResponseBody::Absent),
            (false, 204, Length(7), ResponseBody::Absent),
            (false, 204, None, ResponseBody::Absent),
            (false, 304, Length(7), ResponseBody::Absent),
            (false, 304, Chunked, ResponseBody::Absent),
        ] {
            assert_eq!(response_body(stated, to_head, status), expected, "{status}, {stated:?}, HEAD {to_head}");
        }
    }
}
