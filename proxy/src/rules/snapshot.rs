//! All rules at one moment, and what a request gets of them.

use super::files::Slot;
use s3_cors::{CorsConfiguration, RuleTable, Warning};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// The rules of one bucket, or of all that share them.
#[derive(Debug)]
pub struct Bucket<P> {
    /// What metrics and logs call it: its name, `_default`, `_service` or `_other`.
    pub label: Box<str>,
    /// Its rules; `None` when it has none.
    pub rules: Option<RuleTable>,
    /// What the caller prepared for it.
    pub prepared: P,
    /// Where its rules come from; `None` when it has none.
    pub source: Option<Source>,
}

/// Where a bucket's rules come from.
#[derive(Debug)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// The configuration in it.
    pub configuration: CorsConfiguration,
    /// What S3 takes and nobody wants in it.
    pub warnings: Vec<Warning>,
}

/// All rules at one moment.
#[derive(Debug)]
pub struct Snapshot<P> {
    pub(super) buckets: HashMap<Box<str>, Arc<Bucket<P>>>,
    pub(super) default: Option<Arc<Bucket<P>>>,
    pub(super) service: Option<Arc<Bucket<P>>>,
    /// For buckets without rules of any kind, and for requests without a bucket where there are no service rules.
    pub(super) other: Arc<Bucket<P>>,
}

impl<P> Snapshot<P> {
    /// The label of whatever has no rules.
    pub(super) const OTHER: &str = "_other";

    pub(super) fn empty(prepared: P) -> Self {
        let other = Bucket { label: Self::OTHER.into(), rules: None, prepared, source: None };
        Self { buckets: HashMap::new(), default: None, service: None, other: Arc::new(other) }
    }

    /// The rules for a request: those of its bucket, else the default; without a bucket those of the service.
    #[must_use]
    pub fn bucket(&self, name: Option<&str>) -> &Arc<Bucket<P>> {
        let found = match name {
            Some(name) => self.buckets.get(name).or(self.default.as_ref()),
            None => self.service.as_ref(),
        };
        found.unwrap_or(&self.other)
    }

    /// Everything that has rules, by label.
    #[must_use]
    pub fn with_rules(&self) -> Vec<&Arc<Bucket<P>>> {
        let mut all: Vec<_> = self.buckets.values().chain(&self.default).chain(&self.service).collect();
        all.sort_unstable_by(|a, b| a.label.cmp(&b.label));
        all
    }

    pub(super) fn get(&self, slot: &Slot) -> Option<&Arc<Bucket<P>>> {
        match slot {
            Slot::Bucket(name) => self.buckets.get(name),
            Slot::Default => self.default.as_ref(),
            Slot::Service => self.service.as_ref(),
        }
    }
}
