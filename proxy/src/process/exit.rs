//! The one place where the process ends by itself.

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
        std::process::exit(self.status())
    }
}
