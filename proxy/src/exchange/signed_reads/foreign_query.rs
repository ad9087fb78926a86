//! The query of a request that is signed here: what a stranger may not ask.
//!
//! Decides: which names S3 and its likes know. Must not know: what a query is dropped for.

use crate::s3::operation::is_sub_resource;
use percent_encoding::percent_decode_str;

/// The parameters of requests for objects, listings and signatures beside the sub-resources (S3 API reference, GetObject, ListObjects), in
/// lower case.
const KNOWN: [&str; 22] = [
    "append",
    "awsaccesskeyid",
    "continuation-token",
    "delimiter",
    "encoding-type",
    "expires",
    "fetch-owner",
    "key-marker",
    "list-type",
    "marker",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "partnumber",
    "prefix",
    "signature",
    "start-after",
    "upload-id-marker",
    "version-id-marker",
    "versionid",
    "x-id",
];
/// The beginnings of further names: overrides of the response's headers, signatures, and what servers add (MinIO's x-minio-…, RGW's rgwx-…).
const KNOWN_BEGINNINGS: [&str; 4] = ["response-", "x-amz-", "x-minio-", "rgwx-"];

/// Returns true if S3 may know a parameter of a query, in any spelling.
pub(super) fn may_be_of_s3(query: &str) -> bool {
    query.split(['&', ';']).any(|parameter| {
        let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
        let name = percent_decode_str(name).decode_utf8_lossy().trim().to_ascii_lowercase();
        is_sub_resource(&name)
            || KNOWN.binary_search(&name.as_str()).is_ok()
            || KNOWN_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_s3_are_known_in_any_spelling() {
        assert!(KNOWN.is_sorted());
        for query in [
            "acl",
            "acl=",
            "ACL",
            "%61cl",
            "v=1&tagging",
            "v=1;torrent",
            "versionId=x",
            "response-content-type=text/html",
            "Response-Expires=0",
            "X-Amz-Signature=ab",
            "x-amz-security-token=x",
            "partNumber=1",
            "list-type=2",
            " acl",
            "uploads",
        ] {
            assert!(may_be_of_s3(query), "{query}");
        }
        for query in ["", "v=3", "v", "utm_source=x&t=1", "_=1", "aclx", "hash=acl", "versions2=1"] {
            assert!(!may_be_of_s3(query), "{query}");
        }
    }
}
