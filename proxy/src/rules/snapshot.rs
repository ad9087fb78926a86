//! All rules at one moment, and which of them a request gets.

use super::slot::Slot;
use super::source::{Source, json_of};
use super::warnings::LiveWarnings;
use super::write::{Digest, WriteError};
use foldhash::fast::RandomState;
use s3_cors::{CorsConfiguration, RuleTable};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// The rules of one bucket, or of all buckets that share them.
#[derive(Debug)]
pub struct Bucket {
    /// What metrics and logs call it: its name, `_default`, `_service` or `_other`.
    pub label: Box<str>,
    /// Its rules; `None` when it has none.
    pub rules: Option<RuleTable>,
    /// Where its rules come from; `None` when it has none.
    pub origin: Option<DocumentOrigin>,
}

/// Where a bucket's rules come from.
#[derive(Debug)]
pub struct DocumentOrigin {
    /// The document's name in its source.
    pub path: PathBuf,
    /// What to warn of, once someone has asked.
    warnings: OnceLock<LiveWarnings>,
    /// Whether the log has its warnings, or is about to get them.
    is_logged: AtomicBool,
}

impl DocumentOrigin {
    pub(super) fn new(path: &Path) -> Self {
        let (warnings, is_logged) = Default::default();
        Self { path: path.to_owned(), warnings, is_logged }
    }

    /// The warnings about it, if they have been worked out already: that costs as much as to read it.
    #[must_use]
    pub fn known_warnings(&self) -> Option<&LiveWarnings> {
        self.warnings.get()
    }

    /// Whether its warnings are to be logged: once.
    pub(super) fn claim_log(&self) -> bool {
        !self.is_logged.swap(true, Ordering::Relaxed)
    }
}

impl Bucket {
    /// Its document; `None` when it has none. No text of it is kept: that of ten thousand buckets would be a quarter of all memory.
    #[must_use]
    pub fn configuration(&self) -> Option<CorsConfiguration> {
        self.rules.as_ref().map(RuleTable::configuration)
    }

    /// The configuration as the XML that `GetBucketCors` returns; `None` without one.
    ///
    /// # Errors
    /// [`WriteError::Document`] when XML cannot carry a value, which a document in JSON can have.
    pub fn to_xml(&self) -> Option<Result<String, WriteError>> {
        let xml = self.configuration()?.to_compact_xml();
        Some(xml.map_err(|error| WriteError::Document(error.to_string())))
    }

    pub(super) fn digest(&self) -> Option<Digest> {
        self.configuration().map(|configuration| Digest::of(json_of(&configuration).get()))
    }

    /// Returns the warnings; `None` for rules without a document.
    pub(super) fn warnings(&self, source: &dyn Source) -> Option<&LiveWarnings> {
        let (origin, rules) = (self.origin.as_ref()?, self.rules.as_ref()?);
        Some(origin.warnings.get_or_init(|| LiveWarnings::of(&origin.path, &rules.configuration(), source)))
    }

    /// Whether another document says the same in other words: a comment, the other form.
    pub(super) fn means_the_same_as(&self, other: &Self) -> bool {
        let paths = (self.origin.as_ref().map(|own| &own.path), other.origin.as_ref().map(|other| &other.path));
        let is_same = |(own, other): (&RuleTable, &RuleTable)| own.means_the_same_as(other);
        paths.0 == paths.1 && self.rules.as_ref().zip(other.rules.as_ref()).is_some_and(is_same)
    }
}

/// All rules at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    buckets: HashMap<Box<str>, Arc<Bucket>, RandomState>,
    default: Option<Arc<Bucket>>,
    service: Option<Arc<Bucket>>,
    /// For buckets without rules of any kind, and for requests without a bucket where there are no service rules.
    other: Arc<Bucket>,
}

impl Default for Snapshot {
    /// No rules at all.
    fn default() -> Self {
        let other = Bucket { label: Self::OTHER.into(), rules: None, origin: None };
        Self { buckets: HashMap::default(), default: None, service: None, other: Arc::new(other) }
    }
}

impl Snapshot {
    /// The label of a bucket without rules.
    const OTHER: &str = "_other";

    /// The rules for a request: those of its bucket, else the default; without a bucket those of the service.
    #[must_use]
    pub fn bucket(&self, name: Option<&str>) -> &Arc<Bucket> {
        let found = match name {
            Some(name) => self.buckets.get(name).or(self.default.as_ref()),
            None => self.service.as_ref(),
        };
        found.unwrap_or(&self.other)
    }

    /// For a request that could be for several buckets: no rules, not even the default's.
    #[must_use]
    pub const fn without_rules(&self) -> &Arc<Bucket> {
        &self.other
    }

    /// Returns the names of the buckets that have rules of their own.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.buckets.keys().map(|name| &**name)
    }

    /// Whether a bucket has rules of its own.
    pub(super) fn has_own(&self, name: &str) -> bool {
        self.buckets.contains_key(name)
    }

    /// The rules of a bucket that has no document of its own.
    #[must_use]
    pub fn default_bucket(&self) -> &Arc<Bucket> {
        self.default.as_ref().unwrap_or(&self.other)
    }

    /// The rules of a bucket's own, which are not the default's.
    #[must_use]
    pub fn own(&self, bucket: &str) -> Option<&Bucket> {
        self.buckets.get(bucket).map(|bucket| &**bucket)
    }

    /// Everything that has rules, by label.
    #[must_use]
    pub fn with_rules(&self) -> Vec<&Arc<Bucket>> {
        let mut all: Vec<_> = self.buckets.values().chain(&self.default).chain(&self.service).collect();
        all.sort_unstable_by(|a, b| a.label.cmp(&b.label));
        all
    }

    /// Every bucket that a request can get, also the one without rules.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Bucket>> {
        self.buckets.values().chain(&self.default).chain(&self.service).chain([&self.other])
    }

    /// How many rules are live, of all buckets together.
    #[must_use]
    pub fn rule_count(&self) -> usize {
        self.all().filter_map(|bucket| bucket.rules.as_ref()).map(|table| table.rules().len()).sum()
    }

    pub(super) fn get(&self, slot: &Slot) -> Option<&Arc<Bucket>> {
        match slot {
            Slot::Bucket(name) => self.buckets.get(name),
            Slot::Default => self.default.as_ref(),
            Slot::Service => self.service.as_ref(),
        }
    }

    /// Replaces the rules of a slot; `None` removes them.
    pub(super) fn set(&mut self, slot: &Slot, bucket: Option<Arc<Bucket>>) {
        match (slot, bucket) {
            (Slot::Bucket(name), Some(bucket)) => {
                self.buckets.insert(name.clone(), bucket);
            }
            (Slot::Bucket(name), None) => {
                self.buckets.remove(name);
            }
            (Slot::Default, bucket) => self.default = bucket,
            (Slot::Service, bucket) => self.service = bucket,
        }
    }
}
