//! AWS Signature Version 4 as text: which headers a request says that it has signed. No key is known here.

use percent_encoding::{percent_decode, percent_decode_str};
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

/// Returns true if a request says that it signs a header, by its name in lower case. The same list as [`signed_headers`], for the path of
/// every request: it is found by its `=`, of which few are there.
#[must_use]
pub fn signs(authorization: Option<&[u8]>, query: Option<&str>, name: &str) -> bool {
    let list = authorization.and_then(|value| value_of(value, b"SignedHeaders", b", ")).or_else(|| {
        let query = query?.as_bytes();
        value_of(query, b"X-Amz-SignedHeaders", b"&")
    });
    list.is_some_and(|list| match memchr::memchr(b'%', list) {
        None => has_name(list, name),
        Some(_) => has_name(&Cow::from(percent_decode(list)), name),
    })
}

/// The text after a key and its `=`, up to one of the ends.
fn value_of<'t>(text: &'t [u8], key: &[u8], ends: &[u8]) -> Option<&'t [u8]> {
    let at = memchr::memchr_iter(b'=', text).find(|at| {
        let start = at.checked_sub(key.len());
        let is_begun = |start: usize| start == 0 || text.get(start - 1).is_some_and(|before| ends.contains(before));
        start.is_some_and(|start| {
            text.get(start..*at).is_some_and(|found| found.eq_ignore_ascii_case(key)) && is_begun(start)
        })
    })?;
    let rest = text.get(at + 1..)?;
    let end = match ends {
        [one, other] => memchr::memchr2(*one, *other, rest),
        _ => memchr::memchr(*ends.first()?, rest),
    };
    rest.get(..end.unwrap_or(rest.len()))
}

fn has_name(list: &[u8], name: &str) -> bool {
    // Most lists have no such name, and so nowhere its rarest letter.
    let rarest = name.bytes().find(|byte| matches!(byte, b'g' | b'k' | b'j' | b'q')).unwrap_or(b';');
    if rarest != b';' && memchr::memchr2(rarest, rarest.to_ascii_uppercase(), list).is_none() {
        return false;
    }
    list.split(|byte| *byte == b';').any(|signed| signed.eq_ignore_ascii_case(name.as_bytes()))
}

/// Whose a request says it is, and where it says so. Nothing is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signer<'r> {
    /// The access key's id, which is no secret; as it is written.
    pub access_key: &'r str,
    /// Set for a presigned URL.
    pub is_presigned: bool,
}

impl<'r> Signer<'r> {
    /// Reads it from `Authorization`, else from the query. `None` for an anonymous request, and for one whose credential is not of AWS.
    #[must_use]
    pub fn of(authorization: Option<&'r str>, query: Option<&'r str>) -> Option<Self> {
        let up_to = |text: &'r str, ends: &[&str]| {
            let end = ends.iter().filter_map(|end| text.find(end)).min()?;
            text.get(..end).filter(|name| !name.is_empty())
        };
        if let Some(value) = authorization {
            let credential = match value.strip_prefix("AWS ") {
                Some(version2) => up_to(version2, &[":"]),
                None => up_to(value.strip_prefix("AWS4-")?.split_once("Credential=")?.1, &["/"]),
            };
            return Some(Self { access_key: credential?, is_presigned: false });
        }
        let mut parameters = query?.split('&').filter_map(|parameter| parameter.split_once('='));
        let access_key = parameters.find_map(|(name, value)| match name {
            "X-Amz-Credential" => up_to(value, &["/", "%2F", "%2f"]),
            "AWSAccessKeyId" => Some(value),
            _ => None,
        })?;
        Some(Self { access_key, is_presigned: true })
    }
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parameters without which no server takes a URL for a presigned one.
const PRESIGNED: [&str; 4] = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature"];

/// The key of a URL that is presigned by version 2. MinIO checks such a signature before one in `Authorization` (its
/// `getRequestAuthType`), and the signature covers none of the headers that version 4 would name.
const PRESIGNED_BY_VERSION2: &str = "AWSAccessKeyId";

/// The subresources of S3's POST operations that are no form: DeleteObjects, CreateMultipartUpload, CompleteMultipartUpload,
/// SelectObjectContent, RestoreObject.
const POSTED: [&str; 5] = ["delete", "uploads", "uploadId", "select", "restore"];

/// Returns true if a server may take a request for the upload of a form (S3 API, POST Object), whatever else it carries. Such a request is
/// authenticated by the policy in its form: `Authorization` and the query are not looked at, so that nothing they say is signed.
///
/// MinIO and SeaweedFS decide by the content type (their routers match `multipart/form-data*` in any of the lines, without an end), Ceph
/// RGW by the query (`op_post` of its handlers: a POST without one of its subresources). So a POST signs
/// headers only where neither takes it for a form: it has a subresource in its plain spelling, and no content type that names a form.
#[must_use]
pub fn is_form_post<'r>(method: &str, query: Option<&str>, mut content_types: impl Iterator<Item = &'r [u8]>) -> bool {
    let mut names = query.unwrap_or_default().split('&').filter_map(|parameter| parameter.split('=').next());
    let mut has_subresource = || names.any(|name| POSTED.contains(&name));
    let is_form = |value: &[u8]| value.windows(4).any(|part| part.eq_ignore_ascii_case(b"form"));
    method.eq_ignore_ascii_case("POST") && (!has_subresource() || content_types.any(is_form))
}

