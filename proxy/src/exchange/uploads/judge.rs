//! The judgement of an upload by its head.
//!
//! A request is judged as an upload unless every server knows it as something else: what one server ignores of a query, it stores.

use super::limits::{LimitOf, UploadLimits, allows_type};
use super::refusal::UploadRefusal;
use crate::config::UploadLimit;
use crate::exchange::head::RequestHead;
use crate::exchange::known::Known;
use crate::s3::address::{Address, NamedBucket};
use crate::s3::operation::{COPY_SOURCE, Scope, is_sub_resource, operation};
use memchr::memmem::find;
use percent_encoding::percent_decode_str;
use s3_cors::ResourceType;
use s3cors_http1::body_length::BodyLength;
use std::borrow::Cow;

const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
const CONTENT_SHA256: &str = "x-amz-content-sha256";
/// The beginning of the digest that a body in `aws-chunked` states.
const STREAMING: &[u8] = b"STREAMING-";
/// The room for the lines of such a body: a sixteenth of its data, and for trailers.
const FRAMING: (u64, u64) = (16, 64 * 1024);
/// Parts of an object that every server knows, whose bodies are small documents.
const DOCUMENTS: [&str; 4] = ["PutObjectAcl", "PutObjectTagging", "PutObjectRetention", "PutObjectLegalHold"];
/// Operations by POST that store no body.
const NO_UPLOADS: [&str; 3] = ["CompleteMultipartUpload", "RestoreObject", "SelectObjectContent"];

/// The decision about an upload by its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange) enum UploadJudgement {
    /// The request is no upload, or under no limit.
    Free,
    /// The body has so many bytes at most.
    Limited(u64),
    /// The fields of the form decide.
    Form,
    /// The upload is refused.
    Refused(UploadRefusal),
}

/// Judges a request.
pub(in crate::exchange) fn judge(
    limits: &UploadLimits,
    head: &impl RequestHead,
    known: &Known,
    address: &Address<'_>,
) -> UploadJudgement {
    let is_post = head.method() == "POST";
    if !is_post && head.method() != "PUT" {
        return UploadJudgement::Free;
    }
    let bucket = match &address.bucket {
        NamedBucket::One(bucket) => &**bucket,
        NamedBucket::Ambiguous => return UploadJudgement::Refused(UploadRefusal::TwoReadings),
        NamedBucket::Service => return UploadJudgement::Free,
    };
    let path = known.host.inner(head.path());
    let key = match (path.strip_prefix('/'), address.is_in_host) {
        (Some(rest), true) => rest,
        (Some(rest), false) => rest.split_once('/').map_or("", |(_, key)| key),
        (None, _) => "",
    };
    let asked = operation(head.method(), scope_of(address, key), head.query(), || known.lines.has_copy_source);
    let asked = asked.filter(|_| is_clear(head.query().unwrap_or_default()));
    let is_limited = || limits.of_bucket(bucket).next().is_some();
    if is_post && states_form(head) && is_limited() {
        // S3 takes a form at the bucket alone; who takes it below a key may store it under another one.
        return if key.is_empty() { UploadJudgement::Form } else { UploadJudgement::Refused(UploadRefusal::Form) };
    }
    if key.is_empty() {
        let is_form = is_post && asked != Some("DeleteObjects") && is_limited();
        return if is_form { UploadJudgement::Form } else { UploadJudgement::Free };
    }
    match limits.of_object(bucket, key) {
        LimitOf::None => UploadJudgement::Free,
        LimitOf::Unclear => UploadJudgement::Refused(UploadRefusal::TwoReadings),
        LimitOf::One(limit) => of_object(limit, head, asked)
            .map_or_else(UploadJudgement::Refused, |most| most.map_or(UploadJudgement::Free, UploadJudgement::Limited)),
    }
}

const fn scope_of(address: &Address<'_>, key: &str) -> Scope {
    match address.resource {
        ResourceType::Object => Scope::Object,
        ResourceType::Bucket if !key.is_empty() => Scope::Object,
        ResourceType::Bucket => Scope::Bucket,
    }
}

