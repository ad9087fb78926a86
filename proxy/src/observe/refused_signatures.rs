//! The latest requests whose signature an upstream refused, or took only in another form than they came in.

use super::denial::{MAX_BUCKET, MAX_METHOD, bounded, timestamp};
use serde::Serialize;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The most that is kept of a host or of a header's name, in bytes.
const MAX_HOST: usize = 254;
/// The most requests that are kept.
const PLACES: usize = 1_000;

/// A request whose signature was refused, as it is kept: long values are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RefusedSignature<Text = Box<str>> {
    /// The proxy's `x-amz-request-id`.
    pub request_id: Text,
    /// The upstream's.
    pub upstream_request_id: Option<Text>,
    /// The time of the response.
    #[serde(serialize_with = "timestamp")]
    pub at: SystemTime,
    /// The label of the bucket's rules.
    pub bucket: Text,
    /// The method.
    pub method: Text,
    /// The cause, as far as the proxy sees it.
    pub cause: &'static str,
    /// The header that the cause is about.
    pub header: Option<Text>,
    /// The host that the client asked for.
    pub client_host: Text,
    /// The host that the upstream was asked for last.
    pub sent_host: Text,
    /// Set if the upstream took the signature under that host, or with a header that was restored.
    pub is_healed: bool,
    /// The advice.
    pub advice: &'static str,
}

impl RefusedSignature<&str> {
    fn kept(&self) -> RefusedSignature {
        let text = |text: &str, most| Box::from(bounded(text.as_bytes(), most).0);
        RefusedSignature {
            request_id: self.request_id.into(),
            upstream_request_id: self.upstream_request_id.map(Into::into),
            at: self.at,
            bucket: text(self.bucket, MAX_BUCKET),
            method: text(self.method, MAX_METHOD),
            cause: self.cause,
            header: self.header.map(|header| text(header, MAX_HOST)),
            client_host: text(self.client_host, MAX_HOST),
            sent_host: text(self.sent_host, MAX_HOST),
            is_healed: self.is_healed,
            advice: self.advice,
        }
    }
}

impl RefusedSignature {
    fn is_called(&self, request_id: &str) -> bool {
        let mut ids = [Some(&self.request_id), self.upstream_request_id.as_ref()].into_iter().flatten();
        ids.any(|id| id.eq_ignore_ascii_case(request_id))
    }
}

/// The latest of them, and the name under which such a request was taken since.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignatureGroup {
    /// The latest request.
    #[serde(flatten)]
    pub latest: RefusedSignature,
    /// The host under which a signature of a request for the same host was taken; `None` where none is known.
    pub worked_as: Option<Box<str>>,
    /// The number of kept requests that are alike.
    pub count: usize,
}

/// The latest refused signatures, at most a fixed number of them.
#[derive(Debug, Default)]
pub struct RefusedSignatures(Mutex<VecDeque<RefusedSignature>>);

impl RefusedSignatures {
    /// Keeps a request, in place of the oldest one if all places are taken.
    pub fn keep(&self, refused: &RefusedSignature<&str>) {
        let kept = refused.kept();
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = if latest.len() < PLACES { None } else { latest.pop_front() };
        latest.push_back(kept);
        drop(latest);
        // Freed without the lock.
        drop(oldest);
    }

    /// The request with this id, the proxy's or the upstream's, if it is still kept.
    #[must_use]
    pub fn find(&self, request_id: &str) -> Option<SignatureGroup> {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = latest.iter().rev().find(|refused| refused.is_called(request_id))?;
        let is_alike = |other: &&RefusedSignature| group(other) == group(found);
        Some(SignatureGroup {
            latest: found.clone(),
            worked_as: worked_as(&latest, found),
            count: latest.iter().filter(is_alike).count(),
        })
    }

    /// Groups the requests that are alike, each with its latest request; the most frequent group first.
    #[must_use]
    pub fn groups(&self) -> Vec<SignatureGroup> {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counts: HashMap<_, (&RefusedSignature, usize)> = HashMap::new();
        for refused in &*latest {
            let (last, count) = counts.entry(group(refused)).or_insert((refused, 0));
            (*last, *count) = (refused, *count + 1);
        }
        let mut groups: Vec<_> = counts
            .into_values()
            .map(|(last, count)| SignatureGroup { latest: last.clone(), worked_as: worked_as(&latest, last), count })
            .collect();
        groups.sort_by_key(|group| (std::cmp::Reverse(group.count), std::cmp::Reverse(group.latest.at)));
        groups
    }
}

/// The values that two requests share if they are alike.
fn group(refused: &RefusedSignature) -> (&str, &str, &str, &str, bool) {
    (&refused.bucket, refused.cause, &refused.client_host, &refused.sent_host, refused.is_healed)
}

/// The name under which a request for the same host was taken last.
fn worked_as(latest: &VecDeque<RefusedSignature>, refused: &RefusedSignature) -> Option<Box<str>> {
    let is_same = |other: &&RefusedSignature| other.is_healed && other.client_host == refused.client_host;
    latest.iter().rev().find(is_same).map(|other| other.sent_host.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(id: &'static str) -> RefusedSignature<&'static str> {
        RefusedSignature {
            request_id: id,
            upstream_request_id: None,
            at: SystemTime::UNIX_EPOCH,
            bucket: "b",
            method: "GET",
            cause: "unknown",
            header: None,
            client_host: "public",
            sent_host: "public",
            is_healed: false,
            advice: "",
        }
    }

    #[test]
    fn a_refusal_is_found_with_the_name_that_worked_since() {
        let signatures = RefusedSignatures::default();
        signatures.keep(&refused("A1"));
        assert_eq!(signatures.find("a1").unwrap().worked_as, None);
        signatures.keep(&RefusedSignature {
            sent_host: "other",
            is_healed: true,
            client_host: "elsewhere",
            ..refused("B2")
        });
        signatures.keep(&RefusedSignature {
            sent_host: "inner",
            is_healed: true,
            cause: "host",
            upstream_request_id: Some("tx-1"),
            ..refused("C3")
        });
        assert_eq!(signatures.find("A1").unwrap().worked_as.as_deref(), Some("inner"));
        assert_eq!(&*signatures.find("TX-1").unwrap().latest.request_id, "C3");
        assert_eq!(signatures.find("D4"), None);
    }

    #[test]
    fn alike_requests_are_counted_together_and_only_the_latest_are_kept() {
        let signatures = RefusedSignatures::default();
        signatures.keep(&RefusedSignature { cause: "expired", ..refused("A1") });
        for _ in 0..PLACES {
            signatures.keep(&refused("B2"));
        }
        assert_eq!(signatures.groups().iter().map(|group| group.count).collect::<Vec<_>>(), [PLACES]);
        assert_eq!(signatures.find("A1"), None);
        let long = "x".repeat(5_000);
        signatures.keep(&RefusedSignature { client_host: &long, ..refused("C3") });
        assert_eq!(signatures.find("C3").unwrap().latest.client_host.len(), MAX_HOST);
    }
}
