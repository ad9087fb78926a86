//! Requests, bytes, times and upstream errors. Every label comes from a closed set.

use super::registry::register;
use prometheus::core::Metric as _;
use prometheus::proto::Bucket;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry, exponential_buckets,
};
use std::sync::OnceLock;
use std::time::Duration;

/// The methods that have a label of their own; every other one is `other`.
const METHODS: [&str; 8] = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "other"];
const OTHER_METHOD: usize = METHODS.len() - 1;
/// The upper bounds of the buckets of durations, in seconds: from a millisecond to the minutes that a large upload takes.
pub const DURATION_BOUNDS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
/// Status codes that have a label of their own: 100 to 599 (RFC 9110 §15).
const FIRST_CODE: u16 = 100;
const CODES: usize = 500;

/// Why an upstream gave no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpstreamErrorKind {
    /// No connection.
    Connect,
    /// No TLS.
    Tls,
    /// No response in time.
    Timeout,
    /// The connection broke.
    Reset,
    /// No address.
    Resolve,
    /// Anything else, such as a response that is not HTTP.
    Other,
}

names! {
    UpstreamErrorKind: Connect = "connect", Tls = "tls", Timeout = "timeout", Reset = "reset", Resolve = "resolve",
    Other = "other",
}

/// What came of a presigned HEAD that was asked again as GET.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByGet {
    /// The client got the headers of the response to GET.
    Answered,
    /// GET was rejected, too: the client got the response to HEAD.
    Rejected,
    /// No response came.
    Failed,
}

names!(ByGet: Answered = "answered", Rejected = "rejected", Failed = "failed");

/// The counters of requests. A request finds its counters by index, not by label.
pub struct HttpCounters {
    requests: IntCounterVec,
    by_method_and_code: Box<[OnceLock<IntCounter>]>,
    duration: [Histogram; METHODS.len()],
    upstream: [Histogram; METHODS.len()],
    upstream_wait: Histogram,
    /// Time to answer a preflight.
    pub preflight: Histogram,
    request_bytes: IntCounter,
    response_bytes: IntCounter,
    upstream_errors: [IntCounter; UpstreamErrorKind::ALL.len()],
    presigned_heads: [IntCounter; ByGet::ALL.len()],
}

/// A request that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    /// Its method.
    pub method: &'a str,
    /// The status that the client saw, 499 when it had gone before that.
    pub code: u16,
    /// From the end of the request's head to the end of the response.
    pub duration: Duration,
    /// Body bytes from the client.
    pub request_bytes: usize,
    /// Body bytes to the client.
    pub response_bytes: usize,
    /// From sending the request to the upstream to the head of its response.
    pub upstream: Option<Duration>,
}

