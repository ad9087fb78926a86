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

/// For how many documents a poll costs too little to be noticed. With more of them there are fewer polls. Their number decides and not
/// the time that a poll took, which on a busy machine is long for a few documents, too.
const CHEAP: usize = 1000;
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
        store.look()
    };
    // The rules are watched before the start is announced.
    let mut documents = look();
    let thread = std::thread::Builder::new().name("rules".into()).spawn(move || {
        while wait(&signals, rest(documents, poll)) {
            documents = look();
        }
    })?;
    Ok(Watch { stop: Some(sender), thread: Some(thread) })
}

/// How long to wait for the next poll of so many documents.
fn rest(documents: usize, poll: Duration) -> Duration {
    let polls = u32::try_from(documents / CHEAP).unwrap_or(u32::MAX);
    poll.saturating_mul(polls.clamp(1, LONGEST_REST))
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
    fn thousands_of_documents_are_polled_less_often_but_never_rarely() {
        let poll = Duration::from_millis(500);
        for (documents, polls) in [(0, 1), (1, 1), (1_999, 1), (2_000, 2), (10_000, 10), (1_000_000, 10)] {
            assert_eq!(rest(documents, poll), poll * polls, "{documents} documents");
        }
    }
}
