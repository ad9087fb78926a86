//! A change for all that a page was refused: its reader has a page to repair, and pages send more than one request.
//!
//! Decides: which requests it is for, and what the page may read then. Must not know: where denials are kept.

use super::learned::RepeatedRequest;
use super::proposal::elements;
use super::{Question, explain_request};
use crate::rules::Bucket;
use s3_cors::{
    AllowedMethod, CorsConfiguration, CorsRule, Document, ExposedHeader, Format, HeaderPattern, RequestKind, Wanted,
    smallest_rules,
};
use std::collections::BTreeSet;

/// The header of a response that clients read, of an upload to complete it and of an object to know that it has changed; and those that
/// readers of ranges read in addition.
const READ: &str = "ETag";
const READ_OF_RANGES: [&str; 2] = ["Accept-Ranges", "Content-Range"];
/// The header that clients send with an upload, whether or not the page names it.
const SENT_WITH_UPLOADS: &str = "content-type";

/// The rules that would allow all that the pages of one origin were refused in a bucket, and nothing else.
pub struct AllRefused {
    /// The methods that they use.
    pub methods: Vec<Box<str>>,
    /// The rules that are new, in XML.
    pub rules_xml: String,
    /// The whole document afterwards, in XML.
    pub xml: String,
}

impl AllRefused {
    /// Makes rules for what the live rules still refuse and others could allow. `None` where that is less than two requests.
    #[must_use]
    pub fn new(bucket: &Bucket, refused: &[RepeatedRequest]) -> Option<Self> {
        let still = refused.iter().filter(|request| is_refused(bucket, request));
        let wanted: Vec<_> = still.filter_map(wants).collect();
        if wanted.len() < 2 {
            return None;
        }
        let own = bucket.configuration();
        let new: Vec<_> = smallest_rules(&wanted).into_iter().map(readable).collect();
        let own = own.iter().flat_map(CorsConfiguration::rules).cloned();
        let xml = CorsConfiguration::new(own.chain(new.iter().cloned()).collect()).ok()?.to_xml().ok()?;
        // Read again: S3 has a greatest length.
        Document::parse(xml.as_bytes(), Format::Xml).ok()?;
        let methods: BTreeSet<_> = wanted.iter().map(|wanted| wanted.method().as_str().into()).collect();
        Some(Self { methods: methods.into_iter().collect(), rules_xml: elements(new), xml })
    }
}

/// The request as rules could allow it; `None` for a method that they cannot have.
fn wants(request: &RepeatedRequest) -> Option<Wanted> {
    Wanted::new(&request.origin, &request.method, request.request_headers.as_deref()).ok()
}

fn is_refused(bucket: &Bucket, request: &RepeatedRequest) -> bool {
    let RepeatedRequest { origin, method, request_headers, why, .. } = request;
    let request_headers = request_headers.as_deref();
    let question = Question { kind: RequestKind::Preflight, bucket: None, origin, method, request_headers };
    why.is_empty() && explain_request(bucket, &question).is_ok_and(|explained| !explained.allowed)
}

/// The rule, with the headers that its clients read, and send without a page that names them.
fn readable(rule: CorsRule) -> CorsRule {
    let mut headers = rule.allowed_headers().to_vec();
    let has = |name: &str| headers.iter().any(|header| header.as_str().eq_ignore_ascii_case(name));
    let is_upload = |method: &AllowedMethod| matches!(method.as_str(), "PUT" | "POST");
    let lacks_type = rule.allowed_methods().iter().any(is_upload) && !has(SENT_WITH_UPLOADS);
    let of_ranges = if has("range") { &READ_OF_RANGES[..] } else { &[] };
    let exposed = of_ranges.iter().chain([&READ]).filter_map(|name| ExposedHeader::parse(name).ok()).collect();
    headers.extend(HeaderPattern::parse(SENT_WITH_UPLOADS).ok().filter(|_| lacks_type));
    rule.with_allowed_headers(headers).with_expose_headers(exposed)
}
