//! The JSON of the admin listener.

use super::browser;
use super::denial::{DenialExplained, NotKept};
use super::signature::SignatureExplained;
use super::{Admin, JSON, Page, TEXT, text};
use crate::explain::Question;
use crate::observe::Rejections;
use crate::rules::{Bucket, DocumentOrigin, LiveWarnings, Outcome, Report, SourceError, Store, json_of};
use http::StatusCode;
use s3_cors::RequestKind;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::time::SystemTime;

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Page {
    match serde_json::to_vec_pretty(value) {
        Ok(body) => (status, JSON, body),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// A bucket of `/api/rules`.
#[derive(Serialize)]
struct LiveBucket<'b> {
    bucket: &'b str,
    file: &'b std::path::Path,
    /// The JSON of the AWS CLI, as the engine writes it.
    configuration: Option<Box<RawValue>>,
    warnings: Vec<String>,
}

impl<'b> LiveBucket<'b> {
    fn new(rules: &Store, bucket: &'b Bucket, origin: &'b DocumentOrigin) -> Self {
        Self {
            bucket: &bucket.label,
            file: &origin.path,
            configuration: bucket.configuration().as_ref().map(json_of),
            warnings: rules.warnings(bucket).into_iter().flat_map(LiveWarnings::lines).collect(),
        }
    }
}

/// The live rules, and what in the source is not live because it is not valid.
pub(super) fn rules(rules: &Store) -> Page {
    let live = rules.live();
    let with_origin = live.with_rules().into_iter().filter_map(|bucket| Some((bucket, bucket.origin.as_ref()?)));
    let buckets = with_origin.map(|(bucket, origin)| LiveBucket::new(rules, bucket, origin)).collect();
    #[derive(Serialize)]
    struct Body<'b> {
        path: &'b std::path::Path,
        buckets: Vec<LiveBucket<'b>>,
        errors: Vec<Value>,
    }
    json(StatusCode::OK, &Body { path: rules.path(), buckets, errors: errors(&rules.errors()) })
}

pub(super) fn errors(errors: &[SourceError]) -> Vec<Value> {
    errors.iter().map(|error| json!({ "file": error.path(), "message": error.to_string() })).collect()
}

/// Who is turned away and why, the heaviest first: `bucket=` and `limit=` choose among them.
pub(super) fn rejections(rejections: &Rejections, query: &str) -> Page {
    let asked = parameters(query);
    let bucket = asked.get("bucket").map(AsRef::as_ref);
    let limit = match limit(&asked) {
        Ok(limit) => limit,
        Err(page) => return page,
    };
    let rows =
        rejections.top().into_iter().filter(|row| bucket.is_none_or(|bucket| bucket == &*row.bucket)).take(limit);
    let rows: Vec<_> = rows.collect();
    json(StatusCode::OK, &json!({ "total": rejections.total(bucket), "rejections": rows }))
}

/// RFC 3339, in UTC.
pub(super) fn timestamp(at: SystemTime) -> String {
    humantime::format_rfc3339_millis(at).to_string()
}

/// How many rows are asked for.
pub(super) fn limit(asked: &Parameters<'_>) -> Result<usize, Page> {
    match asked.get("limit").map(|limit| limit.parse()) {
        Some(Ok(limit)) => Ok(limit),
        Some(Err(_)) => Err(text(StatusCode::BAD_REQUEST, "limit= is a number")),
        None => Ok(usize::MAX),
    }
}

pub(super) type Parameters<'q> = HashMap<Cow<'q, str>, Cow<'q, str>>;

/// The parameters of a query; of one that stands twice, the last.
pub(super) fn parameters(query: &str) -> Parameters<'_> {
    url::form_urlencoded::parse(query.as_bytes()).collect()
}

/// What a reload came to: 422 when something in the source is not valid, whatever else was applied. The shadow rules have no part in
/// that: they decide nothing.
pub(super) fn reloaded(live: &Report, shadow: Option<&Report>) -> Page {
    let status = match live.outcome {
        Outcome::Applied | Outcome::Unchanged => StatusCode::OK,
        Outcome::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let mut body = came_to(live);
    if let (Some(shadow), Some(body)) = (shadow, body.as_object_mut()) {
        body.insert("shadow".into(), came_to(shadow));
    }
    json(status, &body)
}

fn came_to(report: &Report) -> Value {
    json!({ "result": report.outcome.as_str(), "changed": report.changed, "errors": errors(&report.errors) })
}

/// Why a request is or is not allowed, by the live rules: one that is described, or one that was denied, by its request id.
pub(super) fn explain(admin: &Admin, query: &str) -> Page {
    let (rules, asked) = (&*admin.rules, parameters(query));
    if let Some(request_id) = asked.get("request_id") {
        return explain_request(admin, request_id.trim(), asked.get("format").is_some_and(|format| format == "text"));
    }
    let (Some(origin), Some(method)) = (asked.get("origin"), asked.get("method")) else {
        return text(
            StatusCode::BAD_REQUEST,
            "give origin= and method=, and where needed bucket= and request_headers=; or request_id=",
        );
    };
    let settings = match browser::settings(query) {
        Ok(settings) => settings,
        Err(error) => return text(StatusCode::BAD_REQUEST, &error),
    };
    let question = Question {
        kind: RequestKind::Preflight,
        bucket: asked.get("bucket").map(AsRef::as_ref),
        origin,
        method,
        request_headers: asked.get("request_headers").map(AsRef::as_ref),
    };
    let live = rules.live();
    match settings.explain(&question, live.bucket(question.bucket), &live) {
        Ok(mut explained) => {
            explained.tell_of_missing_rules(rules);
            explained.tell_of_settings(&admin.settings);
            json(StatusCode::OK, &explained)
        }
        Err(error) => text(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

fn explain_request(admin: &Admin, request_id: &str, as_text: bool) -> Page {
    let page = |explained: &dyn Display| (StatusCode::OK, TEXT, explained.to_string().into_bytes());
    if let Some(denial) = admin.recent_denials.find(request_id) {
        let explained = DenialExplained::new(denial, &admin.rules);
        return if as_text { page(&explained) } else { json(StatusCode::OK, &explained) };
    }
    match admin.refused_signatures.find(request_id).map(SignatureExplained::from) {
        Some(explained) if as_text => page(&explained),
        Some(explained) => json(StatusCode::OK, &explained),
        None => text(StatusCode::NOT_FOUND, &NotKept { places: admin.recent_denials.places() }.to_string()),
    }
}
