//! The one place where the process ends by itself.

use std::sync::Mutex;

/// Ran before the process ends, by whichever ending.
static LAST: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

/// Notes what is still to be done when the process ends by itself. Only the last one that was noted is done.
pub fn at_end(last: impl FnOnce() + Send + 'static) {
    if let Ok(mut noted) = LAST.lock() {
        *noted = Some(Box::new(last));
    }
}

/// Why the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The last request has ended after a signal.
    Drained,
    /// A listener does not accept, or no longer does.
    NotListening,
    /// A second signal came while draining.
    Interrupted,
}

impl Ending {
    /// The exit status.
    #[must_use]
    pub const fn status(self) -> i32 {
        match self {
            Self::Drained => 0,
            Self::NotListening => 1,
            // 128 + SIGINT, as shells have it.
            Self::Interrupted => 130,
        }
    }

    /// Ends the process.
    pub fn end(self) -> ! {
        if let Some(last) = LAST.lock().ok().and_then(|mut noted| noted.take()) {
            last();
        }
        std::process::exit(self.status())
    }
}