impl HttpCounters {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name, help| register(registry, IntCounter::new(name, help)?);
        let requests = register(
            registry,
            IntCounterVec::new(
                Opts::new("s3cors_http_requests_total", "Requests by method and status; 499 when the client had gone."),
                &["method", "code"],
            )?,
        )?;
        let errors = register(
            registry,
            IntCounterVec::new(
                Opts::new("s3cors_upstream_errors_total", "Requests that failed at an upstream, by kind of failure."),
                &["kind"],
            )?,
        )?;
        let presigned_heads = register(
            registry,
            IntCounterVec::new(
                Opts::new(
                    "s3cors_presigned_heads_total",
                    "Presigned HEADs that were asked again as GET, by what came of it.",
                ),
                &["result"],
            )?,
        )?;
        Ok(Self {
            requests,
            by_method_and_code: (0..METHODS.len() * CODES).map(|_| OnceLock::new()).collect(),
            duration: by_method(
                registry,
                "s3cors_http_request_duration_seconds",
                "Time from a request's head to the end of its answer.",
            )?,
            upstream: by_method(
                registry,
                "s3cors_upstream_response_seconds",
                "Time from sending a request to an upstream to the head of its answer.",
            )?,
            upstream_wait: register(
                registry,
                Histogram::with_opts(
                    HistogramOpts::new(
                        "s3cors_upstream_wait_seconds",
                        "Time that requests waited because limits.upstream_connections was reached; others are not counted.",
                    )
                    .buckets(exponential_buckets(0.001, 4.0, 8)?),
                )?,
            )?,
            preflight: register(
                registry,
                Histogram::with_opts(
                    HistogramOpts::new("s3cors_preflight_duration_seconds", "Time to answer a preflight.")
                        .buckets(exponential_buckets(0.000_01, 4.0, 9)?),
                )?,
            )?,
            request_bytes: counter("s3cors_http_request_bytes_total", "Body bytes received from clients.")?,
            response_bytes: counter("s3cors_http_response_bytes_total", "Body bytes sent to clients.")?,
            upstream_errors: UpstreamErrorKind::ALL.map(|kind| errors.with_label_values(&[kind.as_str()])),
            presigned_heads: ByGet::ALL.map(|result| presigned_heads.with_label_values(&[result.as_str()])),
        })
    }

    /// Counts a request that has ended.
    pub fn served(&self, served: &Served<'_>) {
        let method = METHODS.iter().position(|name| *name == served.method).unwrap_or(OTHER_METHOD);
        if let Some(requests) = self.requests(method, served.code) {
            requests.inc();
        }
        if let Some(duration) = self.duration.get(method) {
            duration.observe(served.duration.as_secs_f64());
        }
        if let (Some(histogram), Some(duration)) = (self.upstream.get(method), served.upstream) {
            histogram.observe(duration.as_secs_f64());
        }
        // To add nothing costs as much as to add, and most requests have no body.
        let bytes = [(&self.request_bytes, served.request_bytes), (&self.response_bytes, served.response_bytes)];
        bytes.into_iter().filter(|(_, count)| *count > 0).for_each(|(counter, count)| counter.inc_by(count as u64));
    }

    /// Counts a request that waited for a connection to an upstream.
    pub fn waited_for_upstream(&self, waited: Duration) {
        self.upstream_wait.observe(waited.as_secs_f64());
    }

    /// Counts a failure of an upstream.
    pub fn upstream_error(&self, kind: UpstreamErrorKind) {
        if let Some(counter) = self.upstream_errors.get(kind as usize) {
            counter.inc();
        }
    }

    /// Counts a presigned HEAD that was asked again as GET.
    pub fn presigned_head(&self, result: ByGet) {
        if let Some(counter) = self.presigned_heads.get(result as usize) {
            counter.inc();
        }
    }

    /// Returns how many requests took how long, all methods together: a number for each of [`DURATION_BOUNDS`] and one for what took
    /// longer. For people to read, no decision does.
    #[must_use]
    pub fn durations(&self) -> Vec<u64> {
        let mut counts = vec![0; DURATION_BOUNDS.len() + 1];
        for histogram in &self.duration {
            let read = histogram.metric();
            let read = read.get_histogram();
            let cumulative = read.get_bucket().iter().map(Bucket::cumulative_count);
            let mut shorter = 0;
            for (count, up_to) in counts.iter_mut().zip(cumulative.chain([read.get_sample_count()])) {
                *count += up_to.saturating_sub(shorter);
                shorter = up_to;
            }
        }
        counts
    }

    /// The counter for a method and a status, made when the pair is first seen: 4,000 of them can be, few ever are.
    fn requests(&self, method: usize, code: u16) -> Option<&IntCounter> {
        let code_index = usize::from(code.checked_sub(FIRST_CODE)?);
        let slot = (code_index < CODES).then(|| self.by_method_and_code.get(method * CODES + code_index)).flatten()?;
        let name = METHODS.get(method)?;
        Some(slot.get_or_init(|| self.requests.with_label_values(&[*name, &code.to_string()])))
    }
}

/// A histogram for each method.
fn by_method(registry: &Registry, name: &str, help: &str) -> prometheus::Result<[Histogram; METHODS.len()]> {
    let family = HistogramVec::new(HistogramOpts::new(name, help).buckets(DURATION_BOUNDS.to_vec()), &["method"])?;
    let family = register(registry, family)?;
    Ok(METHODS.map(|method| family.with_label_values(&[method])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_by_bucket_for_all_methods_together() {
        let counters = HttpCounters::new(&Registry::new()).unwrap();
        assert_eq!(counters.durations(), vec![0; DURATION_BOUNDS.len() + 1]);
        for (method, milliseconds) in [("GET", 1), ("PUT", 1), ("GET", 3), ("PATCHED", 400_000)] {
            let duration = Duration::from_millis(milliseconds);
            let (code, upstream) = (200, None);
            counters.served(&Served { method, code, duration, request_bytes: 0, response_bytes: 0, upstream });
        }
        let seen: Vec<_> = counters.durations().into_iter().enumerate().filter(|(_, count)| *count > 0).collect();
        assert_eq!(seen, [(0, 2), (2, 1), (DURATION_BOUNDS.len(), 1)]);
    }
}
