//! Requests with the same cause, counted together: a row of a bounded table.

use super::denial::{Denied, MAX_DETAIL, MAX_METHOD, MAX_ORIGIN, bounded, name, timestamp};
use super::heavy_hitters::{HeavyHitters, Held};
use s3_cors::{Reason, RequestKind};
use serde::Serialize;
use std::time::SystemTime;

/// How many groups a table tells apart.
pub(super) const PLACES: usize = 1_000;

/// Requests with the same cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestGroup {
    /// The bucket's label; of one without rules, its name.
    pub bucket: Box<str>,
    /// The origin; empty where there was none that a browser could have sent.
    pub origin: Box<str>,
    /// The kind of the requests to CORS.
    #[serde(serialize_with = "name")]
    pub kind: RequestKind,
    /// The method that the rules were asked about.
    pub method: Box<str>,
    /// Which clause denies them; [`Reason::None`] if none does.
    #[serde(serialize_with = "name")]
    pub reason: Reason,
    /// The value that the clause refuses, or the header of the grant that would be another.
    pub detail: Option<Box<str>>,
    /// How often they came, at most.
    pub count: u64,
    /// By how much `count` can be too high.
    pub error: u64,
    /// When the group was first counted by itself.
    #[serde(serialize_with = "timestamp")]
    pub first_seen: SystemTime,
    /// When the last one came.
    #[serde(serialize_with = "timestamp")]
    pub last_seen: SystemTime,
    /// The request id of the last one.
    pub request_id: String,
}

/// A request of a group, as it came.
#[derive(Clone, Copy, Debug)]
pub struct GroupedRequest<'r> {
    /// When.
    pub at: SystemTime,
    /// The `x-amz-request-id` of its response.
    pub request_id: &'r str,
    /// The bucket's label.
    pub label: &'r str,
    /// The request's kind to CORS.
    pub kind: RequestKind,
    /// The Origin; empty for a request without one.
    pub origin: &'r [u8],
    /// The method that the rules are asked about.
    pub method: &'r [u8],
    /// Which clause denies it; [`Reason::None`] if none does.
    pub reason: Reason,
    /// The value that the clause refuses, or the first header of the grant that would be another.
    pub detail: Option<&'r str>,
}

/// A table of the heaviest groups, each with what else tells it apart.
pub(super) type Groups<More> = HeavyHitters<(RequestGroup, More)>;

impl GroupedRequest<'_> {
    /// Counts it in its group. `parts` are those of the key that are the table's own, none with a 0 byte in it.
    pub(super) fn count_in<More>(&self, groups: &mut Groups<More>, parts: [&str; 2], more: impl FnOnce() -> More) {
        let origin = presentable_origin(self.origin);
        let (method, _) = bounded(self.method, MAX_METHOD);
        let (detail, _) = bounded(self.detail.unwrap_or_default().as_bytes(), MAX_DETAIL);
        let [first, second] = parts;
        let key = [self.label, origin, self.kind.as_str(), &method, self.reason.as_str(), first, second, &detail];
        let new = || RequestGroup {
            bucket: self.label.into(),
            origin: origin.into(),
            kind: self.kind,
            method: (*method).into(),
            reason: self.reason,
            detail: self.detail.map(|_| (*detail).into()),
            count: 0,
            error: 0,
            first_seen: self.at,
            last_seen: self.at,
            request_id: String::new(),
        };
        if let Some((group, _)) = groups.count(&key, || (new(), more())).held {
            group.last_seen = self.at;
            group.request_id.clear();
            group.request_id.push_str(self.request_id);
        }
    }
}

impl<'d> From<&'d Denied<'d>> for GroupedRequest<'d> {
    fn from(denied: &'d Denied<'d>) -> Self {
        let label = denied.group();
        let Denied { at, request_id, kind, origin, method, reason, detail, .. } = *denied;
        Self { at, request_id, label, kind, origin, method, reason, detail }
    }
}

impl RequestGroup {
    /// The group with its counts, which the table keeps.
    pub(super) fn of<More>(held: &Held<(Self, More)>) -> Self {
        Self { count: held.count, error: held.error, ..held.value.0.clone() }
    }
}

/// An origin that a browser could have sent; empty for any other.
pub(super) fn presentable_origin(origin: &[u8]) -> &str {
    let is_sent = origin.len() <= MAX_ORIGIN && origin.iter().all(u8::is_ascii_graphic);
    if is_sent { str::from_utf8(origin).unwrap_or_default() } else { "" }
}
