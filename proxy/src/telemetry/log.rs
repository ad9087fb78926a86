//! The log: one line an event on stdout, and what must never be in it.
//!
//! Lines go through a bounded queue to a thread of their own: a reader that stalls costs lines, not requests.

use crate::config::{Log, LogFormat, LogLevel};
use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};
use tracing::Event;
use tracing::field::Field;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::{self, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Lines that wait for a reader that stalls, before further ones are lost. The queue's memory is taken at once.
const QUEUED_LINES: usize = 8192;

/// Writes what is still queued; must outlive everything that logs.
pub struct LogGuard(Mutex<Option<WorkerGuard>>);

impl LogGuard {
    /// Writes what is queued; nothing that is logged after it appears.
    pub fn flush(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Starts the log of the process.
///
/// Below `info` the library that serves HTTP prints whole heads, `Authorization` included, and above it the raw request line with
/// the signature of a presigned URL; so its targets never go below `warn`, whatever is asked for.
#[must_use]
pub fn start(log: &Log) -> LogGuard {
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(QUEUED_LINES).finish(std::io::stdout());
    let filter = EnvFilter::new(directives(log.level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_timer(SystemTime);
    let handshakes = Handshakes { shown: log.level == LogLevel::Debug };
    // A second start in one process (tests) keeps the first log.
    let _ = match log.format {
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_current_span(false).with_span_list(false);
            builder.finish().with(handshakes).try_init()
        }
        LogFormat::Text => builder.with_ansi(false).finish().with(handshakes).try_init(),
    };
    LogGuard(Mutex::new(Some(guard)))
}

/// The library's line about a TLS handshake that failed, an error to it. To an operator it is a load balancer that looks whether
/// the port is open, or a scanner: shown only where everything is.
struct Handshakes {
    shown: bool,
}

impl<S: tracing::Subscriber> Layer<S> for Handshakes {
    fn event_enabled(&self, event: &Event<'_>, _: layer::Context<'_, S>) -> bool {
        // Lines of libraries that write with `log` all have this target here.
        if self.shown || event.metadata().target() != "log" {
            return true;
        }
        let mut is_handshake = false;
        event.record(&mut |field: &Field, value: &dyn std::fmt::Debug| {
            is_handshake |= field.name() == "message" && format!("{value:?}").starts_with("Downstream handshake");
        });
        !is_handshake
    }
}

fn directives(level: LogLevel) -> String {
    let (ours, library) = match level {
        LogLevel::Error => ("error", "error"),
        LogLevel::Warn => ("warn", "warn"),
        LogLevel::Info => ("info", "warn"),
        LogLevel::Debug => ("debug", "warn"),
    };
    format!("{library},s3cors={ours},s3cors_proxy={ours},access={ours}")
}

/// The longest value from a request that is logged, in characters.
const MAX_LOGGED: usize = 256;

/// A value from a request, made fit for a log: bounded, and printable ASCII only.
#[must_use]
pub fn printable(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.len() <= MAX_LOGGED && bytes.iter().all(|byte| matches!(byte, b' '..=b'~')) => text.into(),
        _ => {
            let cut = bytes.get(..MAX_LOGGED).unwrap_or(bytes);
            let ellipsis = if cut.len() < bytes.len() { "…" } else { "" };
            format!("{}{ellipsis}", cut.escape_ascii()).into()
        }
    }
}

/// One request, as the access line shows it. There is no place for a query or for a header other than Origin.
#[derive(Debug)]
pub struct Access<'a> {
    /// Names the request in answers and logs.
    pub request_id: &'a str,
    /// The client's address.
    pub client: &'a str,
    /// The method.
    pub method: &'a str,
    /// The bucket's label.
    pub bucket: &'a str,
    /// The path without the query.
    pub path: &'a str,
    /// The status that the client saw.
    pub status: u16,
    /// Body bytes to the client.
    pub bytes: usize,
    /// Seconds from the request's head to the end of the answer.
    pub duration: f64,
    /// Seconds to the head of the upstream's answer.
    pub upstream_time: Option<f64>,
    /// The Origin, fit for a log.
    pub origin: Option<&'a str>,
    /// What CORS decided.
    pub cors: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
    /// The rule that granted.
    pub rule: Option<&'a str>,
}

impl Access<'_> {
    /// Whether anybody wants the line: asked before it is made.
    #[must_use]
    pub fn wanted() -> bool {
        tracing::enabled!(target: "access", tracing::Level::INFO)
    }

    /// Writes the line.
    pub fn write(&self) {
        tracing::info!(
            target: "access",
            request_id = self.request_id,
            client = self.client,
            method = self.method,
            bucket = self.bucket,
            path = self.path,
            status = self.status,
            bytes = self.bytes,
            duration = self.duration,
            upstream_time = self.upstream_time,
            origin = self.origin,
            cors = self.cors,
            reason = self.reason,
            rule = self.rule,
            "request"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_a_request_is_bounded_and_printable() {
        assert_eq!(printable(b"https://a.example"), "https://a.example");
        assert_eq!(printable(b"a\x1b[31m\xff\"\n"), "a\\x1b[31m\\xff\\\"\\n");
        assert_eq!(printable(&[b'a'; 257]), format!("{}…", "a".repeat(256)));
    }
}
