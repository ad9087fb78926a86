//! `/api/learn`: the fewest rules that allow what was denied, and nothing else; for a person to read.
//!
//! The latest denials are known in full. Of older ones only their cause is: without the headers that a preflight asked for, no rule
//! allows just that request.

use super::Page;
use super::api::{Parameters, json, limit, parameters};
use super::text;
use crate::observe::{Denial, RecentDenials, Rejections, RequestGroup};
use http::StatusCode;
use s3_cors::{
    CorsConfiguration, Document, Format, MAX_DOCUMENT_LENGTH, MAX_RULES, Reason, RequestKind, Wanted, smallest_rules,
};
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// How many different requests are learned from, the most frequent ones, unless the query says so.
const MAX_REQUESTS: usize = 1_000;

/// A request that was denied, as often as it is known to have come.
#[derive(Debug, Serialize)]
struct Asked {
    origin: Box<str>,
    method: Box<str>,
    request_headers: Option<Box<str>>,
    count: u64,
    /// Why no rule can allow just it; empty while it may be allowed.
    why: String,
}

/// What is learned for one document.
#[derive(Debug, Serialize)]
struct Learned {
    bucket: String,
    /// How many different requests the rules allow.
    requests: usize,
    configuration: Option<CorsConfiguration>,
    xml: Option<String>,
    warnings: Vec<String>,
    skipped: Vec<Asked>,
}

/// The rules for the rejections that a query selects: by `bucket=`, `origin=`, `min_count=` and `limit=`. Without a bucket there is a
/// document for each that has rules and rejections.
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
        requests.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.named().cmp(&other.named())));
        requests.truncate(limit);
        Learned::from(bucket, requests)
    });
    let mut documents: Vec<_> = documents.collect();
    match (bucket, documents.pop()) {
        (Some(_), Some(document)) => json(StatusCode::OK, &document),
        (_, last) => {
            documents.extend(last);
            json(StatusCode::OK, &BTreeMap::from([("buckets", documents)]))
        }
    }
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
) -> BTreeMap<String, Vec<Asked>> {
    let is_of_origin = |own: &str| origin.is_none_or(|origin| origin == own);
    let group = |label: &str| bucket.unwrap_or(label).to_owned();
    let is_meant = |denial: &Denial| {
        let is_in_bucket = match bucket {
            Some(bucket) => bucket == &*denial.label || denial.bucket.as_deref() == Some(bucket),
            // Anyone can ask for a bucket that has no rules: each would be a document here.
            None => denial.reason != Reason::NoRules,
        };
        is_in_bucket && !denial.is_ambiguous && is_of_origin(&denial.origin)
    };
    let (mut selected, mut known) = (BTreeMap::<_, Vec<_>>::new(), HashSet::new());
    for (denial, count) in recent.different(is_meant) {
        known.insert((denial.label.clone(), denial.origin.clone(), denial.method.clone()));
        selected.entry(group(&denial.label)).or_default().push(Asked::recent(denial, count));
    }
    for row in rejections.top() {
        let is_meant = bucket.is_none_or(|bucket| bucket == &*row.bucket) && is_of_origin(&row.origin);
        if is_meant && !known.contains(&(row.bucket.clone(), row.origin.clone(), row.method.clone())) {
            selected.entry(group(&row.bucket)).or_default().push(Asked::older(row));
        }
    }
    selected
}

impl Asked {
    fn recent(denial: Denial, count: u64) -> Self {
        let why = if denial.is_whole { "" } else { "only its beginning was kept: it is too long" };
        let Denial { origin, method, request_headers, .. } = denial;
        Self { origin, method, request_headers, count, why: why.to_owned() }
    }

    /// A browser sends no `Access-Control-Request-Headers` with an actual request.
    fn older(row: RequestGroup) -> Self {
        let is_known = row.kind == RequestKind::Actual;
        let why =
            if is_known { "" } else { "its headers are no longer known: observe.recent keeps the latest denials" };
        let count = row.count.saturating_sub(row.error);
        Self { origin: row.origin, method: row.method, request_headers: None, count, why: why.to_owned() }
    }

    /// What tells it from others.
    fn named(&self) -> impl Ord {
        (&self.origin, &self.method, &self.request_headers)
    }

    /// The request to allow; or the request with the reason why it cannot be.
    fn wanted(self) -> Result<(Self, Wanted), Self> {
        if !self.why.is_empty() {
            return Err(self);
        }
        match Wanted::new(&self.origin, &self.method, self.request_headers.as_deref()) {
            Ok(wanted) => Ok((self, wanted)),
            Err(error) => Err(self.skipped(&error)),
        }
    }

    fn skipped(self, why: &impl ToString) -> Self {
        Self { why: why.to_string(), ..self }
    }
}

impl Learned {
    /// The rules for these requests, the most frequent ones first: those that have no room in a document are skipped.
    fn from(bucket: String, requests: Vec<Asked>) -> Self {
        let (mut allowed, mut wanted, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
        for request in requests {
            match request.wanted() {
                Ok((request, wants)) => {
                    allowed.push(request);
                    wanted.push(wants);
                }
                Err(request) => skipped.push(request),
            }
        }
        let mut document = None;
        while document.is_none() && !wanted.is_empty() {
            document = written(&wanted);
            if document.is_none() {
                wanted.truncate(wanted.len() * 3 / 4);
            }
        }
        let no_room = format!("no room: a document has at most {MAX_RULES} rules and {MAX_DOCUMENT_LENGTH} bytes");
        skipped.extend(allowed.drain(wanted.len()..).map(|request| request.skipped(&no_room)));
        let (xml, document) = document.unzip();
        Self {
            bucket,
            requests: allowed.len(),
            warnings: document.iter().flat_map(Document::warnings).map(|warning| warning.to_string()).collect(),
            configuration: document.map(Document::into_configuration),
            xml,
            skipped,
        }
    }
}

/// The document for these requests, read again, so that it is one that S3 accepts; `None` where it is none.
fn written(wanted: &[Wanted]) -> Option<(String, Document)> {
    let xml = CorsConfiguration::new(smallest_rules(wanted)).ok()?.to_xml().ok()?;
    let document = Document::parse(xml.as_bytes(), Format::Xml).ok()?;
    Some((xml, document))
}

#[cfg(test)]
mod tests;
