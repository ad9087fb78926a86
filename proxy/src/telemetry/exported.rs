//! State that others own, shown as a metric: read when the page is, so that it cannot differ from the state.

use prometheus::core::{Collector, Desc};
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use std::collections::HashMap;

/// A series: the values of its labels in their order, and its value.
pub type Row = (Vec<String>, u64);

/// Reads the state.
type Read = Box<dyn Fn() -> Vec<Row> + Send + Sync>;

/// A metric family that is read from its owner at each scrape.
pub struct Exported {
    description: Desc,
    kind: MetricType,
    labels: &'static [&'static str],
    read: Read,
}

impl Exported {
    /// A gauge without labels.
    ///
    /// # Errors
    /// When the name is not valid.
    pub fn gauge(name: &str, help: &str, read: impl Fn() -> usize + Send + Sync + 'static) -> prometheus::Result<Self> {
        Self::new(name, help, MetricType::GAUGE, &[], move || vec![(Vec::new(), read() as u64)])
    }

    /// A family of gauges, one series a row.
    ///
    /// # Errors
    /// When a name is not valid.
    pub fn gauges(
        name: &str,
        help: &str,
        labels: &'static [&'static str],
        read: impl Fn() -> Vec<Row> + Send + Sync + 'static,
    ) -> prometheus::Result<Self> {
        Self::new(name, help, MetricType::GAUGE, labels, read)
    }

    /// A family of counters, one series a row. No row may disappear or shrink.
    ///
    /// # Errors
    /// When a name is not valid.
    pub fn counters(
        name: &str,
        help: &str,
        labels: &'static [&'static str],
        read: impl Fn() -> Vec<Row> + Send + Sync + 'static,
    ) -> prometheus::Result<Self> {
        Self::new(name, help, MetricType::COUNTER, labels, read)
    }

    fn new(
        name: &str,
        help: &str,
        kind: MetricType,
        labels: &'static [&'static str],
        read: impl Fn() -> Vec<Row> + Send + Sync + 'static,
    ) -> prometheus::Result<Self> {
        let names = labels.iter().map(|label| (*label).to_owned()).collect();
        let description = Desc::new(name.to_owned(), help.to_owned(), names, HashMap::new())?;
        Ok(Self { description, kind, labels, read: Box::new(read) })
    }

    fn metric(&self, (values, value): Row) -> Metric {
        let pair = |(name, value): (&&str, String)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value(value);
            pair
        };
        let mut metric = Metric::from_label(self.labels.iter().zip(values).map(pair).collect());
        // A number that a double cannot hold exactly is beyond what is counted here (2^53).
        let value = value as f64;
        if self.kind == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        metric
    }
}

impl Collector for Exported {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.description]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut family = MetricFamily::default();
        family.set_name(self.description.fq_name.clone());
        family.set_help(self.description.help.clone());
        family.set_field_type(self.kind);
        family.set_metric((self.read)().into_iter().map(|row| self.metric(row)).collect());
        vec![family]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus::{Registry, TextEncoder};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_scrape_shows_the_state_of_its_moment() {
        let (registry, open) = (Registry::new(), Arc::new(AtomicUsize::new(1)));
        let read = Arc::clone(&open);
        let gauge = Exported::gauge("open", "Open.", move || read.load(Ordering::Relaxed)).unwrap();
        let rows = || vec![(vec!["a\"b".to_owned()], 2), (vec!["c".to_owned()], 3)];
        registry.register(Box::new(gauge)).unwrap();
        registry.register(Box::new(Exported::counters("seen_total", "Seen.", &["what"], rows).unwrap())).unwrap();
        open.store(7, Ordering::Relaxed);
        let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        let expected = "# HELP open Open.\n# TYPE open gauge\nopen 7\n# HELP seen_total Seen.\n# TYPE seen_total counter\n\
                        seen_total{what=\"a\\\"b\"} 2\nseen_total{what=\"c\"} 3\n";
        assert_eq!(text, expected);
    }
}
