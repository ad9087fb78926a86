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

/// The names of the headers that a signature covers which the server has to check: in the only `Authorization` of the request, or
/// without one in the query, where all of a presigned URL must be there. What a request merely says that it has signed is not among
/// them: on an anonymous request no one would look.
#[must_use]
pub fn checked_headers<'r>(
    mut authorization: impl Iterator<Item = &'r [u8]>,
    query: Option<&'r str>,
) -> Option<Cow<'r, str>> {
    match (authorization.next(), authorization.next()) {
        (Some(only), None) => {
            let only = str::from_utf8(only).ok().filter(|value| value.starts_with("AWS4-"))?;
            signed_headers(Some(only), None)
        }
        (None, _) => {
            let has = |key: &str| {
                query?.split('&').any(|part| part.split_once('=').is_some_and(|(name, _)| name == key)).then_some(())
            };
            ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"].into_iter().try_for_each(has)?;
            signed_headers(None, query)
        }
        _ => None,
    }
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
    use super::checked_headers;

    #[test]
    fn only_a_signature_that_is_checked_covers_a_header() {
        let signed = "AWS4-HMAC-SHA256 Credential=AK/x, SignedHeaders=host;x-a, Signature=ab";
        let presigned =
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK&X-Amz-SignedHeaders=host&X-Amz-Signature=ab";
        for (authorization, query, names) in [
            (&[signed][..], None, Some("host;x-a")),
            (&[signed], Some(presigned), Some("host;x-a")),
            (&[], Some(presigned), Some("host")),
            (&[signed, signed], Some(presigned), None),
            (&["Bearer SignedHeaders=host"], Some(presigned), None),
            (&["AWS AK:signature"], Some(presigned), None),
            (&[], Some("X-Amz-SignedHeaders=host"), None),
            (&[], Some("X-Amz-SignedHeaders=host&X-Amz-Signature=ab&X-Amz-Algorithm=a"), None),
            (&[], Some("X-Amz-SignedHeaders=host&x-amz-signature=ab&X-Amz-Algorithm=a&X-Amz-Credential=b"), None),
            (&[], None, None),
        ] {
            let lines = authorization.iter().map(|line| line.as_bytes());
            assert_eq!(checked_headers(lines, query).as_deref(), names, "{authorization:?} {query:?}");
        }
    }

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
