//! What a reload comes to: what is new and valid replaces, what is not valid leaves the last good rules.

use super::document::parse;
use super::slot::Slot;
use super::snapshot::{Bucket, DocumentOrigin, Snapshot};
use super::source::{Found, Listing, Source, SourceError};
use s3_cors::{Credentials, RuleTable};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
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
    listing: Listing,
    /// The documents that were not valid or could not be read.
    rejected: BTreeMap<Slot, SourceError>,
    errors: Vec<SourceError>,
}

/// Which documents are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// Those whose version is not the one that was read last.
    Changed,
    /// All: someone asked for it, and may know more than the source.
    All,
}

impl Reading {
    pub(super) fn errors(&self) -> &[SourceError] {
        &self.errors
    }

    /// Reads the source and builds the next snapshot, if it differs from the live one.
    pub(super) fn next(
        &mut self,
        source: &dyn Source,
        reads: Reads,
        credentials: Credentials,
        live: &Snapshot,
    ) -> (Report, Option<Snapshot>) {
        let listing = match source.list() {
            Ok(listing) => listing,
            // Without a listing no document is known to be removed: all rules stay.
            Err(error) => return (self.report(Vec::new(), vec![error]), None),
        };
        let is_unread = self.rejected.values().any(|error| matches!(error, SourceError::Unreadable { .. }));
        if reads == Reads::Changed && listing == self.listing && listing.is_versioned() && !is_unread {
            return (self.report(Vec::new(), self.errors.clone()), None);
        }
        let mut next = Next { live, credentials, buckets: BTreeMap::new(), changed: Vec::new() };
        let mut rejected = BTreeMap::new();
        let mut errors = listing.errors.clone();
        for (slot, found) in &listing.documents {
            let document = match found.as_slice() {
                [] => continue,
                [document] => document,
                [.., other, last] => {
                    errors.push(SourceError::Twice { path: last.path.clone(), other: other.path.clone() });
                    next.keep(slot);
                    continue;
                }
            };
            let error = if reads == Reads::Changed && self.has_read(slot, document) {
                next.keep(slot);
                self.rejected.remove(slot)
            } else {
                next.read(source, slot, &document.path).err()
            };
            if let Some(error) = error {
                errors.push(error.clone());
                rejected.insert(slot.clone(), error);
            }
        }
        next.note_removed();
        (self.listing, self.rejected) = (listing, rejected);
        let labels = next.changed.iter().map(|slot| slot.label().to_owned()).collect();
        let snapshot = (!next.changed.is_empty()).then(|| next.into_snapshot());
        (self.report(labels, errors), snapshot)
    }

    /// Whether this content of a document was read already.
    fn has_read(&self, slot: &Slot, document: &Found) -> bool {
        let last = self.listing.documents.get(slot).map(Vec::as_slice);
        let is_unread = matches!(self.rejected.get(slot), Some(SourceError::Unreadable { .. }));
        document.version.is_some() && last == Some(std::slice::from_ref(document)) && !is_unread
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
    fn read(&mut self, source: &dyn Source, slot: &Slot, path: &Path) -> Result<(), SourceError> {
        let built = source.read(path).and_then(|bytes| build(slot, path, &bytes, self.credentials));
        match built {
            Ok(bucket) => {
                self.replace(slot, bucket);
                Ok(())
            }
            Err(error) => {
                self.keep(slot);
                Err(error)
            }
        }
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
