//! Whether requests should be sent to this process.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the process takes requests.
#[derive(Debug, Default)]
pub struct Readiness {
    listening: AtomicBool,
    draining: AtomicBool,
}

impl Readiness {
    /// The listeners accept.
    pub fn set_listening(&self) {
        self.listening.store(true, Ordering::Release);
    }

    /// The process has begun to end.
    pub fn set_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Why no requests should be sent here; `None` when they should.
    #[must_use]
    pub fn why_not(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Acquire) {
            Some("draining")
        } else if self.listening.load(Ordering::Acquire) {
            None
        } else {
            Some("not listening yet")
        }
    }
}
