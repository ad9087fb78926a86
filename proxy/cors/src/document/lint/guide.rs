//! The rules of AWS's own documentation, which are pasted first and changed later: anyone who tries them out is left alone.
//!
//! Compared as a whole, but for ID and time: a rule that differs in one value is the author's own.

use crate::{AllowedMethod, CorsRule, ExposedHeader, HeaderPattern, OriginPattern};

struct GuideRule {
    origins: &'static [&'static str],
    methods: &'static [AllowedMethod],
    headers: &'static [&'static str],
    expose: &'static [&'static str],
}

const WRITES: &[AllowedMethod] = &[AllowedMethod::Put, AllowedMethod::Post, AllowedMethod::Delete];

const ALL: &[AllowedMethod] =
    &[AllowedMethod::Get, AllowedMethod::Put, AllowedMethod::Post, AllowedMethod::Delete, AllowedMethod::Head];

const SDK_EXPOSED: &[&str] = &["ETag", "x-amz-meta-custom-header"];

const RULES: &[GuideRule] = &[
    // S3 User Guide, "Elements of a CORS configuration" (ManageCorsUsing), first example.
    GuideRule { origins: &["http://www.example1.com"], methods: WRITES, headers: &["*"], expose: &[] },
    GuideRule { origins: &["http://www.example2.com"], methods: WRITES, headers: &["*"], expose: &[] },
    // The same page, second example; S3 API, PutBucketCors.
    GuideRule {
        origins: &["http://www.example.com"],
        methods: WRITES,
        headers: &["*"],
        expose: &["x-amz-server-side-encryption", "x-amz-request-id", "x-amz-id-2"],
    },
    GuideRule { origins: &["http://www.example.com"], methods: WRITES, headers: &["*"], expose: &[] },
    // AWS CLI, s3api put-bucket-cors; the example of PutBucketCors in the SDKs' reference.
    GuideRule {
        origins: &["http://www.example.com"],
        methods: WRITES,
        headers: &["*"],
        expose: &["x-amz-server-side-encryption"],
    },
    // S3 User Guide, "Configuring cross-origin resource sharing" (enabling-cors-examples), for Java and .NET.
    GuideRule { origins: &["http://*.example.com"], methods: WRITES, headers: &[], expose: &[] },
    GuideRule { origins: &["http://www.example.com"], methods: &[AllowedMethod::Head], headers: &[], expose: &[] },
    // AWS code examples, Java 2.x, S3Cors.
    GuideRule { origins: &["http://example.com"], methods: WRITES, headers: &[], expose: &[] },
    // Boto3, "Bucket CORS configuration" (s3-example-configuring-buckets).
    GuideRule {
        origins: &["*"],
        methods: &[AllowedMethod::Get, AllowedMethod::Put],
        headers: &["Authorization"],
        expose: &["ETag", "x-amz-request-id"],
    },
    // AWS SDK for JavaScript, developer guides for 2 and 3, "CORS configuration example": in XML, and in JSON.
    GuideRule { origins: &["https://example.org"], methods: ALL, headers: &["*"], expose: SDK_EXPOSED },
    GuideRule { origins: &["https://www.example.org"], methods: ALL, headers: &["*"], expose: SDK_EXPOSED },
    // The same for any origin, which the text allows, also without its own header.
    GuideRule { origins: &["*"], methods: ALL, headers: &["*"], expose: SDK_EXPOSED },
    GuideRule { origins: &["*"], methods: ALL, headers: &["*"], expose: &["ETag"] },
];

/// Whether this is a rule of the documentation; the order of a list says nothing.
pub(super) fn is_rule(rule: &CorsRule) -> bool {
    RULES.iter().any(|known| {
        same(rule.allowed_origins().iter().map(OriginPattern::as_str), known.origins)
            && same(rule.allowed_methods().iter().copied(), known.methods)
            && same(rule.allowed_headers().iter().map(HeaderPattern::as_str), known.headers)
            && same(rule.expose_headers().iter().map(ExposedHeader::as_str), known.expose)
    })
}

fn same<T: PartialEq>(values: impl ExactSizeIterator<Item = T>, known: &[T]) -> bool {
    values.len() == known.len() && values.into_iter().all(|value| known.contains(&value))
}
