//! What a reload comes to: what is new and valid replaces, what is not valid leaves the last good rules.

use super::document::parse;
use super::slot::Slot;
use super::snapshot::{Bucket, DocumentOrigin, Snapshot};
use super::source::{Source, SourceError};
use s3_cors::{Credentials, RuleTable};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// What a reload came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The rules have changed.
    Applied,
    /// The source holds what is live already.
    Unchanged,
    /// Something in the source is not valid; what is valid was applied all the same.
    Rejected,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Applied, Self::Unchanged, Self::Rejected];

    /// The label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Rejected => "rejected",
        }
    }
}

/// What a reload did.
#[derive(Clone, Debug)]
pub struct Report {
    /// What it came to.
    pub outcome: Outcome,
    /// The labels whose rules have changed or are gone.
    pub changed: Vec<String>,
    /// Everything wrong in the source.
    pub errors: Vec<SourceError>,
    /// Whether the source differs from the last reading: a poll that finds nothing new has nothing to tell.
    pub is_news: bool,
}

impl Report {
    /// Logs what the reload came to; `rules` is the number of rules that are live now.
    pub(super) fn log(&self, rules: usize) {
        let changed = self.changed.join(", ");
        match self.outcome {
            Outcome::Applied => tracing::info!(changed, rules, "rules reloaded"),
            Outcome::Unchanged => tracing::info!(rules, "rules unchanged"),
            Outcome::Rejected => {
                for error in &self.errors {
                    tracing::error!(%error, changed, "rules rejected; the last good ones stay");
                }
            }
        }
    }
}

/// A reload that operators were told of.
#[derive(Clone, Debug)]
pub struct LastReload {
    /// When.
    pub at: SystemTime,
    /// What it came to.
    pub outcome: Outcome,
    /// The labels whose rules changed.
    pub changed: Vec<String>,
}

/// What was last read from the source.
#[derive(Debug, Default)]
pub(super) struct Reading {
    documents: BTreeMap<Slot, Seen>,
    errors: Vec<SourceError>,
}

/// A document as it was last read.
#[derive(Debug)]
struct Seen {
    path: PathBuf,
    bytes: Vec<u8>,
    error: Option<SourceError>,
}

impl Reading {
    pub(super) fn errors(&self) -> &[SourceError] {
        &self.errors
    }

    /// Reads the source and builds the next snapshot, if it differs from the live one.
    pub(super) fn next(
        &mut self,
        source: &dyn Source,
        credentials: Credentials,
        live: &Snapshot,
    ) -> (Report, Option<Snapshot>) {
        let listing = match source.list() {
            Ok(listing) => listing,
            // Without a listing no document is known to be removed: all rules stay.
            Err(error) => return (self.report(Vec::new(), vec![error]), None),
        };
        let mut next = Next { live, credentials, buckets: BTreeMap::new(), changed: Vec::new() };
        let mut documents = BTreeMap::new();
        let mut errors = listing.errors;
        for (slot, mut paths) in listing.documents {
            let Some(path) = paths.pop() else { continue };
            if let Some(other) = paths.pop() {
                errors.push(SourceError::Twice { path, other });
                next.keep(&slot);
                continue;
            }
            let last = self.documents.remove(&slot).filter(|last| last.path == path);
            let seen = next.read(source, &slot, path, last);
            errors.extend(seen.error.clone());
            documents.insert(slot, seen);
        }
        next.note_removed();
        self.documents = documents;
        let labels = next.changed.iter().map(|slot| slot.label().to_owned()).collect();
        let snapshot = (!next.changed.is_empty()).then(|| next.into_snapshot());
        (self.report(labels, errors), snapshot)
    }

    fn report(&mut self, changed: Vec<String>, errors: Vec<SourceError>) -> Report {
        let is_news = !changed.is_empty() || self.errors != errors;
        self.errors.clone_from(&errors);
        let outcome = match (errors.is_empty(), changed.is_empty()) {
            (false, _) => Outcome::Rejected,
            (true, false) => Outcome::Applied,
            (true, true) => Outcome::Unchanged,
        };
        Report { outcome, changed, errors, is_news }
    }
}

/// The snapshot in the making.
struct Next<'l> {
    live: &'l Snapshot,
    credentials: Credentials,
    buckets: BTreeMap<Slot, Arc<Bucket>>,
    changed: Vec<Slot>,
}

impl Next<'_> {
    /// Reads one document: its rules replace the live ones if they are new and valid.
    fn read(&mut self, source: &dyn Source, slot: &Slot, path: PathBuf, last: Option<Seen>) -> Seen {
        let bytes = match source.read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.keep(slot);
                return Seen { path, bytes: Vec::new(), error: Some(error) };
            }
        };
        let is_same = |last: &Seen| last.bytes == bytes && !matches!(last.error, Some(SourceError::Unreadable { .. }));
        if let Some(last) = last.filter(is_same) {
            self.keep(slot);
            return last;
        }
        let error = match build(slot, &path, &bytes, self.credentials) {
            Ok(bucket) => {
                self.replace(slot, bucket);
                None
            }
            Err(error) => {
                self.keep(slot);
                Some(error)
            }
        };
        Seen { path, bytes, error }
    }

    fn keep(&mut self, slot: &Slot) {
        if let Some(bucket) = self.live.get(slot) {
            self.buckets.insert(slot.clone(), Arc::clone(bucket));
        }
    }

    /// A document that means the same in other words (a comment, the other form) changes nothing.
    fn replace(&mut self, slot: &Slot, bucket: Bucket) {
        let meaning =
            |bucket: &Bucket| bucket.origin.as_ref().map(|origin| (origin.path.clone(), origin.configuration.clone()));
        if self.live.get(slot).is_some_and(|live| meaning(live) == meaning(&bucket)) {
            return self.keep(slot);
        }
        self.changed.push(slot.clone());
        self.buckets.insert(slot.clone(), Arc::new(bucket));
    }

    fn note_removed(&mut self) {
        let named = self.live.buckets.keys().map(|name| Slot::Bucket(name.clone()));
        let slots = named.chain([Slot::Default, Slot::Service]);
        let is_gone = |slot: &Slot| self.live.get(slot).is_some() && !self.buckets.contains_key(slot);
        let gone: Vec<_> = slots.filter(is_gone).collect();
        self.changed.extend(gone);
    }

    fn into_snapshot(self) -> Snapshot {
        let mut snapshot =
            Snapshot { buckets: HashMap::new(), default: None, service: None, other: Arc::clone(&self.live.other) };
        for (slot, bucket) in self.buckets {
            match slot {
                Slot::Bucket(name) => {
                    snapshot.buckets.insert(name, bucket);
                }
                Slot::Default => snapshot.default = Some(bucket),
                Slot::Service => snapshot.service = Some(bucket),
            }
        }
        snapshot
    }
}

fn build(slot: &Slot, path: &Path, bytes: &[u8], credentials: Credentials) -> Result<Bucket, SourceError> {
    let document = parse(path, bytes)?;
    let warnings = document.warnings();
    let rules = RuleTable::new(document.configuration(), credentials);
    Ok(Bucket {
        label: slot.label().into(),
        rules: Some(rules),
        origin: Some(DocumentOrigin { path: path.to_owned(), configuration: document.into_configuration(), warnings }),
    })
}
