//! The JSON of the admin listener.

use super::{JSON, Page, text};
use crate::explanation::{Question, answer};
use crate::rules::{Outcome, Report};
use crate::telemetry::{Metrics, Rules};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::HashMap;

fn json(status: StatusCode, value: &impl Serialize) -> Page {
    match serde_json::to_vec_pretty(value) {
        Ok(body) => (status, JSON, body),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// The live rules, and what on disk is not live because it is not valid.
pub(super) fn rules(rules: &Rules) -> Page {
    let live = rules.live();
    let buckets: Vec<_> = live
        .with_rules()
        .into_iter()
        .filter_map(|bucket| {
            let source = bucket.source.as_ref()?;
            let warnings: Vec<_> = source.warnings.iter().map(ToString::to_string).collect();
            let document = source.configuration.to_json().ok()?;
            let document: Value = serde_json::from_str(&document).ok()?;
            Some(json!({
                "bucket": bucket.label,
                "file": source.path,
                "configuration": document,
                "warnings": warnings,
            }))
        })
        .collect();
    json(StatusCode::OK, &json!({ "path": rules.path(), "buckets": buckets, "errors": errors(&rules.errors()) }))
}

fn errors(errors: &[crate::rules::FileError]) -> Vec<Value> {
    errors.iter().map(|error| json!({ "file": error.path(), "message": error.to_string() })).collect()
}

/// Who is turned away, most often first.
pub(super) fn rejections(metrics: &Metrics) -> Page {
    let rows = metrics.rejected_origins();
    let rows =
        rows.into_iter().map(|(bucket, origin, count)| json!({ "bucket": bucket, "origin": origin, "count": count }));
    json(StatusCode::OK, &json!({ "rejections": rows.collect::<Vec<_>>() }))
}

/// What came of a reload: 422 when something on disk is not valid, whatever else was applied.
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
pub(super) fn explain(rules: &Rules, query: &str) -> Page {
    let asked: HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).collect();
    let (Some(origin), Some(method)) = (asked.get("origin"), asked.get("method")) else {
        return text(StatusCode::BAD_REQUEST, "say origin= and method=, and where needed bucket= and request_headers=");
    };
    let question = Question {
        bucket: asked.get("bucket").map(AsRef::as_ref),
        origin,
        method,
        request_headers: asked.get("request_headers").map(AsRef::as_ref),
    };
    let live = rules.live();
    match answer(live.bucket(question.bucket).rules.as_ref(), &question) {
        Ok(explained) => json(StatusCode::OK, &explained),
        Err(error) => text(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}
