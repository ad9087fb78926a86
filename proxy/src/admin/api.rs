//! The JSON of the admin listener.

use super::{JSON, Page, text};
use crate::observe::Rejections;
use crate::rules::explanation::{Question, explain_request};
use crate::rules::{Bucket, DocumentOrigin, Outcome, Report, SourceError, Store};
use http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashMap;

fn json(status: StatusCode, value: &impl Serialize) -> Page {
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
    configuration: &'b RawValue,
    warnings: Vec<String>,
}

impl<'b> LiveBucket<'b> {
    fn new(bucket: &'b Bucket, origin: &'b DocumentOrigin) -> Self {
        Self {
            bucket: &bucket.label,
            file: &origin.path,
            configuration: &origin.configuration,
            warnings: origin.warnings.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The live rules, and what in the source is not live because it is not valid.
pub(super) fn rules(rules: &Store) -> Page {
    let live = rules.live();
    let with_origin = live.with_rules().into_iter().filter_map(|bucket| Some((bucket, bucket.origin.as_ref()?)));
    let buckets = with_origin.map(|(bucket, origin)| LiveBucket::new(bucket, origin)).collect();
    #[derive(Serialize)]
    struct Body<'b> {
        path: &'b std::path::Path,
        buckets: Vec<LiveBucket<'b>>,
        errors: Vec<Value>,
    }
    json(StatusCode::OK, &Body { path: rules.path(), buckets, errors: errors(&rules.errors()) })
}

fn errors(errors: &[SourceError]) -> Vec<Value> {
    errors.iter().map(|error| json!({ "file": error.path(), "message": error.to_string() })).collect()
}

/// Who is turned away, most often first.
pub(super) fn rejections(rejections: &Rejections) -> Page {
    let rows = rejections.top();
    let rows = rows.iter().map(|row| json!({ "bucket": row.bucket, "origin": row.origin, "count": row.count }));
    json(StatusCode::OK, &json!({ "rejections": rows.collect::<Vec<_>>() }))
}

/// What a reload came to: 422 when something in the source is not valid, whatever else was applied.
pub(super) fn reloaded(report: &Report) -> Page {
    let status = match report.outcome {
        Outcome::Applied | Outcome::Unchanged => StatusCode::OK,
        Outcome::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
    };
    json(
        status,
        &json!({ "result": report.outcome.as_str(), "changed": report.changed, "errors": errors(&report.errors) }),
    )
}

/// Why a request is or is not allowed, by the live rules.
pub(super) fn explain(rules: &Store, query: &str) -> Page {
    let asked: HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let (Some(origin), Some(method)) = (asked.get("origin"), asked.get("method")) else {
        return text(
            StatusCode::BAD_REQUEST,
            "give origin= and method=, and where needed bucket= and request_headers=",
        );
    };
    let question = Question {
        bucket: asked.get("bucket").map(AsRef::as_ref),
        origin,
        method,
        request_headers: asked.get("request_headers").map(AsRef::as_ref),
    };
    let live = rules.live();
    match explain_request(live.bucket(question.bucket).rules.as_ref(), &question) {
        Ok(explained) => json(StatusCode::OK, &explained),
        Err(error) => text(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}
