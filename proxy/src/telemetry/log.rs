//! The log: one line an event on stdout, and what must never be in it.
//!
//! Lines go through a bounded queue to a thread of their own: a reader that stalls costs lines, not requests.

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

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// One line of text.
    Text,
}

/// The least important level that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What must be fixed.
    Error,
    /// What may have to be fixed.
    Warn,
    /// What happened, requests included.
    Info,
    /// What helps to find a fault.
    Debug,
}

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
/// At `debug` the HTTP library prints whole heads, `Authorization` included, and at `info` the raw request line with the signature of
/// a presigned URL. So its targets never go below `warn`, whatever level is asked for.
#[must_use]
pub fn start(format: Format, level: Level) -> LogGuard {
    let (writer, guard) = NonBlockingBuilder::default().buffered_lines_limit(QUEUED_LINES).finish(std::io::stdout());
    let filter = EnvFilter::new(directives(level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_timer(SystemTime);
    let handshakes = Handshakes { shown: level == Level::Debug };
    // A second start in one process (tests) keeps the first log.
    let _ = match format {
        Format::Json => {
            let builder = builder.json().flatten_event(true).with_current_span(false).with_span_list(false);
            builder.finish().with(handshakes).try_init()
        }
        Format::Text => builder.with_ansi(false).finish().with(handshakes).try_init(),
    };
    LogGuard(Mutex::new(Some(guard)))
}

/// The HTTP library logs a failed TLS handshake as an error. To an operator it is a load balancer that probes the port, or a
/// scanner: the line is shown at `debug` only.
struct Handshakes {
    shown: bool,
}

impl<S: tracing::Subscriber> Layer<S> for Handshakes {
    fn event_enabled(&self, event: &Event<'_>, _: layer::Context<'_, S>) -> bool {
        // Libraries that write with the `log` crate all have this target here.
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

fn directives(level: Level) -> String {
    let (ours, library) = match level {
        Level::Error => ("error", "error"),
        Level::Warn => ("warn", "warn"),
        Level::Info => ("info", "warn"),
        Level::Debug => ("debug", "warn"),
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
