//! Who a request says it is from, and what its signature covers: only where every server has to read the same. No key is known here, and
//! nothing is checked: that is the upstream's.

use super::presigned;
use super::signature::checked_headers;
use std::borrow::Cow;
use std::time::SystemTime;

/// What a request is signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential<'r> {
    /// The access key's id, which is no secret.
    pub access_key: Cow<'r, str>,
    /// What the signature covers.
    pub covers: Covers<'r>,
    /// When the request was signed; `None` where it does not say.
    pub signed_at: Option<SystemTime>,
    /// The signature itself, which names this one request.
    pub signature: &'r str,
}

/// What a signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Covers<'r> {
    /// Version 4: these headers, separated by `;`.
    Headers(Cow<'r, str>),
    /// Version 2: `Content-MD5` and every `x-amz-*`.
    Version2,
}

impl Covers<'_> {
    /// Whether a header is covered, by its name in lower case.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        match self {
            Self::Headers(names) => names.split(';').any(|covered| covered.eq_ignore_ascii_case(name)),
            Self::Version2 => name == "content-md5" || name.starts_with("x-amz-"),
        }
    }
}

/// Why there is no credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCredential {
    /// The request is anonymous.
    Anonymous,
    /// Servers could differ in whose request it is.
    Ambiguous,
}

/// The parts of a head that say who a request is from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claims<'r> {
    /// Its `Authorization`.
    pub authorization: Option<&'r str>,
    /// Its `x-amz-date`.
    pub amz_date: Option<&'r str>,
    /// Its `Date`.
    pub date: Option<&'r str>,
    /// Its query.
    pub query: Option<&'r str>,
}

impl<'r> Credential<'r> {
    /// Reads it from a head without repeated lines of these names.
    ///
    /// # Errors
    /// [`NoCredential`] where there is none.
    pub fn of(claims: Claims<'r>) -> Result<Self, NoCredential> {
        let Claims { authorization, query, .. } = claims;
        let in_query = query.unwrap_or_default().split('&').any(is_of_signature);
        let read = match (authorization, in_query) {
            (None, false) => return Err(NoCredential::Anonymous),
            (Some(value), false) if value.starts_with("AWS4-") => Self::of_header(value, claims),
            (Some(value), false) => Self::of_version2(value, claims),
            (None, true) => Self::of_query(claims),
            (Some(_), true) => None,
        };
        read.ok_or(NoCredential::Ambiguous)
    }

    fn of_header(value: &'r str, claims: Claims<'_>) -> Option<Self> {
        let names = checked_headers([value.as_bytes()].into_iter(), None)?.into_owned();
        let part = |name| value.split([',', ' ']).find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let (access_key, _) = part("Credential")?.split_once('/')?;
        Some(Self {
            access_key: access_key.into(),
            covers: Covers::Headers(names.into()),
            signed_at: header_time(claims),
            signature: part("Signature")?,
        })
    }

    fn of_query(claims: Claims<'r>) -> Option<Self> {
        let names = checked_headers(std::iter::empty(), claims.query)?;
        let parameters = claims.query?.split('&').filter_map(|parameter| parameter.split_once('='));
        let value = |name| parameters.clone().find(|(key, _)| *key == name).map(|(_, value)| value);
        let scope = percent_encoding::percent_decode_str(value("X-Amz-Credential")?).decode_utf8().ok()?;
        let (access_key, _) = scope.split_once('/')?;
        Some(Self {
            access_key: access_key.to_owned().into(),
            covers: Covers::Headers(names),
            signed_at: presigned::signed_at(None, claims.query),
            signature: value("X-Amz-Signature")?,
        })
    }

    /// Version 2. In the query it says when it ends and not when it was signed, so that there is no order of two: it is left out.
    fn of_version2(value: &'r str, claims: Claims<'_>) -> Option<Self> {
        let (access_key, signature) = value.strip_prefix("AWS ")?.split_once(':')?;
        let signed_at = header_time(claims);
        Some(Self { access_key: access_key.into(), covers: Covers::Version2, signed_at, signature })
    }
}

