//! The credential of a request: whose it says it is and what its signature covers, read only where every server reads the same. No key
//! is known here and nothing is checked: that is the upstream's.

use super::placed_signature::{PlacedSignature, SignaturePlace};
use super::presigned;
use super::signature::checked_headers;
use std::borrow::Cow;
use std::time::SystemTime;

/// The credential that a request is signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential<'r> {
    /// The access key's id, which is no secret.
    pub access_key: Cow<'r, str>,
    /// The headers that the signature covers.
    pub covers: Covers<'r>,
    /// The time of signing; `None` where the request does not say.
    pub signed_at: Option<SystemTime>,
    /// The signature itself, which names this one request.
    pub signature: PlacedSignature,
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
    /// A part of `Authorization` is there twice: one server takes the first, another the last.
    Repeated,
    /// The signature is not one of its version.
    Malformed,
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
        match (authorization, in_query) {
            (None, false) => Err(NoCredential::Anonymous),
            (Some(value), false) if value.starts_with("AWS4-") => Self::of_header(value, claims),
            (Some(value), false) => Self::of_version2(value, claims),
            (None, true) => Self::of_query(claims),
            (Some(_), true) => Err(NoCredential::Ambiguous),
        }
    }

    fn of_header(value: &'r str, claims: Claims<'_>) -> Result<Self, NoCredential> {
        let parts = HeaderParts::of(value)?;
        let (access_key, _) = parts.credential.split_once('/').ok_or(NoCredential::Ambiguous)?;
        let (at, signature) = parts.signature;
        Ok(Self {
            access_key: access_key.into(),
            covers: Covers::Headers(parts.signed_headers.into()),
            signed_at: header_time(claims),
            signature: PlacedSignature::version4(SignaturePlace::Authorization, at, signature)
                .ok_or(NoCredential::Malformed)?,
        })
    }

    fn of_query(claims: Claims<'r>) -> Result<Self, NoCredential> {
        let names = checked_headers(std::iter::empty(), claims.query).ok_or(NoCredential::Ambiguous)?;
        let value = |name: &str| {
            let parameters = parts_of(claims.query.unwrap_or_default(), '&');
            let values = parameters.filter_map(|(at, part)| Some((at, part.strip_prefix(name)?.strip_prefix('=')?)));
            values.map(|(at, value)| (at + name.len() + 1, value)).next().ok_or(NoCredential::Ambiguous)
        };
        let (_, scope) = value("X-Amz-Credential")?;
        let scope = percent_encoding::percent_decode_str(scope).decode_utf8().map_err(|_| NoCredential::Ambiguous)?;
        let (access_key, _) = scope.split_once('/').ok_or(NoCredential::Ambiguous)?;
        let (at, signature) = value("X-Amz-Signature")?;
        Ok(Self {
            access_key: access_key.to_owned().into(),
            covers: Covers::Headers(names),
            signed_at: presigned::signed_at(None, claims.query),
            signature: PlacedSignature::version4(SignaturePlace::Query, at, signature)
                .ok_or(NoCredential::Malformed)?,
        })
    }

    /// Version 2. In the query it says when it ends and not when it was signed, so that there is no order of two: it is left out.
    fn of_version2(value: &'r str, claims: Claims<'_>) -> Result<Self, NoCredential> {
        let scheme = "AWS ";
        let (access_key, signature) =
            value.strip_prefix(scheme).and_then(|rest| rest.split_once(':')).ok_or(NoCredential::Ambiguous)?;
        let at = scheme.len() + access_key.len() + 1;
        Ok(Self {
            access_key: access_key.into(),
            covers: Covers::Version2,
            signed_at: header_time(claims),
            signature: PlacedSignature::version2(at, signature).ok_or(NoCredential::Malformed)?,
        })
    }
}

/// The parts of an `Authorization` of version 4: each once, and no other (S3 API, Authenticating Requests: Using the Authorization
/// Header).
struct HeaderParts<'r> {
    credential: &'r str,
    signed_headers: &'r str,
    /// The offset in the line's value, and the text.
    signature: (usize, &'r str),
}

impl<'r> HeaderParts<'r> {
    fn of(value: &'r str) -> Result<Self, NoCredential> {
        let scheme = "AWS4-HMAC-SHA256 ";
        let list = value.strip_prefix(scheme).ok_or(NoCredential::Ambiguous)?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for (at, part) in parts_of(list, ',') {
            let name = part.trim_start_matches(' ');
            let at = scheme.len() + at + (part.len() - name.len());
            let (name, text) = name.split_once('=').ok_or(NoCredential::Ambiguous)?;
            let at = at + name.len() + 1;
            let text = text.trim_end_matches(' ');
            // An escape or a blank in a value is read by some servers and not by others.
            if text.bytes().any(|byte| matches!(byte, b' ' | b'\t' | b'%' | b'"')) {
                return Err(NoCredential::Ambiguous);
            }
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(NoCredential::Ambiguous),
            };
            if place.replace((at, text)).is_some() {
                return Err(NoCredential::Repeated);
            }
        }
        let all = credential.zip(signed_headers).zip(signature).ok_or(NoCredential::Ambiguous)?;
        let (((_, credential), (_, signed_headers)), signature) = all;
        Ok(Self { credential, signed_headers, signature })
    }
}