/// The names of the headers that a signature covers which every server has to check: in the only `Authorization` of the request, or in
/// the query of a presigned URL, and not in both. What a request merely says that it has signed is not among them: on an anonymous
/// request no one would look, and Ceph RGW takes a request for anonymous if its `X-Amz-Algorithm` is another one. The upload of a form
/// is not told from other requests here ([`is_form_post`]).
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
/// one takes the first and another the last, not every server decodes the name, and a signature of version 2 may be the one that counts.
fn presigned(query: &str) -> Option<[Option<&str>; 4]> {
    let mut values = [None; 4];
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let decoded = percent_decode_str(name).decode_utf8_lossy();
        if decoded.eq_ignore_ascii_case(PRESIGNED_BY_VERSION2) {
            return None;
        }
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
    /// Nothing is done.
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
    use super::{Signer, checked_headers, is_form_post, signs};

    #[test]
    fn a_header_is_signed_where_the_list_names_it() {
        for (authorization, query, is_signed) in [
            (Some("AWS4-HMAC-SHA256 Credential=a=b/x, SignedHeaders=host;origin;x-a, Signature=ab"), None, true),
            (Some("AWS4-HMAC-SHA256 Credential=a,SignedHeaders=Origin,Signature=ab"), None, true),
            (Some("AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host;x-origin, Signature=origin"), None, false),
            (Some("AWS4-HMAC-SHA256 NotSignedHeaders=origin"), None, false),
            (Some("AWS4-HMAC-SHA256 SignedHeaders=host"), Some("X-Amz-SignedHeaders=origin"), false),
            (Some("AWS AK:c2ln"), Some("x=y&X-Amz-SignedHeaders=host%3Borigin&z"), true),
            (None, Some("X-Amz-SignedHeaders=host;origin"), true),
            (None, Some("x-amz-signedheaders=%6Frigin"), true),
            (None, Some("X-Amz-SignedHeaders=host&origin"), false),
            (None, Some("y-X-Amz-SignedHeaders=origin"), false),
            (None, None, false),
        ] {
            assert_eq!(
                signs(authorization.map(str::as_bytes), query, "origin"),
                is_signed,
                "{authorization:?} {query:?}"
            );
            let names = super::signed_headers(authorization, query);
            let by_list = names.is_some_and(|names| names.split(';').any(|name| name.eq_ignore_ascii_case("origin")));
            assert!(by_list == is_signed || authorization.is_some_and(|value| value.contains("=Origin,")), "{query:?}");
        }
    }

    #[test]
    fn a_signer_is_who_a_request_says_it_is_from() {
        for (authorization, query, expected) in [
            (
                Some("AWS4-HMAC-SHA256 Credential=AK/20260101/r/s3/aws4_request, SignedHeaders=host"),
                None,
                Some(("AK", false)),
            ),
            (
                Some("AWS4-HMAC-SHA256 SignedHeaders=host,Credential=AK/x"),
                Some("X-Amz-Credential=B%2F"),
                Some(("AK", false)),
            ),
            (Some("AWS AK:c2ln"), None, Some(("AK", false))),
            (None, Some("a=b&X-Amz-Credential=AK%2F20260101"), Some(("AK", true))),
            (None, Some("X-Amz-Credential=AK/20260101"), Some(("AK", true))),
            (None, Some("AWSAccessKeyId=AK&Signature=x"), Some(("AK", true))),
            (None, Some("X-Amz-Credential=AK"), None),
            (None, Some("prefix=x"), None),
            (Some("Bearer AK/x"), Some("X-Amz-Credential=AK%2F"), None),
            (Some("AWS4-HMAC-SHA256 Credential=/x"), None, None),
            (None, None, None),
        ] {
            let signer = Signer::of(authorization, query).map(|signer| (signer.access_key, signer.is_presigned));
            assert_eq!(signer, expected, "{authorization:?} {query:?}");
        }
    }

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
            (&[signed], Some("AWSAccessKeyId=AK&Expires=1&Signature=ab"), None),
            (&[signed], Some("prefix=a&%41wsaccesskeyid"), None),
            (&[], Some(&format!("{presigned}&AWSAccessKeyId=AK")), None),
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
    fn a_post_is_a_form_unless_no_server_can_take_it_for_one() {
        let form = "multipart/form-data; boundary=x";
        for (method, query, content_types, is_form) in [
            ("POST", None, &[][..], true),
            ("POST", None, &["text/plain"], true),
            ("POST", Some(""), &[form], true),
            ("POST", Some("prefix=delete&Uploads"), &[], true),
            ("POST", Some("delete"), &[], false),
            ("POST", Some("delete="), &["application/xml"], false),
            ("POST", Some("x=1&uploads"), &[], false),
            ("POST", Some("uploadId=a"), &["application/octet-stream"], false),
            ("POST", Some("select&select-type=2"), &[], false),
            ("POST", Some("restore&versionId=1"), &["application/xml"], false),
            ("POST", Some("%64elete"), &[], true),
            ("POST", Some("x;delete"), &[], true),
            ("POST", Some("deleted&uploads2"), &[], true),
            ("post", Some("x"), &[], true),
            ("POST", Some("delete"), &[form], true),
            ("POST", Some("delete"), &["application/xml", form], true),
            ("POST", Some("uploads"), &["Multipart/Form-Data"], true),
            ("POST", Some("uploads"), &["x multipart/form-dat"], true),
            ("POST", Some("uploads"), &["application/x-www-form-urlencoded"], true),
            ("GET", None, &[form], false),
            ("PUT", None, &[form], false),
        ] {
            let lines = content_types.iter().map(|value| value.as_bytes());
            assert_eq!(is_form_post(method, query, lines), is_form, "{method} {query:?} {content_types:?}");
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
