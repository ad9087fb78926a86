//! Kept connections to one address, each with the thread that keeps it.
//!
//! A thread takes its own, so that threads do not wait for each other. One that has none takes a neighbour's, which is cheaper than a new
//! one for everyone, and the upstream has no more connections than with one thread.

use super::connection::{Connection, Place};
use super::thread::this_thread;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A connection that can be used again.
pub(super) struct Idle {
    pub(super) connection: Connection,
    /// The time when it is too old.
    pub(super) until: Instant,
    /// Its place among those that may be kept. It is given back with its address too, when a name resolves to others.
    pub(super) _place: Place,
}

/// The kept connections to one address.
pub(super) struct Kept(Box<[Shelf]>);

/// The kept connections of one thread, the newest last. Threads of more than the expected number share. No two shelves have a cache line in
/// common, nor two that the processor fetches together.
#[repr(align(128))]
#[derive(Default)]
struct Shelf(Mutex<Vec<Idle>>);

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Shelves for so many threads.
    pub(super) fn new(threads: usize) -> Self {
        Self((0..threads.max(1)).map(|_| Shelf::default()).collect())
    }

    /// The shelves in order, this thread's first.
    fn starting_here(&self) -> impl Iterator<Item = &Shelf> {
        let own = this_thread() % self.0.len().max(1);
        self.0.iter().cycle().skip(own).take(self.0.len())
    }

    /// Takes the newest of this thread, else a neighbour's.
    pub(super) fn take(&self) -> Option<Idle> {
        self.starting_here().find_map(|shelf| shelf.lock().pop())
    }

    /// Keeps a connection for this thread.
    pub(super) fn keep(&self, idle: Idle) {
        if let Some(own) = self.starting_here().next() {
            own.lock().push(idle);
        }
    }

    /// Takes out one that was not used for long, of any thread.
    pub(super) fn take_oldest(&self) -> Option<Idle> {
        self.starting_here().find_map(|shelf| {
            let mut kept = shelf.lock();
            (!kept.is_empty()).then(|| kept.remove(0))
        })
    }

    /// Takes out those that are too old.
    pub(super) fn take_expired(&self, now: Instant) -> Vec<Idle> {
        self.0
            .iter()
            .flat_map(|shelf| shelf.lock().extract_if(.., |idle| idle.until <= now).collect::<Vec<_>>())
            .collect()
    }

    /// Takes out all.
    pub(super) fn take_all(&self) -> Vec<Idle> {
        self.0.iter().flat_map(|shelf| std::mem::take(&mut *shelf.lock())).collect()
    }
}
