//! How a metric gets into a registry.

use prometheus::Registry;
use prometheus::core::Collector;

/// Registers a metric and gives it back.
pub(super) fn register<C: Collector + Clone + 'static>(registry: &Registry, collector: C) -> prometheus::Result<C> {
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}
