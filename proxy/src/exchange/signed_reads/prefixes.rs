//! The prefixes of buckets that strangers may read, as the configuration lists them, and which of them a key is below.

use crate::config::{SignWhen, SignedPrefix, SignedQuery};
use crate::s3::key_readings::{KeyReadings, may_lead_below};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::HashMap;
use std::sync::Arc;

/// SigV4 encodes the same (RFC 3986 §2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A prefix below which objects are read with the proxy's own credentials.
#[derive(Debug)]
pub(in crate::exchange) struct ReadPrefix {
    pub(in crate::exchange) bucket: Box<str>,
    /// A key's beginning, up to and with a slash; empty for the whole bucket.
    pub(in crate::exchange) prefix: Box<str>,
    /// The name of the object that a folder is shown as, as a path has it.
    pub(super) index: Option<Box<str>>,
    /// The key of the object that an error is shown as, as a path has it.
    pub(super) error: Option<Box<str>>,
    /// Set if a grant must open it first.
    pub(in crate::exchange) is_granted: bool,
    /// Set if a query that S3 does not know is left out.
    pub(super) drops_query: bool,
}

impl From<&SignedPrefix> for ReadPrefix {
    fn from(entry: &SignedPrefix) -> Self {
        let encoded = |key: &Option<String>| {
            key.as_deref().map(|key| utf8_percent_encode(key, ENCODED).to_string().into_boxed_str())
        };
        Self {
            bucket: entry.bucket.as_str().into(),
            prefix: entry.prefix.as_str().into(),
            index: encoded(&entry.index),
            error: encoded(&entry.error),
            is_granted: entry.when == SignWhen::Granted,
            drops_query: entry.query == SignedQuery::Drop,
        }
    }
}

/// The prefixes of each bucket, the longest first.
#[derive(Debug)]
pub(in crate::exchange) struct ReadPrefixes(HashMap<Box<str>, Box<[Arc<ReadPrefix>]>>);

/// The prefix that a key is below.
#[derive(Debug)]
pub(super) enum Below {
    /// The same to every reader of the path.
    One(Arc<ReadPrefix>),
    /// No listed one, to any reader.
    None,
    /// Not the same to every reader.
    Unclear,
}

impl ReadPrefixes {
    pub(super) fn of(entries: &[SignedPrefix]) -> Self {
        let mut buckets = HashMap::<Box<str>, Vec<Arc<ReadPrefix>>>::new();
        for entry in entries.iter().map(ReadPrefix::from) {
            buckets.entry(entry.bucket.clone()).or_default().push(Arc::new(entry));
        }
        let sorted = buckets.into_iter().map(|(bucket, mut prefixes)| {
            prefixes.sort_by_key(|entry| std::cmp::Reverse(entry.prefix.len()));
            (bucket, prefixes.into_boxed_slice())
        });
        Self(sorted.collect())
    }

    /// The prefixes of one bucket.
    pub(super) fn of_bucket(&self, bucket: &str) -> &[Arc<ReadPrefix>] {
        self.0.get(bucket).map_or(&[], |prefixes| prefixes)
    }

    /// Returns true if some reader may take a path, whose bucket is not the same to all, for one below a prefix.
    pub(super) fn may_be_below(&self, path: &str) -> bool {
        let mut all = self.0.values().flat_map(|prefixes| prefixes.iter());
        all.any(|entry| may_lead_below(path, format!("/{}/{}", entry.bucket, entry.prefix).trim_end_matches('/')))
    }
}

impl Below {
    /// Finds the longest of one bucket's prefixes that a key is below, by every reading of it.
    pub(super) fn of(prefixes: &[Arc<ReadPrefix>], key: &str, readings: &KeyReadings<'_>) -> Self {
        let Some(readings) = readings.each() else {
            let path = format!("/{key}");
            let may_be =
                |prefix: &str| prefix.is_empty() || may_lead_below(&path, format!("/{prefix}").trim_end_matches('/'));
            return if prefixes.iter().any(|entry| may_be(&entry.prefix)) { Self::Unclear } else { Self::None };
        };
        let below = |reading: &[u8]| prefixes.iter().find(|entry| reading.starts_with(entry.prefix.as_bytes()));
        let mut found = readings.iter().map(|reading| below(reading));
        let first = found.next().flatten();
        if found.any(|other| other.map(Arc::as_ptr) != first.map(Arc::as_ptr)) {
            return Self::Unclear;
        }
        first.map_or(Self::None, |entry| Self::One(Arc::clone(entry)))
    }
}
