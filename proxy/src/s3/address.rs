//! Which bucket and whether an object: from Host and path.
//!
//! Virtual-host style when the host is a label below a domain, otherwise the path's first segment. Nothing here changes a request.

use crate::s3::domain::{Domain, host_name};
use percent_encoding::percent_decode_str;
use s3_cors::ResourceType;
use std::borrow::Cow;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address<'r> {
    /// The bucket; `None` for a request to the service itself (ListBuckets).
    pub bucket: Option<Cow<'r, str>>,
    /// Whether the path names an object.
    pub resource: ResourceType,
}

impl<'r> Address<'r> {
    /// Reads host (with or without a port) and path (without the query).
    #[must_use]
    pub fn of(host: Option<&'r str>, path: &'r str, domains: &[Domain]) -> Self {
        let path = key_of(path);
        if let Some(bucket) = host.and_then(|host| virtual_host_bucket(host, domains)) {
            return Self { bucket: Some(bucket), resource: resource(path) };
        }
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        if bucket.is_empty() {
            return Self { bucket: None, resource: ResourceType::Bucket };
        }
        // A bucket's name needs no escapes, but S3 takes them; only then is there something to allocate.
        let bucket = percent_decode_str(bucket).decode_utf8_lossy();
        Self { bucket: Some(bucket), resource: resource(key) }
    }

    /// A request to a host that is this bucket's: the whole path is the key.
    #[must_use]
    pub fn in_bucket(bucket: &'r str, path: &'r str) -> Self {
        Self { bucket: Some(bucket.into()), resource: resource(key_of(path)) }
    }
}

fn key_of(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or_default()
}

const fn resource(key: &str) -> ResourceType {
    if key.is_empty() { ResourceType::Bucket } else { ResourceType::Object }
}

/// What stands before `.domain`, dots included (a bucket may have dots), without regard to case (RFC 9110 §4.2.3).
fn virtual_host_bucket<'r>(host: &'r str, domains: &[Domain]) -> Option<Cow<'r, str>> {
    let host = host_name(host);
    // The longest domain wins: below "s3.x" and "x" a host "b.s3.x" is the bucket "b".
    let below = |domain: &Domain| {
        let at = host.len().checked_sub(domain.as_str().len() + 1).filter(|at| *at > 0)?;
        let (bucket, rest) = (host.get(..at)?, host.get(at..)?);
        rest.strip_prefix('.')?.eq_ignore_ascii_case(domain.as_str()).then_some(bucket)
    };
    let bucket = domains.iter().filter_map(below).min_by_key(|bucket| bucket.len())?;
    if bucket.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Some(bucket.to_ascii_lowercase().into())
    } else {
        Some(bucket.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ResourceType::{Bucket, Object};

    #[test]
    fn a_request_is_for_what_host_and_path_say() {
        let cases = [
            (None, "/bucket/key", Some("bucket"), Object),
            (None, "/bucket/", Some("bucket"), Bucket),
            (None, "/bucket", Some("bucket"), Bucket),
            (None, "/", None, Bucket),
            (None, "*", None, Bucket),
            (None, "//bucket/key", None, Bucket),
            (None, "/bu%63ket/key", Some("bucket"), Object),
            (None, "/bucket//", Some("bucket"), Object),
            (Some("other.test"), "/b/k", Some("b"), Object),
            (Some("s3.example.test"), "/b/k", Some("b"), Object),
            (Some("bucket.s3.example.test"), "/key", Some("bucket"), Object),
            (Some("bucket.s3.example.test:8080"), "/", Some("bucket"), Bucket),
            (Some("Bucket.S3.Example.Test."), "/", Some("bucket"), Bucket),
            (Some("my.dotted.s3.example.test"), "/a/b", Some("my.dotted"), Object),
            (Some(".s3.example.test"), "/b", Some("b"), Bucket),
            (Some("xs3.example.test"), "/b", Some("b"), Bucket),
            (Some("[::1]:8080"), "/b", Some("b"), Bucket),
        ];
        let domains = ["s3.example.test".parse().unwrap(), "example.test".parse().unwrap()];
        for (host, path, bucket, resource) in cases {
            // "s3.example.test" itself is a label below "example.test": only the longer domain is asked here.
            let domains = if host.is_some_and(|host| host.starts_with("b")) { &domains[..] } else { &domains[..1] };
            let address = Address::of(host, path, domains);
            assert_eq!((address.bucket.as_deref(), address.resource), (bucket, resource), "{host:?} {path}");
        }
    }
}
