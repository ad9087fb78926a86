//! A gauge that counts what lives.

use prometheus::IntGauge;

/// Counts one for as long as it lives: also when a filter panics, for what holds it is dropped even then.
pub(super) struct Counted(IntGauge);

impl Counted {
    pub(super) fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }

    /// How many there are, this one included.
    pub(super) fn count(&self) -> i64 {
        self.0.get()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
