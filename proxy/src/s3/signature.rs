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

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parameters without which no server takes a URL for a presigned one.
const PRESIGNED: [&str; 4] = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature"];

/// The names of the headers that a signature covers which every server has to check: in the only `Authorization` of the request, or in
/// the query of a presigned URL, and not in both. What a request merely says that it has signed is not among them: on an anonymous
/// request no one would look, and Ceph RGW takes a request for anonymous if its `X-Amz-Algorithm` is another one.
#[must_use]
pub fn checked_headers<'r>(
    mut authorization: impl Iterator<Item = &'r [u8]>,
    query: Option<&'r str>,
) -> Option<Cow<'r, str>> {
    match (authorization.next(), authorization.next()) {
        (Some(only), None) => {
            let is_presigned = presigned(query.unwrap_or_default()) != Some([None; 4]);
            let only = str::from_utf8(only).ok().filter(|value| !is_presigned && value.starts_with(ALGORITHM))?;
            signed_headers(Some(only), None)
        }
        (None, _) => match presigned(query?)? {
            [Some(ALGORITHM), Some(_), Some(_), Some(_)] => signed_headers(None, query),
            _ => None,
        },
        _ => None,
    }
}

/// The values of the parameters of a presigned URL, or `None` where servers may read different ones: of a parameter that is there twice
/// one takes the first and another the last, and not every server decodes the name.
fn presigned(query: &str) -> Option<[Option<&str>; 4]> {
    let mut values = [None; 4];
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let decoded = percent_decode_str(name).decode_utf8_lossy();
        for (known, found) in PRESIGNED.iter().zip(&mut values) {
            if decoded.eq_ignore_ascii_case(known) && (name != *known || found.replace(value).is_some()) {
                return None;
            }
        }
    }
    Some(values)
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
            (&[signed], Some("prefix=x-amz"), Some("host;x-a")),
            (&[signed], Some(presigned), None),
            (&[signed], Some("x-amz-signature=ab"), None),
            (&[], Some(presigned), Some("host")),
            (&[], Some(&presigned.replace("AWS4-HMAC-SHA256", "none")), None),
            (&[], Some(&format!("{presigned}&X-Amz-Algorithm=none")), None),
            (&[], Some(&format!("{presigned}&X-%41mz-Algorithm=none")), None),
            (&[], Some(&format!("{presigned}&x-amz-algorithm=none")), None),
            (&[], Some(&format!("{presigned}&X-Amz-Algorithm")), None),
            (&[], Some(&format!("{presigned}&X-Amz-SignedHeaders=x-a")), None),
            (&[], Some(&format!("prefix=a%20b&{presigned}&X-Amz-Date=x")), Some("host")),
            (&[signed, signed], Some(presigned), None),
            (&["Bearer SignedHeaders=host"], Some(presigned), None),
            (&["AWS4-NONE Credential=AK/x, SignedHeaders=host;x-a, Signature=ab"], None, None),
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
