//! Which bucket and whether an object: from Host and path.
//!
//! Virtual-host style when the host is a label below a domain, otherwise the path's first segment. Nothing here changes a request.

use super::domain::{Domain, host_name};
use super::operation::Scope;
use super::readings;
use s3_cors::ResourceType;
use std::borrow::Cow;

pub use super::readings::NamedBucket;

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address<'r> {
    /// The bucket.
    pub bucket: NamedBucket<'r>,
    /// The kind of resource that the path names, to a server that splits it before it decodes it.
    pub resource: ResourceType,
    /// Set if the host names the bucket, and the whole path is the key.
    pub is_in_host: bool,
}

/// The place of a bucket's name in the requests to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketPlace<'h> {
    /// The path's first segment.
    Path,
    /// The host: it is this bucket's.
    Host(Cow<'h, str>),
    /// Servers differ.
    Ambiguous,
}

impl<'h> BucketPlace<'h> {
    /// Reads a host, with or without a port.
    #[must_use]
    pub fn of(host: &'h str, domains: &[Domain]) -> Self {
        if is_ambiguous_host(host) {
            return Self::Ambiguous;
        }
        virtual_host_bucket(host, domains).map_or(Self::Path, Self::Host)
    }
}

impl<'r> Address<'r> {
    /// Reads host (with or without a port) and path (without the query).
    ///
    /// Below a domain the host names the bucket, and the whole path is the key: no reading of it leads to another bucket.
    #[must_use]
    pub fn of(host: Option<&'r str>, path: &'r str, domains: &[Domain]) -> Self {
        let key = key_of(path);
        let after_bucket = key.split_once('/').map_or("", |(_, key)| key);
        match host.map_or(BucketPlace::Path, |host| BucketPlace::of(host, domains)) {
            BucketPlace::Host(bucket) => {
                Self { bucket: NamedBucket::One(bucket), resource: resource(key), is_in_host: true }
            }
            BucketPlace::Path => Self::in_path(path),
            BucketPlace::Ambiguous => {
                Self { bucket: NamedBucket::Ambiguous, resource: resource(after_bucket), is_in_host: false }
            }
        }
    }

    /// A request whose path names the bucket, whatever the host.
    #[must_use]
    pub fn in_path(path: &'r str) -> Self {
        let after_bucket = || key_of(path).split_once('/').map_or("", |(_, key)| key);
        let (bucket, resource) = match readings::bucket_of(path) {
            NamedBucket::Service => (NamedBucket::Service, ResourceType::Bucket),
            bucket => (bucket, resource(after_bucket())),
        };
        Self { bucket, resource, is_in_host: false }
    }

    /// A request to a host that is this bucket's: the whole path is the key.
    #[must_use]
    pub fn in_bucket(bucket: &'r str, path: &'r str) -> Self {
        Self { bucket: NamedBucket::One(bucket.into()), resource: resource(key_of(path)), is_in_host: true }
    }

    /// The scope that the path names; `None` where servers differ about it.
    #[must_use]
    pub const fn scope(&self) -> Option<Scope> {
        match (&self.bucket, self.resource) {
            (NamedBucket::Ambiguous, _) => None,
            (NamedBucket::Service, _) => Some(Scope::Service),
            (NamedBucket::One(_), ResourceType::Bucket) => Some(Scope::Bucket),
            (NamedBucket::One(_), ResourceType::Object) => Some(Scope::Object),
        }
    }
}

fn key_of(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or_default()
}

const fn resource(key: &str) -> ResourceType {
    if key.is_empty() { ResourceType::Bucket } else { ResourceType::Object }
}

/// Returns true if servers differ about the name that a host is: some remove a dot at its end (RFC 1034 §3.1: the root), and what is after
/// a colon without being a port is part of the name to some.
fn is_ambiguous_host(host: &str) -> bool {
    let is_no_digit = |byte: u8| !byte.is_ascii_digit();
    let end = host.bytes().rposition(is_no_digit).map_or(0, |at| at + 1);
    let name = host.get(..end).and_then(|name| name.strip_suffix(':')).unwrap_or(host);
    let is_address = name.starts_with('[');
    name.ends_with('.') || (!is_address && name.contains(':'))
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
            (None, "///", None, Bucket),
            (None, "/bu%63ket/key", Some("bucket"), Object),
            (None, "/bucket//", Some("bucket"), Object),
            (Some("other.test"), "/b/k", Some("b"), Object),
            (Some("s3.example.test"), "/b/k", Some("b"), Object),
            (Some("bucket.s3.example.test"), "/key", Some("bucket"), Object),
            (Some("bucket.s3.example.test:8080"), "/", Some("bucket"), Bucket),
            (Some("Bucket.S3.Example.Test:"), "/", Some("bucket"), Bucket),
            (Some("my.dotted.s3.example.test"), "/a/b", Some("my.dotted"), Object),
            (Some("bucket.s3.example.test"), "//other%2F../%2e%2e/..", Some("bucket"), Object),
            (Some(".s3.example.test"), "/b", Some("b"), Bucket),
            (Some("xs3.example.test"), "/b", Some("b"), Bucket),
            (Some("[::1]:8080"), "/b", Some("b"), Bucket),
            (Some("127.0.0.1"), "/b", Some("b"), Bucket),
            (Some("8080"), "/b", Some("b"), Bucket),
        ];
        let domains = ["s3.example.test".parse().unwrap(), "example.test".parse().unwrap()];
        for (host, path, bucket, resource) in cases {
            // "s3.example.test" itself is a label below "example.test": only the longer domain is asked here.
            let domains = if host.is_some_and(|host| host.starts_with("b")) { &domains[..] } else { &domains[..1] };
            let address = Address::of(host, path, domains);
            let bucket = bucket.map_or(NamedBucket::Service, |name| NamedBucket::One(name.into()));
            assert_eq!((address.bucket, address.resource), (bucket, resource), "{host:?} {path}");
        }
    }

    #[test]
    fn a_host_or_path_with_two_readings_names_no_bucket() {
        let domains = ["s3.example.test".parse().unwrap()];
        for (host, path, resource) in [
            (None, "/bucket%2Fkey", Bucket),
            (None, "//bucket/key", Object),
            (Some("s3.example.test"), "/x/../bucket/key", Object),
            (Some("bucket.s3.example.test."), "/bucket/key", Object),
            (Some("Bucket.S3.Example.Test.:8080"), "/key", Bucket),
            (Some("s3.example.test."), "/bucket/key", Object),
            (Some("localhost.:"), "/bucket/key", Object),
            (Some("."), "/bucket/key", Object),
            (Some("[::1]."), "/bucket/key", Object),
            (Some("bucket.s3.example.test:x"), "/other/key", Object),
            (Some("bucket.s3.example.test:80:80"), "/other/key", Object),
            (Some("x:y.s3.example.test"), "/other/key", Object),
        ] {
            let address = Address::of(host, path, &domains);
            let expected = Address { bucket: NamedBucket::Ambiguous, resource, is_in_host: false };
            assert_eq!(address, expected, "{host:?} {path}");
            assert_eq!((address.bucket.name(), address.scope()), (None, None));
        }
    }
}