/// The most bytes of the body; `None` for as many as it likes.
fn of_object(limit: &UploadLimit, head: &impl RequestHead, asked: Option<&str>) -> Result<Option<u64>, UploadRefusal> {
    if asked.is_some_and(|name| NO_UPLOADS.contains(&name)) || is_copy(head) {
        return Ok(None);
    }
    let query = head.query().unwrap_or_default();
    if let Some(most) = limit.max_parts
        && values(query, "partNumber").any(|value| number(value.as_bytes()).is_none_or(|number| number > most))
    {
        return Err(UploadRefusal::TooManyParts(most));
    }
    let is_part = || asked == Some("UploadPart") && values(query, "partNumber").next().is_some();
    let is_document = asked.is_some_and(|name| DOCUMENTS.contains(&name));
    if !is_document && !is_part() && !types(head).all(|of_line| allows_type(&limit.types, of_line)) {
        return Err(UploadRefusal::Type);
    }
    limit.max_size.map(|most| length(most, head)).transpose()
}

/// Returns true for a copy that every server sees as one: its source has a bucket and a key, and there is nothing to store beside it.
fn is_copy(head: &impl RequestHead) -> bool {
    let has_key =
        |source: &[u8]| source.contains(&b'/') || source.windows(3).any(|escape| escape.eq_ignore_ascii_case(b"%2f"));
    matches!(head.body(), BodyLength::None | BodyLength::Length(0)) && head.value(COPY_SOURCE).is_some_and(has_key)
}

/// The types that a head states: that of each line, and one where there is no line.
fn types(head: &impl RequestHead) -> impl Iterator<Item = Option<&str>> {
    let lines = head.lines().filter(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
    // What is no text is no type.
    let mut stated = lines.map(|(_, value)| Some(str::from_utf8(value).unwrap_or("no text"))).peekable();
    let missing = stated.peek().is_none().then_some(None);
    stated.chain(missing)
}

/// The most bytes of a body for an object of so many bytes at most, as far as its head lets it.
fn length(most: u64, head: &impl RequestHead) -> Result<u64, UploadRefusal> {
    let is_coded =
        head.lines().any(|(name, value)| is(name, CONTENT_SHA256) && value.trim_ascii_start().starts_with(STREAMING));
    let mut stated = head.lines().filter(|(name, _)| is(name, DECODED_LENGTH)).map(|(_, value)| number(value));
    let decoded = match (stated.next(), stated.next()) {
        (None, _) => None,
        (Some(Some(decoded)), None) => Some(decoded),
        _ => return Err(UploadRefusal::Length),
    };
    if decoded.is_some_and(|decoded| decoded > most) {
        return Err(UploadRefusal::TooLarge(most));
    }
    // The server compares what it decodes with what is stated.
    let coded = decoded.filter(|_| is_coded).map(|decoded| decoded + decoded / FRAMING.0 + FRAMING.1);
    let of_body = coded.unwrap_or(most);
    match head.body() {
        BodyLength::Length(length) if length > of_body => Err(UploadRefusal::TooLarge(most)),
        _ => Ok(of_body),
    }
}

fn is(name: &[u8], wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted.as_bytes())
}

fn number(value: &[u8]) -> Option<u64> {
    let text = str::from_utf8(value.trim_ascii()).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Returns true if a request says in one of its lines that it is a form: servers know a form by that, whatever the query asks for.
fn states_form(head: &impl RequestHead) -> bool {
    types(head).flatten().any(|of_line| find(of_line.to_ascii_lowercase().as_bytes(), b"multipart").is_some())
}

/// Returns true if the query names no more than one part of an object or a bucket: of two, each server takes another one.
fn is_clear(query: &str) -> bool {
    parameters(query).filter(|(name, _)| is_sub_resource(name)).nth(1).is_none()
}

/// The values of a parameter, as they came, however its name is encoded.
fn values<'q>(query: &'q str, name: &'static str) -> impl Iterator<Item = &'q str> {
    parameters(query).filter(move |(own, _)| own == name).map(|(_, value)| value)
}

/// The parameters of a query, with their names decoded. Some servers separate them at `;` too.
fn parameters(query: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    query.split(['&', ';']).map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        (percent_decode_str(name).decode_utf8_lossy(), value)
    })
}
