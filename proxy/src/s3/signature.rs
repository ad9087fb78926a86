//! AWS Signature Version 4 as text: which headers a request says that it has signed. No key is known here.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The names of the headers that a request has signed, separated by `;`: in `Authorization`, or in the query of a presigned URL
/// (S3 API, Authenticating Requests). `None` for signature version 2 and form uploads, which do not list them.
#[must_use]
pub fn signed_headers<'r>(authorization: Option<&'r str>, query: Option<&'r str>) -> Option<Cow<'r, str>> {
    let in_header = || {
        let parts = authorization?.split([',', ' ']).filter_map(|part| part.split_once('='));
        parts.into_iter().find(|(key, _)| *key == "SignedHeaders").map(|(_, names)| names)
    };
    let in_query = || {
        let parameters = query?.split('&').filter_map(|parameter| parameter.split_once('='));
        parameters.into_iter().find(|(key, _)| key.eq_ignore_ascii_case("X-Amz-SignedHeaders")).map(|(_, names)| names)
    };
    let names = in_header().or_else(in_query)?;
    Some(percent_decode_str(names).decode_utf8_lossy())
}

/// Whether a request's signature covers `Host`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostSignature {
    /// `Host` is among the signed headers.
    Covered,
    /// It is not.
    Absent,
    /// Nothing says which headers were signed.
    Unknown,
}

impl HostSignature {
    /// Reads it from `Authorization` or the query.
    #[must_use]
    pub fn of(authorization: Option<&str>, query: Option<&str>) -> Self {
        match signed_headers(authorization, query) {
            None => Self::Unknown,
            Some(names) if names.split(';').any(|name| name.eq_ignore_ascii_case("host")) => Self::Covered,
            Some(_) => Self::Absent,
        }
    }

    /// The word for the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Covered => "yes",
            Self::Absent => "no",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HostSignature::{self, Absent, Covered, Unknown};

    #[test]
    fn what_was_signed_is_read_from_the_header_or_the_query() {
        let sdk = "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=ab";
        let tight = "AWS4-HMAC-SHA256 Credential=AK/x,SignedHeaders=content-type;Host,Signature=ab";
        let without = "AWS4-HMAC-SHA256 Credential=AK/x, SignedHeaders=x-amz-date;x-host, Signature=ab";
        let presigned = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-SignedHeaders=content-type%3Bhost&X-Amz-Signature=ab";
        for (authorization, query, signed) in [
            (Some(sdk), None, Covered),
            (Some(tight), None, Covered),
            (Some(without), None, Absent),
            (None, Some(presigned), Covered),
            (None, Some("X-Amz-SignedHeaders=x-amz-date"), Absent),
            (Some("AWS AK:signature"), None, Unknown),
            (None, Some("a&b=c"), Unknown),
            (None, None, Unknown),
        ] {
            assert_eq!(HostSignature::of(authorization, query), signed, "{authorization:?} {query:?}");
        }
    }
}
