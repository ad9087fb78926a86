//! The requests that open a folder.
//!
//! Decides: whether a request is a presigned GET of an object as it is, and until when a grant for it holds. Must not know: the key, the
//! folder, what the upstream says to it. The caller has made sure that there is no `Authorization`.

use crate::s3::presigned;
use std::time::{Duration, SystemTime};

/// A parameter that a presigned GET may have.
struct UrlParameter {
    /// Its name, as SDKs write it. A name in any other case opens nothing, even if the server takes it.
    names: &'static [&'static str],
    /// The values that it may have; empty for any.
    values: &'static [&'static str],
}

const fn any(names: &'static [&'static str]) -> UrlParameter {
    UrlParameter { names, values: &[] }
}

/// The parameters of a presigned URL of version 4 (S3 API, "Authenticating Requests: Using Query Parameters").
const NEEDED: [UrlParameter; 6] = [
    UrlParameter { names: &["X-Amz-Algorithm"], values: &["AWS4-HMAC-SHA256"] },
    any(&["X-Amz-Credential"]),
    any(&["X-Amz-Date"]),
    any(&["X-Amz-Expires"]),
    any(&["X-Amz-SignedHeaders"]),
    any(&["X-Amz-Signature"]),
];

/// Parameters that do not change which bytes are read. The SDKs for JavaScript and Go ask for checksums by default, in the URL
/// (aws-sdk-go-v2#3530), and differ in the case of the name.
const HARMLESS: [UrlParameter; 4] = [
    any(&["X-Amz-Security-Token"]),
    any(&["X-Amz-Content-Sha256"]),
    UrlParameter { names: &["x-amz-checksum-mode", "X-Amz-Checksum-Mode"], values: &["ENABLED"] },
    UrlParameter { names: &["x-id"], values: &["GetObject"] },
];

/// Returns when a grant for a request ends, if it opens one: with its URL, or so long after now, whichever is first.
///
/// A request for a version of the object, for a `response-*` header or for a subresource opens nothing: the redirect leads to the
/// object itself. Neither does a URL of version 2: servers differ about its parameters.
#[must_use]
pub fn opens_until(method: &str, query: Option<&str>, now: SystemTime, ttl: Duration) -> Option<SystemTime> {
    let query = query.filter(|query| method == "GET" && is_presigned_get(query))?;
    let until = presigned::expires_at(Some(query))?.min(now.checked_add(ttl)?);
    (now < until).then_some(until)
}

