//! Lines of the HTTP library that operators should not see as they come.

use tracing::Event;
use tracing::field::Field;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Decides which lines of the library are written.
pub(super) struct LibraryLines {
    /// Whether lines are shown that are errors to the library alone, such as that a kept connection could not be had at once: it only means
    /// that a new one is opened.
    pub(super) shows_noise: bool,
}

impl LibraryLines {
    fn is_shown(&self, message: &str) -> bool {
        if message == "failed to acquire reusable stream" {
            return self.shows_noise;
        }
        // A head on the admin listener that cannot be read: the line shows it whole, with the token, and no operator has to act on it.
        if message.starts_with("HTTP server fails to read from downstream") {
            return false;
        }
        true
    }
}

impl<S: tracing::Subscriber> Layer<S> for LibraryLines {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        // Libraries that write with the `log` crate all have this target here.
        if event.metadata().target() != "log" {
            return true;
        }
        let mut is_shown = true;
        event.record(&mut |field: &Field, value: &dyn std::fmt::Debug| {
            if field.name() == "message" {
                is_shown = self.is_shown(&format!("{value:?}"));
            }
        });
        is_shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_shows_a_head_is_never_written() {
        let line =
            "HTTP server fails to read from downstream:  InvalidHTTPHeader context: buf: Authorization: Bearer x";
        assert_eq!([true, false].map(|shown| LibraryLines { shows_noise: shown }.is_shown(line)), [false; 2]);
    }

    #[test]
    fn what_no_operator_has_to_act_on_is_for_debugging() {
        let is_shown = |shows_noise| LibraryLines { shows_noise }.is_shown("failed to acquire reusable stream");
        assert_eq!([true, false].map(is_shown), [true, false]);
        assert!(LibraryLines { shows_noise: false }.is_shown("something else"));
    }
}
