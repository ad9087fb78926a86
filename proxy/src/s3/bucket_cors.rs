//! PutBucketCors, GetBucketCors and DeleteBucketCors: which requests are one of them.
//!
//! Only a request that every S3 server reads in the same way is: the subresource `cors` once, exactly so spelled, without a value and
//! without another parameter that could decide. Every other one is the upstream's to judge.

use super::address::Address;
use s3_cors::ResourceType;

/// One of the operations on a bucket's CORS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// PutBucketCors.
    Put,
    /// GetBucketCors.
    Get,
    /// DeleteBucketCors.
    Delete,
}

/// What a query may have beside the subresource: the SDK's name for the operation, and the signature of a presigned URL.
const WITHOUT_MEANING: [&str; 12] = [
    "x-id",
    "X-Amz-Algorithm",
    "X-Amz-Content-Sha256",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "AWSAccessKeyId",
    "Expires",
    "Signature",
];

impl Operation {
    /// Each operation.
    pub const ALL: [Self; 3] = [Self::Put, Self::Get, Self::Delete];

    /// The operation of a request, by its method and query alone.
    #[must_use]
    pub fn of(method: &str, query: Option<&str>) -> Option<Self> {
        let operation = match method {
            "PUT" => Self::Put,
            "GET" => Self::Get,
            "DELETE" => Self::Delete,
            _ => return None,
        };
        has_subresource(query?).then_some(operation)
    }

    /// S3's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Put => "PutBucketCors",
            Self::Get => "GetBucketCors",
            Self::Delete => "DeleteBucketCors",
        }
    }

    /// Whether it changes what the bucket has.
    #[must_use]
    pub const fn is_write(self) -> bool {
        !matches!(self, Self::Get)
    }
}

/// Whether a query names the subresource `cors` and nothing else that has a meaning.
fn has_subresource(query: &str) -> bool {
    let mut seen = [false; WITHOUT_MEANING.len()];
    let mut is_cors = false;
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        if name == "cors" {
            // With a value it is no subresource to some servers: `PUT /bucket?cors=x` may create a bucket.
            if !value.is_empty() || std::mem::replace(&mut is_cors, true) {
                return false;
            }
            continue;
        }
        let known = WITHOUT_MEANING.iter().zip(&mut seen).find(|(known, _)| **known == name);
        if known.is_none_or(|(_, seen)| std::mem::replace(seen, true)) {
            return false;
        }
    }
    is_cors
}

/// The bucket that such a request is for. `None` where it is for an object or for no bucket, and where servers could read another name:
/// one with escapes, or that no bucket can have (S3 user guide, General purpose bucket naming rules).
#[must_use]
pub fn bucket_of<'a>(address: &'a Address<'_>, path: &str) -> Option<&'a str> {
    let bucket = address.bucket.name().filter(|_| address.resource == ResourceType::Bucket)?;
    let is_written_so = !path.contains('%');
    let is_inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
    let ends_well = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = bucket.as_bytes();
    let is_name = (3..=63).contains(&bytes.len())
        && bytes.iter().copied().all(is_inner)
        && ends_well(bytes.first())
        && ends_well(bytes.last())
        && !bucket.contains("..");
    (is_written_so && is_name).then_some(bucket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_subresource_is_an_operation() {
        use Operation::{Delete, Get, Put};
        for (method, query, expected) in [
            ("PUT", "cors", Some(Put)),
            ("GET", "cors", Some(Get)),
            ("DELETE", "cors", Some(Delete)),
            ("PUT", "cors=", Some(Put)),
            ("PUT", "cors&x-id=PutBucketCors", Some(Put)),
            ("PUT", "X-Amz-Algorithm=a&X-Amz-Signature=b&cors=", Some(Put)),
            ("DELETE", "cors&AWSAccessKeyId=a&Expires=1&Signature=b", Some(Delete)),
            ("HEAD", "cors", None),
            ("POST", "cors", None),
            ("put", "cors", None),
            ("PUT", "", None),
            ("PUT", "CORS", None),
            ("PUT", "Cors", None),
            ("PUT", "c%6Frs", None),
            ("PUT", "cors=1", None),
            ("PUT", "cors=%20", None),
            ("PUT", "cors&cors", None),
            ("PUT", "cors&acl", None),
            ("PUT", "policy&cors", None),
            ("PUT", "cors&", None),
            ("PUT", "cors&x-id=a&x-id=b", None),
            ("PUT", "cors;acl", None),
            ("PUT", "cors&X-Amz-Signature=a&X-Amz-Signature=b", None),
            ("PUT", "cors&x-amz-signature=a", None),
            ("PUT", "acors", None),
        ] {
            assert_eq!(Operation::of(method, Some(query)), expected, "{method} {query}");
        }
        assert_eq!(Operation::of("PUT", None), None);
    }

    #[test]
    fn a_bucket_is_named_in_one_way_only() {
        let long = "a".repeat(64);
        for (path, bucket) in [
            ("/photos", Some("photos")),
            ("/photos/", Some("photos")),
            ("/my.dotted-1", Some("my.dotted-1")),
            ("/photos/key", None),
            ("/photos//", None),
            ("/", None),
            ("//photos", None),
            ("/photos/..", None),
            ("/photos\\", None),
            ("/ph%6Ftos", None),
            ("/_default", None),
            ("/..", None),
            ("/.a.", None),
            ("/a..b", None),
            ("/ab", None),
            ("/Photos", None),
            ("/pho:tos", None),
            (&*format!("/{long}"), None),
        ] {
            assert_eq!(bucket_of(&Address::of(None, path, &[]), path), bucket, "{path}");
        }
        let domains = ["s3.example.test".parse().unwrap()];
        let named =
            |path| bucket_of(&Address::of(Some("photos.s3.example.test"), path, &domains), path).map(str::to_owned);
        assert_eq!(named("/").as_deref(), Some("photos"));
        assert_eq!(named("/other"), None);
        let with_dot = Address::of(Some("photos.s3.example.test."), "/", &domains);
        assert_eq!(bucket_of(&with_dot, "/"), None);
    }
}