/// Returns true if a query has what a presigned GET needs, nothing that is not known here, and nothing twice.
fn is_presigned_get(query: &str) -> bool {
    let mut needed = [false; NEEDED.len()];
    let mut harmless = [false; HARMLESS.len()];
    let is_new = |parameter: &str| {
        let Some((name, value)) = parameter.split_once('=').filter(|(_, value)| !value.is_empty()) else {
            return false;
        };
        let mut places = NEEDED.iter().chain(&HARMLESS).zip(needed.iter_mut().chain(&mut harmless));
        let place = places.find(|(known, _)| known.names.contains(&name));
        let Some((known, is_seen)) = place else { return false };
        (known.values.is_empty() || known.values.contains(&value)) && !std::mem::replace(is_seen, true)
    };
    query.split('&').all(is_new) && needed == [true; NEEDED.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    /// 2026-01-01T00:00:00Z.
    const NEW_YEAR: u64 = 1_767_225_600;
    const TTL: Duration = Duration::from_secs(3600);
    const URL: &str = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260101%2Fr%2Fs3%2Faws4_request\
                       &X-Amz-Date=20260101T000000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature=ab";

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn opens(method: &str, query: &str) -> bool {
        opens_until(method, Some(query), at(NEW_YEAR), TTL).is_some()
    }

    #[test]
    fn a_presigned_get_opens_as_each_sdk_writes_it() {
        for query in [
            URL.to_owned(),
            format!("{URL}&x-id=GetObject"),
            format!("x-id=GetObject&{URL}"),
            format!("{URL}&X-Amz-Security-Token=abc%2Bd"),
            format!("{URL}&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&x-amz-checksum-mode=ENABLED&x-id=GetObject"),
            format!("{URL}&X-Amz-Checksum-Mode=ENABLED"),
            URL.split('&').rev().collect::<Vec<_>>().join("&"),
        ] {
            assert!(opens("GET", &query), "{query}");
        }
    }

    #[test]
    fn anything_else_opens_nothing() {
        for method in ["HEAD", "PUT", "POST", "DELETE", "OPTIONS", "get", ""] {
            assert!(!opens(method, URL), "{method}");
        }
        for missing in 0..NEEDED.len() {
            let others = URL.split('&').enumerate().filter(|(at, _)| *at != missing).map(|(_, parameter)| parameter);
            let query = others.collect::<Vec<_>>().join("&");
            assert!(!opens("GET", &query), "{query}");
        }
        for added in [
            "versionId=1",
            "response-content-type=text%2Fhtml",
            "response-content-disposition=attachment",
            "partNumber=1",
            "acl",
            "acl=",
            "torrent=",
            "x-id=PutObject",
            "x-id=",
            "x-id",
            "X-Id=GetObject",
            "x-amz-checksum-mode=DISABLED",
            "x-amz-security-token=abc",
            "X-Amz-Security-Token=",
            "X-Amz-Meta-A=b",
            "AWSAccessKeyId=AK",
            "Signature=ab",
            "Expires=99999999999",
            "v=3",
            // Of two that servers could read, no one knows which is the signed one.
            "X-Amz-Expires=999999",
            "X-Amz-Signature=ab",
            "x-amz-expires=999999",
            "X-Amz-Expire%73=999999",
            "",
            "&",
        ] {
            assert!(!opens("GET", &format!("{URL}&{added}")), "{added}");
            assert!(!opens("GET", &format!("{added}&{URL}")), "{added}");
        }
        assert!(!opens("GET", &format!("{URL}&x-id=GetObject&x-id=GetObject")));
        assert!(!opens("GET", &format!("{URL}&x-amz-checksum-mode=ENABLED&X-Amz-Checksum-Mode=ENABLED")));
        for (from, to) in [
            ("=AWS4-HMAC-SHA256", "=AWS4-ECDSA-P256-SHA256"),
            ("=AWS4-HMAC-SHA256", "=aws4-hmac-sha256"),
            ("=20260101T000000Z", "=20260101"),
            ("=20260101T000000Z", "="),
            ("=600", "=x"),
            ("=600", "="),
            ("=600", "=-1"),
            ("=600", "=0"),
            ("=600", "=18446744073709551615"),
            ("X-Amz-Signature=ab", "X-Amz-Signature="),
            ("X-Amz-Signature", "x-amz-signature"),
        ] {
            let query = URL.replace(from, to);
            assert!(!opens("GET", &query), "{query}");
        }
        for query in ["", "AWSAccessKeyId=AK&Expires=9999999999&Signature=ab"] {
            assert!(!opens("GET", query), "{query}");
        }
        assert_eq!(opens_until("GET", None, at(NEW_YEAR), TTL), None);
    }

    #[test]
    fn a_grant_ends_with_its_url_or_after_its_time() {
        for (now, ttl, end) in [
            (NEW_YEAR, 3600, Some(NEW_YEAR + 600)),
            (NEW_YEAR, 600, Some(NEW_YEAR + 600)),
            (NEW_YEAR, 60, Some(NEW_YEAR + 60)),
            (NEW_YEAR + 599, 3600, Some(NEW_YEAR + 600)),
            (NEW_YEAR + 600, 3600, None),
            (NEW_YEAR + 601, 3600, None),
            (NEW_YEAR, 0, None),
            (NEW_YEAR, u64::MAX, None),
            // A clock before that of the signer.
            (NEW_YEAR - 30, 3600, Some(NEW_YEAR + 600)),
            (NEW_YEAR - 30, 60, Some(NEW_YEAR + 30)),
        ] {
            let until = opens_until("GET", Some(URL), at(now), Duration::from_secs(ttl));
            assert_eq!(until, end.map(at), "{now} {ttl}");
        }
    }
}
