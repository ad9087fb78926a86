//! Lines of the HTTP library that operators should not see as they come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tracing::Event;
use tracing::field::Field;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// How often a failure to accept is logged, in seconds: the library tries and logs again every second.
const ACCEPT_INTERVAL: u64 = 60;

/// Decides which lines of the library are written.
pub(super) struct LibraryLines {
    /// Whether lines are shown that are errors to the library alone. A failed TLS handshake is a load balancer that probes the port, or
    /// a scanner; a kept connection that could not be had at once only means that a new one is opened.
    shows_noise: bool,
    /// Connections that could not be accepted.
    accept_failures: Arc<AtomicU64>,
    started: Instant,
    /// The second in which the last such failure was logged, from 1.
    last: AtomicU64,
}

impl LibraryLines {
    pub(super) fn new(shows_noise: bool, accept_failures: Arc<AtomicU64>) -> Self {
        Self { shows_noise, accept_failures, started: Instant::now(), last: AtomicU64::new(0) }
    }

    fn is_shown(&self, message: &str) -> bool {
        if message.starts_with("Downstream handshake") || message == "failed to acquire reusable stream" {
            return self.shows_noise;
        }
        // A head on the admin listener that cannot be read: the line shows it whole, with the token, and no operator has to act on it.
        if message.starts_with("HTTP server fails to read from downstream") {
            return false;
        }
        if message.starts_with("Accept() failed") {
            self.accept_failures.fetch_add(1, Ordering::Relaxed);
            let now = self.started.elapsed().as_secs() + 1;
            let last = self.last.load(Ordering::Relaxed);
            let is_due = last == 0 || now >= last + ACCEPT_INTERVAL;
            return is_due && self.last.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        }
        true
    }
}

impl<S: tracing::Subscriber> Layer<S> for LibraryLines {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        // Libraries that write with the `log` crate all have this target here.
        if event.metadata().target() != "log" {
            return true;
        }
        let mut is_shown = true;
        event.record(&mut |field: &Field, value: &dyn std::fmt::Debug| {
            if field.name() == "message" {
                is_shown = self.is_shown(&format!("{value:?}"));
            }
        });
        is_shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_to_accept_is_counted_each_time_and_logged_once_a_minute() {
        let failures = Arc::default();
        let lines = LibraryLines::new(false, Arc::clone(&failures));
        let shown =
            (0..100).filter(|_| lines.is_shown("Accept() failed  AcceptError cause: Too many open files")).count();
        assert_eq!((shown, failures.load(Ordering::Relaxed)), (1, 100));
        assert!(lines.is_shown("something else"));
    }

    #[test]
    fn a_line_that_shows_a_head_is_never_written() {
        let line =
            "HTTP server fails to read from downstream:  InvalidHTTPHeader context: buf: Authorization: Bearer x";
        assert_eq!([true, false].map(|shown| LibraryLines::new(shown, Arc::default()).is_shown(line)), [false; 2]);
    }

    #[test]
    fn what_no_operator_has_to_act_on_is_for_debugging() {
        for noise in ["Downstream handshake timeout", "failed to acquire reusable stream"] {
            assert_eq!(
                [true, false].map(|shown| LibraryLines::new(shown, Arc::default()).is_shown(noise)),
                [true, false]
            );
        }
    }
}