/// The parts of a text between separators, each with where it begins.
fn parts_of(text: &str, separator: char) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(separator).map(move |part| {
        let start = at;
        at += part.len() + separator.len_utf8();
        (start, part)
    })
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

    const V4: &str = "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, \
                      Signature=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const SIGNATURE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const PRESIGNED: &str = "cors&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260101%2Fx&X-Amz-Date=20260101T000000Z\
                             &X-Amz-Expires=60&X-Amz-SignedHeaders=host\
                             &X-Amz-Signature=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const V2: &str = "AWS AK:ABCDEFGHIJKLMNOPQRSTUVWXYZa=";

    #[test]
    fn a_credential_is_read_where_no_server_can_read_another() {
        use NoCredential::{Ambiguous, Anonymous, Malformed, Repeated};
        let header = |list: &str| format!("AWS4-HMAC-SHA256 {}", list.replace("SIG", SIGNATURE));
        let usual = "Credential=AK/x, SignedHeaders=host, Signature=SIG";
        for (authorization, query, expected) in [
            (Some(V4), "cors", Ok("AK")),
            (Some(V2), "cors", Ok("AK")),
            (None, PRESIGNED, Ok("AK")),
            (Some(&*header("Credential=AK/x,SignedHeaders=host,Signature=SIG")), "cors", Ok("AK")),
            (Some(&*header("Signature=SIG , SignedHeaders=host,  Credential=AK/x")), "cors", Ok("AK")),
            (None, "cors", Err(Anonymous)),
            (Some(V4), PRESIGNED, Err(Ambiguous)),
            (Some(V4), "cors&x-amz-date=20260101T000000Z", Err(Ambiguous)),
            (Some(V4), "cors&X-%41mz-Signature=a", Err(Ambiguous)),
            (Some(&*header(usual).replace("HMAC-SHA256", "NONE")), "cors", Err(Ambiguous)),
            (Some(&*header(usual).replace("SHA256 ", "SHA256\t")), "cors", Err(Ambiguous)),
            (Some(&*header("Credential=AK/x, Signature=SIG")), "cors", Err(Ambiguous)),
            (Some(&*header("Credential=AK/x SignedHeaders=host, Signature=SIG")), "cors", Err(Ambiguous)),
            (Some(&*header("Credential=AK/x, SignedHeaders=host%3Bdate, Signature=SIG")), "cors", Err(Ambiguous)),
            (Some(&*header(&format!("{usual}, Extra=1"))), "cors", Err(Ambiguous)),
            (Some(&*header(&format!("{usual},"))), "cors", Err(Ambiguous)),
            (Some(&*header(&format!("{usual}, Credential=OTHER/x"))), "cors", Err(Repeated)),
            (Some(&*header(&format!("Signature=SIG, {usual}"))), "cors", Err(Repeated)),
            (Some(&*header(&format!("{usual}, SignedHeaders=host"))), "cors", Err(Repeated)),
            (Some("Bearer token"), "cors", Err(Ambiguous)),
            (Some(""), "cors", Err(Ambiguous)),
            (None, "cors&AWSAccessKeyId=AK&Expires=1&Signature=ab", Err(Ambiguous)),
            (None, "cors&X-Amz-Signature=ab", Err(Ambiguous)),
            (Some(&*V4.replace(SIGNATURE, "cors")), "cors", Err(Malformed)),
            (Some(&*V4.replace(SIGNATURE, "AK")), "cors", Err(Malformed)),
            (Some(&*V4.replace("eeff00", "eeff0g")), "cors", Err(Malformed)),
            (Some(&*V4.replace(SIGNATURE, &format!("{SIGNATURE}0"))), "cors", Err(Malformed)),
            (Some("AWS AK:cors"), "cors", Err(Malformed)),
            (Some(&*format!("{V2}=")), "cors", Err(Malformed)),
            (Some("AWS AK:ABCDEFGHIJKLMNOPQRSTUVWXYZab"), "cors", Err(Malformed)),
            (None, &*PRESIGNED.replace(SIGNATURE, "cors"), Err(Malformed)),
            (None, &*PRESIGNED.replace("=0011", "=%30011"), Err(Malformed)),
        ] {
            let read = Credential::of(Claims { authorization, query: Some(query), ..Claims::default() });
            let read = read.as_ref().map(|read| &*read.access_key).map_err(|error| *error);
            assert_eq!(read, expected, "{authorization:?} {query}");
        }
    }

    #[test]
    fn the_signature_is_found_where_it_was_read() {
        use SignaturePlace::{Authorization, Query};
        // Its text is elsewhere in the line, too: only the part that is the signature may change.
        let with_copy = V4.replace("Credential=AK", &format!("Credential={SIGNATURE}"));
        let presigned = format!("x-id={SIGNATURE}&{PRESIGNED}");
        for (authorization, query, place, text) in [
            (Some(V4), "cors", Authorization, V4),
            (Some(&*with_copy), "cors", Authorization, &*with_copy),
            (Some(V2), "cors", Authorization, V2),
            (None, PRESIGNED, Query, PRESIGNED),
            (None, &*presigned, Query, &*presigned),
        ] {
            let read = Credential::of(Claims { authorization, query: Some(query), ..Claims::default() }).unwrap();
            let at = text.rfind(if authorization == Some(V2) { "ABCD" } else { SIGNATURE }).unwrap();
            let mut expected = text.to_owned();
            expected.replace_range(at..=at, if text.as_bytes()[at] == b'0' { "1" } else { "0" });
            assert_eq!(&*read.signature.broken(place, text.as_bytes()), expected.as_bytes(), "{text}");
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
