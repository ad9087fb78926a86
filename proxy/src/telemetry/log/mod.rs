//! The log: one line an event on stdout, and what must never be in it.
//!
//! Lines go through a bounded queue to a thread of their own: a reader that stalls costs lines, not requests. The lines about requests,
//! which anyone can cause, never cost one that says who changed what.

mod access;
mod console;
mod library;
mod line;
mod queue;
mod timestamp;

pub use access::{Access, AccessLog, SignedBy};

use super::exported::Exported;
use console::ConsoleEvents;
use library::LibraryLines;
use queue::{Lane, Queue};
use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use tracing::Metadata;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object on each line.
    Json,
    /// A line of text with the same fields.
    Text,
    /// A short line of text for a person at a terminal.
    Console {
        /// The terminal shows colours.
        has_colour: bool,
    },
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

impl Level {
    const fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
        }
    }

    fn targets(self) -> Targets {
        let ours = self.filter();
        let library = ours.min(LevelFilter::WARN);
        Targets::new().with_default(library).with_target("s3cors", ours).with_target("s3cors_proxy", ours)
    }
}

/// The log cannot start.
#[derive(Debug, thiserror::Error)]
#[error("the log cannot start: {0}")]
pub struct LogError(#[from] io::Error);

/// The running log. Writes what is still queued when dropped, so it must outlive everything that logs.
pub struct Log {
    queue: Arc<Queue>,
    access: Option<AccessLog>,
}

impl Log {
    /// Writes what is queued; nothing that is logged after it appears.
    pub fn flush(&self) {
        self.queue.close();
    }

    /// Where access lines go; `None` if the configuration asks for none.
    #[must_use]
    pub fn access(&self) -> Option<AccessLog> {
        self.access.clone()
    }

    /// The count of lines that were dropped, as a metric.
    ///
    /// # Errors
    /// When its name is not valid.
    pub fn dropped(&self) -> prometheus::Result<Exported> {
        let queue = Arc::clone(&self.queue);
        Exported::counters(
            "s3cors_log_lines_dropped_total",
            "Log lines that were dropped because standard output was too slow or closed.",
            &[],
            move || vec![(Vec::new(), queue.dropped())],
        )
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Starts the log of the process.
///
/// At `debug` the HTTP library prints whole heads, `Authorization` included, and at `info` the raw request line with the signature of
/// a presigned URL. So its targets never go below `warn`, whatever level is asked for. `others` are the levels of more targets, none
/// below `level`, for what else the process runs.
///
/// # Errors
/// [`LogError`] when there is no thread or descriptor left for it.
pub fn start(format: Format, level: Level, has_access: bool, others: &[(&str, LevelFilter)]) -> Result<Log, LogError> {
    let queue = Arc::new(Queue::default());
    // The standard library's handle would search each write for its last newline and copy what follows it.
    let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let writer = Arc::clone(&queue);
    std::thread::Builder::new().name("log".into()).spawn(move || writer.write_to(output))?;
    let has_access = has_access && matches!(level, Level::Info | Level::Debug);
    let access = has_access.then(|| AccessLog::new(Arc::clone(&queue), format));
    let builder = tracing_subscriber::fmt()
        .with_max_level(level.filter())
        .with_writer(EventLines(Arc::clone(&queue)))
        .with_timer(SystemTime);
    let targets = level.targets().with_targets(others.iter().map(|(target, level)| (*target, *level)));
    let library = LibraryLines { shows_noise: level == Level::Debug };
    // A second start in one process (tests) keeps the first log.
    let _ = match format {
        Format::Json => {
            let builder = builder.json().flatten_event(true).with_current_span(false).with_span_list(false);
            builder.finish().with(targets).with(library).try_init()
        }
        Format::Text => builder.with_ansi(false).finish().with(targets).with(library).try_init(),
        Format::Console { has_colour } => {
            builder.event_format(ConsoleEvents { has_colour }).finish().with(targets).with(library).try_init()
        }
    };
    Ok(Log { queue, access })
}

/// The lane of an event's line.
struct EventLines(Arc<Queue>);

impl<'q> MakeWriter<'q> for EventLines {
    type Writer = EventWriter<'q>;

    fn make_writer(&'q self) -> EventWriter<'q> {
        EventWriter(&self.0, Lane::Events)
    }

    fn make_writer_for(&'q self, event: &Metadata<'_>) -> EventWriter<'q> {
        EventWriter(&self.0, lane_of(event))
    }
}

/// An event that says who asked for which operation is an audit line.
fn lane_of(event: &Metadata<'_>) -> Lane {
    let is_audit = ["access_key", "operation"].into_iter().all(|name| event.fields().field(name).is_some());
    if is_audit { Lane::Audit } else { Lane::Events }
}

/// Takes the line of one event, which the formatter writes with one call.
struct EventWriter<'q>(&'q Queue, Lane);

impl io::Write for EventWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line, self.1);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
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
    fn a_line_about_who_changed_what_has_a_lane_of_its_own() {
        let queue = Arc::new(Queue::default());
        let subscriber = tracing_subscriber::fmt().with_writer(EventLines(Arc::clone(&queue))).finish();
        let flood = "x".repeat(1000);
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..2_000 {
                tracing::warn!(access_key = "AK", flood, "not checked");
            }
            tracing::info!(operation = "PutBucketCors", access_key = "AK", "changed");
        });
        let mut written = Vec::new();
        let dropped = queue.dropped();
        std::thread::scope(|scope| {
            scope.spawn(|| queue.write_to(&mut written));
            queue.close();
        });
        let text = String::from_utf8(written).unwrap();
        assert!(dropped > 0 && text.lines().last().unwrap().contains("PutBucketCors"), "{dropped}");
    }

    #[test]
    fn what_comes_from_a_request_is_bounded_and_printable() {
        assert_eq!(printable(b"https://a.example"), "https://a.example");
        assert_eq!(printable(b"a\x1b[31m\xff\"\n"), "a\\x1b[31m\\xff\\\"\\n");
        assert_eq!(printable(&[b'a'; 257]), format!("{}…", "a".repeat(256)));
    }
}
