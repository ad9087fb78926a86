//! A connection's place among those that may be open: whether the connection could give it up, and the call to do so.
//!
//! The connection notes what it does with one store, and neither locks nor allocates for it. The code that needs the place looks at the
//! note. Between that look and the call the connection can get a request: it serves the request, and goes when it waits again.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// The states of a connection, by how much it has to lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Standing {
    /// No whole request has come yet.
    Unserved = 0,
    /// A request is served.
    Busy = 1,
    /// A request was served, and the next is waited for.
    Waiting = 2,
}

/// A connection's side of its place.
#[derive(Debug, Default)]
pub struct Place {
    standing: Arc<AtomicU8>,
    /// `None` once the call has come, or where none can come.
    call: Option<oneshot::Receiver<()>>,
    is_called: bool,
}

/// The other side.
#[derive(Debug)]
pub struct Held {
    standing: Arc<AtomicU8>,
    call: oneshot::Sender<()>,
}

impl Place {
    /// The place of a connection that has just been accepted. [`Place::default`] is one that no one asks for.
    #[must_use]
    pub fn new() -> (Self, Held) {
        let (call, receiver) = oneshot::channel();
        let standing = Arc::<AtomicU8>::default();
        (Self { standing: Arc::clone(&standing), call: Some(receiver), is_called: false }, Held { standing, call })
    }

    /// Notes that there is a request. Must come before anything is done about it.
    pub fn set_busy(&self) {
        self.standing.store(Standing::Busy as u8, Ordering::Relaxed);
    }

    /// Notes that a next request is waited for. A connection that waits for its first stays [`Standing::Unserved`].
    pub fn set_waiting(&self) {
        // No one else writes it.
        if self.standing.load(Ordering::Relaxed) == Standing::Busy as u8 {
            self.standing.store(Standing::Waiting as u8, Ordering::Relaxed);
        }
    }

    /// Ready once the place is asked for, from then on each time.
    pub fn poll_called(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(call) = &mut self.call
            && let Poll::Ready(called) = Pin::new(call).poll(context)
        {
            (self.call, self.is_called) = (None, called.is_ok());
        }
        if self.is_called { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Waits until the place is asked for.
    pub async fn called(&mut self) {
        poll_fn(|context| self.poll_called(context)).await;
    }
}

impl Held {
    /// The state of the connection, which may be another right after.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.standing.load(Ordering::Relaxed) {
            0 => Standing::Unserved,
            1 => Standing::Busy,
            _ => Standing::Waiting,
        }
    }

    /// Asks for the place.
    pub fn call(self) {
        // A connection that is gone has given it up.
        let _ = self.call.send(());
    }
}
