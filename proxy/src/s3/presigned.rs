//! Presigned URLs, and the times that a signature of either kind has. As text: no key is known here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Whether the signature is in the query: a presigned URL of version 4 or 2.
#[must_use]
pub fn is_presigned(query: Option<&str>) -> bool {
    let has = |name| parameter(query, name).is_some();
    has("X-Amz-Signature") || (has("AWSAccessKeyId") && has("Signature"))
}

/// Whether a presigned URL has everything without which no server would look at its signature.
#[must_use]
pub fn is_complete(query: Option<&str>) -> bool {
    let has_all =
        |names: [&str; 3]| names.into_iter().all(|name| parameter(query, name).is_some_and(|value| !value.is_empty()));
    has_all(["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"])
        || has_all(["AWSAccessKeyId", "Expires", "Signature"])
}

/// When a request says that it was signed: `X-Amz-Date` in the query of a presigned URL, else the header of that name.
#[must_use]
pub fn signed_at(date: Option<&str>, query: Option<&str>) -> Option<SystemTime> {
    basic_time(parameter(query, "X-Amz-Date").or(date)?)
}

/// When a presigned URL ends: so many seconds after it was signed, or in version 2 at a time.
#[must_use]
pub fn expires_at(query: Option<&str>) -> Option<SystemTime> {
    let (from, seconds) = match parameter(query, "X-Amz-Expires") {
        Some(seconds) => (signed_at(None, query)?, seconds),
        None if is_presigned(query) => (UNIX_EPOCH, parameter(query, "Expires")?),
        None => return None,
    };
    from.checked_add(Duration::from_secs(seconds.parse().ok()?))
}

/// The value of a parameter, as it is written. S3 SDKs write the names in this case; servers accept others.
fn parameter<'q>(query: Option<&'q str>, name: &str) -> Option<&'q str> {
    let mut parameters = query?.split('&').filter_map(|parameter| parameter.split_once('='));
    parameters.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Reads a time as Signature Version 4 writes it: ISO 8601's basic format, in UTC and to the second.
fn basic_time(text: &str) -> Option<SystemTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let ((year, rest), (hour, clock)) = (date.split_at_checked(4)?, time.split_at_checked(2)?);
    let ((month, day), (minute, second)) = (rest.split_at_checked(2)?, clock.split_at_checked(2)?);
    humantime::parse_rfc3339(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01T00:00:00Z.
    const NEW_YEAR: u64 = 1_767_225_600;

    #[test]
    fn a_time_of_signing_is_read_or_there_is_none() {
        for (text, seconds) in [
            ("20260101T000000Z", Some(NEW_YEAR)),
            ("20251231T235959Z", Some(NEW_YEAR - 1)),
            ("20240229T010203Z", Some(1_709_168_523)),
            ("20260101T000000", None),
            ("2026-01-01T00:00:00Z", None),
            ("20261301T000000Z", None),
            ("2026010\u{e9}T00000Z", None),
            ("TZ", None),
            ("", None),
        ] {
            let expected = seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(signed_at(Some(text), None), expected, "{text}");
            assert_eq!(signed_at(None, Some(&format!("a=b&x-amz-date={text}"))), expected, "{text} in the query");
        }
        assert_eq!(signed_at(None, Some("a=b")), None);
    }

    #[test]
    fn a_presigned_url_ends_after_its_time() {
        for (query, is_signed, end) in [
            ("X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-Signature=ab", true, Some(NEW_YEAR + 60)),
            ("X-Amz-Date=20260101T000000Z&X-Amz-Expires=x&X-Amz-Signature=ab", true, None),
            ("X-Amz-Date=20260101T000000Z&X-Amz-Expires=18446744073709551615&X-Amz-Signature=ab", true, None),
            ("X-Amz-Expires=60&X-Amz-Signature=ab", true, None),
            ("AWSAccessKeyId=AK&Expires=1767225600&Signature=ab", true, Some(NEW_YEAR)),
            ("Expires=1767225600&Signature=ab", false, None),
            ("Expires=1767225600", false, None),
            ("", false, None),
        ] {
            assert_eq!(is_presigned(Some(query)), is_signed, "{query}");
            let end = end.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(expires_at(Some(query)), end, "{query}");
        }
    }

    #[test]
    fn a_complete_url_has_all_parameters_of_one_version() {
        for (query, expected) in [
            ("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK&X-Amz-Signature=ab", true),
            ("versionId=1&X-Amz-Signature=ab&X-Amz-Credential=AK&X-Amz-Date=x&X-Amz-Algorithm=a", true),
            ("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK", false),
            ("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK&X-Amz-Signature=", false),
            ("AWSAccessKeyId=AK&Expires=1&Signature=ab", true),
            ("AWSAccessKeyId=AK&Expires=1&X-Amz-Signature=ab", false),
            ("", false),
        ] {
            assert_eq!(is_complete(Some(query)), expected, "{query}");
        }
    }
}
