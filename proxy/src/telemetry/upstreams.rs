//! Responses of each upstream, where there are several, and reads that went on to a fallback.

use super::registry::register;
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The classes of a status, and a response that did not come, or not to its end.
const CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "failed"];

/// The result of a read that was missing at its upstream and went on to the fallback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FallbackResult {
    /// The fallback has the object.
    Found,
    /// The fallback does not have it either.
    Missing,
    /// The fallback refused the request.
    Refused,
    /// The fallback did not respond, or not as it should.
    Failed,
}

names!(FallbackResult: Found = "found", Missing = "missing", Refused = "refused", Failed = "failed");

impl FallbackResult {
    /// The result that a response of the fallback means.
    #[must_use]
    pub const fn of(status: u16) -> Self {
        match status {
            // A condition or a range that does not hold is about an object that is there (RFC 9110 §13.1, §15.5.17).
            200..=399 | 412 | 416 => Self::Found,
            404 => Self::Missing,
            400..=499 => Self::Refused,
            _ => Self::Failed,
        }
    }
}

/// The counters of fallbacks.
pub struct FallbackCounters {
    results: [IntCounter; FallbackResult::ALL.len()],
    /// In seconds since 1970; 0 for never.
    last_found: AtomicU64,
}

/// The counters of one upstream's responses.
#[derive(Clone, Debug)]
pub struct UpstreamResponses([IntCounter; CLASSES.len()]);

/// The family that the counters of all upstreams are in.
pub struct UpstreamCounters {
    responses: IntCounterVec,
    /// Reads that went on to a fallback.
    pub fallbacks: FallbackCounters,
}

impl UpstreamCounters {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let options = Opts::new(
            "s3cors_upstream_responses_total",
            "Responses of each upstream in upstreams, by class of status; failed are those that did not come to an end.",
        );
        let responses = register(registry, IntCounterVec::new(options, &["upstream", "class"])?)?;
        let options = Opts::new(
            "s3cors_fallback_total",
            "Reads of objects that were missing at their upstream and went on to the fallback, by what it has.",
        );
        let family = register(registry, IntCounterVec::new(options, &["result"])?)?;
        let results = FallbackResult::ALL.map(|result| family.with_label_values(&[result.as_str()]));
        Ok(Self { responses, fallbacks: FallbackCounters { results, last_found: AtomicU64::new(0) } })
    }

    /// The counters of the upstream with this name, each at 0.
    #[must_use]
    pub fn responses_of(&self, name: &str) -> UpstreamResponses {
        UpstreamResponses(CLASSES.map(|class| self.responses.with_label_values(&[name, class])))
    }
}

impl UpstreamResponses {
    /// Counts a response with this status; `None` where it failed.
    pub fn count(&self, status: Option<u16>) {
        let class = status.map_or(CLASSES.len() - 1, |status| usize::from(status / 100).saturating_sub(2).min(3));
        if let Some(counter) = self.0.get(class) {
            counter.inc();
        }
    }
}

impl FallbackCounters {
    /// Counts a read.
    pub fn count(&self, result: FallbackResult) {
        if let Some(counter) = self.results.get(result as usize) {
            counter.inc();
        }
        if result == FallbackResult::Found {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.last_found.store(now.as_secs(), Ordering::Relaxed);
        }
    }

    /// The number of reads with this result.
    #[must_use]
    pub fn get(&self, result: FallbackResult) -> u64 {
        self.results.get(result as usize).map_or(0, IntCounter::get)
    }

    /// The moment of the last read that the fallback had the object of, to the second.
    #[must_use]
    pub fn last_found(&self) -> Option<SystemTime> {
        let seconds = self.last_found.load(Ordering::Relaxed);
        (seconds > 0).then(|| UNIX_EPOCH + Duration::from_secs(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_of_the_fallback_means_one_result() {
        for (status, result) in [
            (200, FallbackResult::Found),
            (206, FallbackResult::Found),
            (304, FallbackResult::Found),
            (412, FallbackResult::Found),
            (416, FallbackResult::Found),
            (404, FallbackResult::Missing),
            (403, FallbackResult::Refused),
            (400, FallbackResult::Refused),
            (503, FallbackResult::Failed),
            (999, FallbackResult::Failed),
        ] {
            assert_eq!(FallbackResult::of(status), result, "{status}");
        }
    }

    #[test]
    fn each_class_of_an_upstream_is_there_and_counted_alone() {
        let registry = Registry::new();
        let counters = UpstreamCounters::new(&registry).unwrap();
        let (old, new) = (counters.responses_of("old"), counters.responses_of("new"));
        for status in [Some(200), Some(206), Some(304), Some(404), Some(503), Some(100), Some(999), None] {
            old.count(status);
        }
        let values = |responses: &UpstreamResponses| responses.0.iter().map(IntCounter::get).collect::<Vec<_>>();
        assert_eq!((values(&old), values(&new)), (vec![3, 1, 1, 2, 1], vec![0; 5]));
        assert_eq!(registry.gather()[1].get_metric().len(), 10);
    }

    #[test]
    fn the_last_object_that_a_fallback_had_is_known() {
        let counters = UpstreamCounters::new(&Registry::new()).unwrap().fallbacks;
        counters.count(FallbackResult::Missing);
        assert_eq!((counters.last_found(), counters.get(FallbackResult::Missing)), (None, 1));
        counters.count(FallbackResult::Found);
        assert!(counters.last_found().is_some_and(|last| last.elapsed().unwrap() < Duration::from_secs(60)));
    }
}