/// The time that a signature in `Authorization` is made from.
fn header_time(claims: Claims<'_>) -> Option<SystemTime> {
    let text = claims.amz_date.or(claims.date)?;
    presigned::signed_at(Some(text), None).or_else(|| httpdate::parse_http_date(text).ok())
}

/// Whether a parameter of a query is one of a signature.
fn is_of_signature(parameter: &str) -> bool {
    let (name, _) = parameter.split_once('=').unwrap_or((parameter, ""));
    let decoded = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    let begins = decoded.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"));
    begins || ["AWSAccessKeyId", "Signature", "Expires"].iter().any(|known| decoded.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    const V4: &str = "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=ab";
    const PRESIGNED: &str = "cors&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260101%2Fx&X-Amz-Date=20260101T000000Z\
                             &X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=cd";

    #[test]
    fn a_credential_is_read_where_no_server_can_read_another() {
        use NoCredential::{Ambiguous, Anonymous};
        for (authorization, query, expected) in [
            (Some(V4), "cors", Ok(("AK", "ab"))),
            (Some("AWS AK:ab="), "cors", Ok(("AK", "ab="))),
            (None, PRESIGNED, Ok(("AK", "cd"))),
            (None, "cors", Err(Anonymous)),
            (Some(V4), PRESIGNED, Err(Ambiguous)),
            (Some(V4), "cors&x-amz-date=20260101T000000Z", Err(Ambiguous)),
            (Some(V4), "cors&X-%41mz-Signature=a", Err(Ambiguous)),
            (Some("AWS4-NONE Credential=AK/x, SignedHeaders=host, Signature=ab"), "cors", Err(Ambiguous)),
            (Some("AWS4-HMAC-SHA256 Credential=AK/x, Signature=ab"), "cors", Err(Ambiguous)),
            (Some("Bearer token"), "cors", Err(Ambiguous)),
            (Some(""), "cors", Err(Ambiguous)),
            (None, "cors&AWSAccessKeyId=AK&Expires=1&Signature=ab", Err(Ambiguous)),
            (None, "cors&X-Amz-Signature=ab", Err(Ambiguous)),
        ] {
            let read = Credential::of(Claims { authorization, query: Some(query), ..Claims::default() });
            let read = read.as_ref().map(|read| (&*read.access_key, read.signature)).map_err(|error| *error);
            assert_eq!(read, expected, "{authorization:?} {query}");
        }
    }

    #[test]
    fn the_time_is_the_one_that_the_signature_is_made_from() {
        let new_year = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let http = "Thu, 01 Jan 2026 00:00:00 GMT";
        let at = |claims| Credential::of(claims).unwrap().signed_at;
        let claims = Claims { authorization: Some(V4), query: Some("cors"), ..Claims::default() };
        assert_eq!(at(Claims { amz_date: Some("20260101T000000Z"), date: Some("nonsense"), ..claims }), Some(new_year));
        assert_eq!(at(Claims { date: Some(http), ..claims }), Some(new_year));
        assert_eq!(at(Claims { amz_date: Some("nonsense"), date: Some(http), ..claims }), None);
        assert_eq!(at(claims), None);
        let presigned = Claims { query: Some(PRESIGNED), amz_date: Some("20270101T000000Z"), ..Claims::default() };
        assert_eq!(at(presigned), Some(new_year));
    }

    #[test]
    fn version_2_covers_the_md5_and_what_is_amazons() {
        for (covers, name, expected) in [
            (Covers::Version2, "content-md5", true),
            (Covers::Version2, "x-amz-checksum-sha256", true),
            (Covers::Version2, "host", false),
            (Covers::Headers("host;X-Amz-Date".into()), "x-amz-date", true),
            (Covers::Headers("host;x-amz-date".into()), "content-md5", false),
        ] {
            assert_eq!(covers.has(name), expected, "{covers:?} {name}");
        }
    }
}
