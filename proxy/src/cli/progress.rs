//! A line about work that takes long, for a person who waits for it at a terminal.

use super::note;
use std::fmt::Display;
use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// No line is written about work that takes no longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Work that may take long; over when dropped.
pub(super) struct LongWork {
    /// The thread that waits sees its end.
    _work: Option<Sender<()>>,
}

impl LongWork {
    /// Tells what is being done on standard error, if that is a terminal and the work takes long.
    pub(super) fn of(doing: &impl Display) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { _work: None };
        }
        let line = format!("{doing} ...");
        Self::after(PATIENCE, move || note(&line))
    }

    /// The same about standard input, which a person may not know is being read.
    pub(super) fn of_input() -> Self {
        let end = if std::io::stdin().is_terminal() { " (Ctrl-D ends it)" } else { "" };
        Self::of(&format_args!("reading standard input{end}"))
    }

    fn after(patience: Duration, tell: impl FnOnce() + Send + 'static) -> Self {
        let (work, end) = channel();
        let waiting = move || {
            if end.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                tell();
            }
        };
        // Where there is no thread left, the work goes on without the line.
        let _ = std::thread::Builder::new().name("progress".into()).spawn(waiting);
        Self { _work: Some(work) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_work_that_takes_long_is_told() {
        let (told, heard) = channel();
        let quick = told.clone();
        drop(LongWork::after(Duration::MAX, move || quick.send("quick").unwrap()));
        let long = LongWork::after(Duration::ZERO, move || told.send("long").unwrap());
        // The sender of the quick one is gone when its thread is, so this ends after both.
        assert_eq!(heard.iter().collect::<Vec<_>>(), ["long"]);
        drop(long);
    }
}
