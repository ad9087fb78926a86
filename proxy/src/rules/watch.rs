//! Notices that documents changed: by the source's notifications, and by a poll for sources that send none.
//!
//! The poll looks at every document, so it also finds what the notifications miss. It takes little of the time, however many there are.

use super::store::Store;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// Quiet after a notification before documents are read: a file written in place is first seen half-written.
const QUIET: Duration = Duration::from_millis(50);
/// The longest wait for quiet: a change is live within a second however busy the source is.
const LONGEST_WAIT: Duration = Duration::from_millis(400);

/// How much longer than a poll the rest after it is: a poll takes no more than a third of a hundredth of the time.
const REST: u32 = 299;
/// The longest wait for the next poll, in polls: a source without notifications must not be blind for long.
const LONGEST_REST: u32 = 10;

/// The watcher's thread could not be started.
#[derive(Debug, thiserror::Error)]
#[error("the rules cannot be watched: {0}")]
pub struct WatchError(#[from] std::io::Error);

/// Watching; ends when dropped.
pub struct Watch {
    stop: Option<Sender<Signal>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

enum Signal {
    Changed,
    Stop,
}

/// Reloads the store whenever its documents change.
///
/// # Errors
/// [`WatchError`] when no thread can be started. Missing notifications are no error: the poll remains.
pub fn watch(store: Arc<Store>, poll: Duration) -> Result<Watch, WatchError> {
    let (sender, signals) = channel();
    let changed = sender.clone();
    let mut changes = store.source().changes(Box::new(move || {
        // The receiver is gone when watching has ended.
        let _ = changed.send(Signal::Changed);
    }));
    let mut look = move || {
        // First the watch, then the look: a change in between is notified, an earlier one is seen.
        changes.renew();
        store.look();
    };
    // The rules are watched before the start is announced.
    look();
    let thread = std::thread::Builder::new().name("rules".into()).spawn(move || {
        let mut took = Duration::ZERO;
        while wait(&signals, rest(took, poll)) {
            let started = Instant::now();
            look();
            took = started.elapsed();
        }
    })?;
    Ok(Watch { stop: Some(sender), thread: Some(thread) })
}

/// How long to wait for the next poll after one that took so long.
fn rest(took: Duration, poll: Duration) -> Duration {
    took.saturating_mul(REST).clamp(poll, poll.saturating_mul(LONGEST_REST))
}

/// Waits for a change that has settled, or for the next poll; `false` is the end.
fn wait(signals: &Receiver<Signal>, poll: Duration) -> bool {
    match signals.recv_timeout(poll) {
        Ok(Signal::Changed) => {}
        Err(RecvTimeoutError::Timeout) => return true,
        Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
    }
    let first = Instant::now();
    while first.elapsed() < LONGEST_WAIT {
        match signals.recv_timeout(QUIET) {
            Ok(Signal::Changed) => {}
            Err(RecvTimeoutError::Timeout) => return true,
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
    true
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(Signal::Stop);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_takes_little_of_the_time_and_is_never_put_off_for_long() {
        let poll = Duration::from_millis(500);
        for (took, expected) in [(0, 500), (1, 500), (2, 598), (10, 2_990), (20, 5_000), (10_000, 5_000)] {
            assert_eq!(rest(Duration::from_millis(took), poll), Duration::from_millis(expected), "{took} ms");
        }
    }
}
