//! The queue between what logs and standard output: bounded, and no one waits for the reader of the output.
//!
//! Lines are appended to one buffer under a lock that is held for a copy. A thread takes the whole buffer and writes it in one go. Must
//! not know what is in a line.

use std::io::{ErrorKind, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Bytes of access lines that wait while the writer is busy; what does not fit is dropped and counted.
pub(super) const CAPACITY: usize = 1024 * 1024;

/// How long lines are gathered before the next write. Without it each line would cost a system call or two.
const GATHERING: Duration = Duration::from_millis(20);

/// So many gathered bytes are written without waiting for the rest of [`GATHERING`].
const GATHERED: usize = CAPACITY / 4;

/// How long the end of the process waits for a reader that stalls.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// How long the writer waits where the output is non-blocking and full.
const RETRY: Duration = Duration::from_millis(5);

/// The subject of a line. Each lane has a room of its own: however many lines come in one, none of another is dropped for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Requests: anyone can cause masses of such lines. They are written with others.
    Access,
    /// Events, of which some are caused by requests too. They are written at once: an error may be followed by the end of the process.
    Events,
    /// Changes of rules and their authors, written at once. Only a request that the upstream has authenticated causes such a line.
    Audit,
}

impl Lane {
    /// Bytes of its lines that may wait.
    const fn room(self) -> usize {
        match self {
            Self::Access | Self::Events => CAPACITY,
            // A few hundred lines.
            Self::Audit => CAPACITY / 4,
        }
    }
}

/// Lines on their way to the writer.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// There is something to do for the writer.
    wake: Condvar,
    /// The writer has ended.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// The lines of all lanes, in the order in which they came.
    lines: Vec<u8>,
    held: WaitingBytes,
    dropped: u64,
    /// The lines are to be written without waiting for more.
    is_due: bool,
    /// The writer waits for a first line.
    is_idle: bool,
    is_closed: bool,
    has_ended: bool,
}

/// The number of waiting bytes of each lane.
#[derive(Default)]
struct WaitingBytes {
    access: usize,
    events: usize,
    audit: usize,
}

impl WaitingBytes {
    /// Counts a line, if there is room for it.
    fn takes(&mut self, line: &[u8], lane: Lane) -> bool {
        let held = match lane {
            Lane::Access => &mut self.access,
            Lane::Events => &mut self.events,
            Lane::Audit => &mut self.audit,
        };
        let fits = *held + line.len() <= lane.room();
        if fits {
            *held += line.len();
        }
        fits
    }
}

impl Queue {
    /// Takes a whole line, or drops and counts it if its lane has no room. Ignores it after [`close`](Self::close).
    pub(crate) fn push(&self, line: &[u8], lane: Lane) {
        let mut state = self.lock();
        if state.is_closed {
            return;
        }
        if !state.held.takes(line, lane) {
            state.dropped += 1;
            return;
        }
        state.lines.extend_from_slice(line);
        let is_due = state.is_idle || lane != Lane::Access || state.lines.len() >= GATHERED;
        // The writer is woken once for all that it will then find: each time is a system call.
        if is_due && !std::mem::replace(&mut state.is_due, true) {
            drop(state);
            self.wake.notify_one();
        }
    }

    /// How many lines were dropped.
    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// Accepts nothing more, and waits until everything is written, or [`LAST_WRITES`] if the output is stuck.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.is_closed, true) {
            return;
        }
        self.wake.notify_one();
        drop(self.ended.wait_timeout_while(state, LAST_WRITES, |state| !state.has_ended));
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn write_to(&self, mut output: impl Write) {
        let (mut batch, mut is_torn) = (Vec::new(), false);
        while self.take(&mut batch) {
            let lost = write_lines(&mut output, &batch, &mut is_torn);
            if lost > 0 {
                self.lock().dropped += lost;
            }
            batch.clear();
        }
        self.lock().has_ended = true;
        self.ended.notify_all();
    }

    /// Waits for lines and swaps them for the empty `batch`; returns false when no more will come.
    fn take(&self, batch: &mut Vec<u8>) -> bool {
        let state = self.lock();
        let gathers = |state: &mut State| !state.is_due && !state.is_closed;
        let waited = self.wake.wait_timeout_while(state, GATHERING, gathers);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.lines.is_empty() {
            state.is_idle = true;
            let is_idle = |state: &mut State| state.lines.is_empty() && !state.is_closed;
            state = self.wake.wait_while(state, is_idle).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_idle = false;
        state.is_due = false;
        state.held = WaitingBytes::default();
        std::mem::swap(&mut state.lines, batch);
        !batch.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that panics runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes lines, and returns how many of them the output did not take.
///
/// `is_torn` is whether an error cut off the line before these: it must not become the beginning of the next one.
fn write_lines(output: &mut impl Write, lines: &[u8], is_torn: &mut bool) -> u64 {
    let written = if *is_torn && write(output, b"\n") == 0 {
        0
    } else {
        let written = write(output, lines);
        *is_torn = lines.get(..written).and_then(<[u8]>::last).is_some_and(|byte| *byte != b'\n');
        written
    };
    lines.iter().skip(written).filter(|byte| **byte == b'\n').count() as u64
}

/// Writes all of it, and returns how many bytes the output took before an error.
fn write(output: &mut impl Write, bytes: &[u8]) -> usize {
    let mut rest = bytes;
    while !rest.is_empty() {
        match output.write(rest) {
            Ok(0) => break,
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(RETRY),
            Err(_) => break,
        }
    }
    bytes.len() - rest.len()
}

#[cfg(test)]
mod tests;
