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

const RULES: &[GuideRule] = &[
    // S3 User Guide, "Elements of a CORS configuration", first example.
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
    // AWS CLI, put-bucket-cors.
    GuideRule {
        origins: &["http://www.example.com"],
        methods: WRITES,
        headers: &["*"],
        expose: &["x-amz-server-side-encryption"],
    },
    // AWS SDK for Java.
    GuideRule { origins: &["http://*.example.com"], methods: WRITES, headers: &[], expose: &[] },
    // Boto3, "Configure a bucket's CORS rules".
    GuideRule {
        origins: &["*"],
        methods: &[AllowedMethod::Get, AllowedMethod::Put],
        headers: &["Authorization"],
        expose: &["ETag", "x-amz-request-id"],
    },
    // AWS SDK for JavaScript, "Cross-origin resource sharing".
    GuideRule {
        origins: &["*"],
        methods: &[
            AllowedMethod::Get,
            AllowedMethod::Put,
            AllowedMethod::Post,
            AllowedMethod::Delete,
            AllowedMethod::Head,
        ],
        headers: &["*"],
        expose: &["ETag"],
    },
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
