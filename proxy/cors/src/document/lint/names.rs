//! The header names that browsers, S3 and its clients use, in lower case.

use super::names_of_s3::OF_S3;

/// The checksums of S3, as a client sends them with a part and reads them from the response.
pub(super) const CHECKSUMS: &[&str] = &[
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-md5",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-sha512",
    "x-amz-checksum-xxhash3",
    "x-amz-checksum-xxhash64",
    "x-amz-checksum-xxhash128",
];

/// The names of browsers, of HTTP, and of clients and networks in front of S3, in order.
const OF_OTHERS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "access-control-request-headers",
    "access-control-request-method",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "baggage",
    "connection",
    "content-location",
    "content-security-policy",
    "cookie",
    "digest",
    "expect",
    "forwarded",
    "from",
    "host",
    "if-range",
    "keep-alive",
    "link",
    "origin",
    "pragma",
    "priority",
    "referer",
    "retry-after",
    "sentry-trace",
    "server-timing",
    "set-cookie",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "tus-checksum-algorithm",
    "tus-extension",
    "tus-max-size",
    "tus-resumable",
    "tus-version",
    "upload-checksum",
    "upload-concat",
    "upload-defer-length",
    "upload-expires",
    "upload-length",
    "upload-metadata",
    "upload-offset",
    "user-agent",
    "vary",
    "x-amz-cf-id",
    "x-amz-cf-pop",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-security-token",
    "x-amz-trailer",
    "x-amz-user-agent",
    "x-api-key",
    "x-cache",
    "x-client-id",
    "x-correlation-id",
    "x-csrf-token",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-http-method-override",
    "x-request-id",
    "x-requested-with",
    "x-trace-id",
    "x-xsrf-token",
];

/// Every name that is not a misspelling of another.
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    OF_S3.iter().chain(OF_OTHERS).copied()
}

/// Returns true for a known name.
pub(super) fn is_known(name: &str) -> bool {
    [OF_S3, OF_OTHERS].iter().any(|names| names.binary_search(&name).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{OF_OTHERS, OF_S3};

    #[test]
    fn the_known_names_are_in_order() {
        assert!(OF_S3.is_sorted() && OF_OTHERS.is_sorted(), "they are searched by halves");
    }
}
