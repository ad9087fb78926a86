//! `/api/learn`: the fewest rules that allow what was denied, and nothing else; for a person to read.
//!
//! The latest denials are known in full. Of older ones only their cause is: without the headers that a preflight asked for, no rule
//! allows just that request.

use super::Page;
use super::api::{Parameters, json, limit, parameters};
use super::text;
use crate::explain::{LearnedDocument, LearnedDocuments, RepeatedRequest};
use crate::observe::{Denial, RecentDenials, Rejections, RequestGroup};
use crate::rules::Slot;
use http::StatusCode;
use s3_cors::{Reason, RequestKind};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The most buckets without rules that have a document, unless the query names one: anyone can ask for a bucket that does not exist.
const MAX_WITHOUT_RULES: usize = 100;
/// How many different requests are learned from, the most frequent ones, unless the query says so.
const MAX_REQUESTS: usize = 1_000;

/// The number of different requests of one page that a change is proposed for.
const MAX_REQUESTS_OF_A_PAGE: usize = 20;

/// The rules for the rejections that a query selects: by `bucket=`, `origin=`, `min_count=` and `limit=`. Without a bucket there is a
/// document for each that has rejections.
pub(super) fn learned(rejections: &Rejections, recent: &RecentDenials, query: &str) -> Page {
    let asked = parameters(query);
    let (min_count, limit) = match (min_count(&asked), limit(&asked)) {
        (Ok(min_count), Ok(limit)) => (min_count, limit.min(MAX_REQUESTS)),
        (Err(page), _) | (_, Err(page)) => return page,
    };
    let (bucket, origin) = (asked.get("bucket").map(AsRef::as_ref), asked.get("origin").map(AsRef::as_ref));
    let mut selected = selected(rejections, recent, bucket, origin);
    if let Some(bucket) = bucket {
        selected.entry(bucket.to_owned()).or_default();
    }
    let documents = selected.into_iter().map(|(bucket, mut requests)| {
        requests.retain(|request| request.count >= min_count);
        let identity = |request: &RepeatedRequest| {
            (request.origin.clone(), request.method.clone(), request.request_headers.clone())
        };
        requests.sort_by_cached_key(|request| (Reverse(request.count), identity(request)));
        requests.truncate(limit);
        LearnedDocument::new(bucket, requests)
    });
    let mut documents: Vec<_> = documents.collect();
    match (bucket, documents.pop()) {
        (Some(_), Some(document)) => json(StatusCode::OK, &document),
        (_, last) => {
            documents.extend(last);
            json(StatusCode::OK, &LearnedDocuments { buckets: documents })
        }
    }
}

/// The requests that the pages of an origin were refused in a bucket, as far as they are known in full.
pub(super) fn refused(
    rejections: &Rejections,
    recent: &RecentDenials,
    bucket: &str,
    origin: &str,
) -> Vec<RepeatedRequest> {
    let mut refused = selected(rejections, recent, Some(bucket), Some(origin)).remove(bucket).unwrap_or_default();
    refused.truncate(MAX_REQUESTS_OF_A_PAGE);
    refused
}

fn min_count(asked: &Parameters<'_>) -> Result<u64, Page> {
    let count = asked.get("min_count").map_or(Ok(0), |count| count.parse());
    count.map_err(|_| text(StatusCode::BAD_REQUEST, "min_count= is a number"))
}

/// The denied requests by bucket: the one that is asked for, or else the labels of their rules.
fn selected(
    rejections: &Rejections,
    recent: &RecentDenials,
    bucket: Option<&str>,
    origin: Option<&str>,
) -> BTreeMap<String, Vec<RepeatedRequest>> {
    let is_of_origin = |own: &str| origin.is_none_or(|origin| origin == own);
    let group = |name: &str| bucket.unwrap_or(name).to_owned();
    let is_meant = |denial: &Denial| {
        let is_in_bucket = match bucket {
            Some(bucket) => bucket == &*denial.label || denial.bucket.as_deref() == Some(bucket),
            None => denial.reason != Reason::NoRules || may_have_rules(denial.group()),
        };
        is_in_bucket && !denial.is_ambiguous && is_of_origin(&denial.origin)
    };
    let (mut selected, mut known) = (BTreeMap::<_, Vec<_>>::new(), HashSet::new());
    let mut without_rules = HashMap::<_, u64>::new();
    for (denial, count) in recent.different(is_meant) {
        let name = Box::<str>::from(denial.group());
        known.insert((name.clone(), denial.origin.clone(), denial.method.clone()));
        if denial.reason == Reason::NoRules {
            *without_rules.entry(group(&name)).or_default() += count;
        }
        selected.entry(group(&name)).or_default().push(recent_request(denial, count));
    }
    for row in rejections.top() {
        let is_without_rules = row.reason == Reason::NoRules;
        let is_in_bucket = match bucket {
            Some(bucket) => bucket == &*row.bucket,
            None => !is_without_rules || may_have_rules(&row.bucket),
        };
        let is_known = || known.contains(&(row.bucket.clone(), row.origin.clone(), row.method.clone()));
        if is_in_bucket && is_of_origin(&row.origin) && !is_known() {
            if is_without_rules {
                *without_rules.entry(group(&row.bucket)).or_default() += row.count.saturating_sub(row.error);
            }
            selected.entry(group(&row.bucket)).or_default().push(older_request(row));
        }
    }
    for rare in rarest(without_rules) {
        selected.remove(&rare);
    }
    selected
}

/// Returns true for a name that some server takes for a bucket, and for the requests without one.
fn may_have_rules(name: &str) -> bool {
    Slot::of_bucket(name).is_some() || name == Slot::Service.label()
}

/// The names that are asked for too seldom to have a document.
fn rarest(counts: HashMap<String, u64>) -> impl Iterator<Item = String> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by(|(one, often), (other, oftener)| oftener.cmp(often).then_with(|| one.cmp(other)));
    counts.into_iter().skip(MAX_WITHOUT_RULES).map(|(name, _)| name)
}

fn recent_request(denial: Denial, count: u64) -> RepeatedRequest {
    let why = if denial.is_whole { "" } else { "only its beginning was kept: it is too long" };
    let Denial { origin, method, request_headers, .. } = denial;
    RepeatedRequest { origin, method, request_headers, count, why: why.to_owned() }
}

/// A browser sends no `Access-Control-Request-Headers` with an actual request.
fn older_request(group: RequestGroup) -> RepeatedRequest {
    let is_known = group.kind == RequestKind::Actual;
    let why = if is_known { "" } else { "its headers are no longer known: observe.recent keeps the latest denials" };
    let count = group.count.saturating_sub(group.error);
    let RequestGroup { origin, method, .. } = group;
    RepeatedRequest { origin, method, request_headers: None, count, why: why.to_owned() }
}

#[cfg(test)]
mod tests;
