//! Threads by number: which one keeps a connection, and whose reactor has its socket.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of the next thread that has to do with connections.
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
}

/// The number of this thread, in the order in which threads asked for one.
pub(super) fn this_thread() -> usize {
    NUMBER.with(|number| *number)
}
