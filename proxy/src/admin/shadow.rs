//! `/api/shadow`: what the shadow rules would decide otherwise.

use super::Page;
use super::api::{errors, json, limit, parameters, timestamp};
use super::text;
use crate::observe::{ByDirection, Direction, ShadowDecisions};
use crate::rules::ShadowRules;
use http::StatusCode;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The candidate set, and what it would decide otherwise.
pub struct Shadow {
    /// The rules.
    pub rules: Arc<ShadowRules>,
    /// What they would decide otherwise.
    pub decisions: Arc<ShadowDecisions>,
}

/// The changes, the heaviest first: `bucket=` and `limit=` choose among them.
pub(super) fn changes(shadow: Option<&Shadow>, query: &str) -> Page {
    let Some(shadow) = shadow else {
        return text(StatusCode::NOT_FOUND, "there are no shadow rules: rules.shadow names them in the configuration");
    };
    let asked = parameters(query);
    let limit = match limit(&asked) {
        Ok(limit) => limit,
        Err(page) => return page,
    };
    let is_meant = |bucket: &str| asked.get("bucket").is_none_or(|meant| meant == bucket);
    let report = shadow.decisions.report();
    let buckets = report.buckets.iter().filter(|(bucket, _)| is_meant(bucket));
    let changes = report.changes.iter().filter(|change| is_meant(&change.requests.bucket)).take(limit);
    json(
        StatusCode::OK,
        &json!({
            "path": shadow.rules.store().path(),
            "since": timestamp(report.since),
            "compared": report.compared,
            "errors": errors(&shadow.rules.store().errors()),
            "buckets": buckets.map(in_bucket).collect::<Vec<_>>(),
            "changes": changes.collect::<Vec<_>>(),
        }),
    )
}

fn in_bucket((bucket, counts): &(Box<str>, ByDirection)) -> Value {
    let counts = Direction::ALL
        .into_iter()
        .zip(counts)
        .map(|(direction, count)| (direction.as_str().to_owned(), (*count).into()));
    let mut object = Map::from_iter([("bucket".to_owned(), (**bucket).into())]);
    object.extend(counts);
    object.into()
}
