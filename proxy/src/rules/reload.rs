//! What a reload comes to: what is new and valid replaces, what is not valid leaves the last good rules.

use super::load::{Loader, Wanted};
use super::remark::{Remark, named};
use super::slot::Slot;
use super::snapshot::{Bucket, Snapshot};
use super::source::{Found, Listing, Source, SourceError, Stored};
use s3_cors::{Credentials, TermSet};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
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

names!(Outcome: Applied = "applied", Unchanged = "unchanged", Rejected = "rejected");

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
    /// What is to know about the source and was not known before.
    pub remarks: Vec<Remark>,
}

impl Report {
    /// Logs what the reload came to; `rules` is the number of rules that are live now, `set` names a set that is not the live one.
    pub(super) fn log(&self, rules: usize, set: Option<&str>) {
        let changed = named(&self.changed);
        match self.outcome {
            Outcome::Applied => tracing::info!(set, changed, rules, "rules reloaded"),
            Outcome::Unchanged => tracing::info!(set, rules, "rules unchanged"),
            Outcome::Rejected => {
                for error in &self.errors {
                    tracing::error!(set, %error, changed, "rules rejected; the last good ones stay");
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
    /// The documents that have no place among the rules, and why.
    rejected: BTreeMap<Slot, SourceError>,
    errors: Vec<SourceError>,
    remarks: Vec<Remark>,
    terms: Mutex<TermSet>,
}

/// Which documents are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// All, on all processors: nothing is served yet.
    First,
    /// Those whose version is not the one that was read last.
    Changed,
    /// All: someone asked for it, and may know more than the source.
    All,
}

impl Reading {
    pub(super) fn documents(&self) -> usize {
        self.listing.documents.len()
    }

    pub(super) fn errors(&self) -> &[SourceError] {
        &self.errors
    }

    pub(super) fn remarks(&self) -> &[Remark] {
        &self.remarks
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
        let is_unread = self.rejected.values().any(SourceError::is_unreadable);
        if reads == Reads::Changed && listing == self.listing && listing.is_versioned() && !is_unread {
            return (self.report(Vec::new(), self.errors.clone()), None);
        }
        let (wanted, mut rejected) = self.sort(&listing, reads);
        let loader = Loader { source, credentials, terms: &self.terms };
        let loaded = if reads == Reads::First { loader.load_in_parallel(&wanted) } else { loader.load(&wanted) };
        let mut next = Next { live, edited: None, changed: Vec::new() };
        for ((slot, _), loaded) in wanted.into_iter().zip(loaded) {
            match loaded {
                Ok(bucket) => next.replace(slot, bucket),
                // The last good rules stay.
                Err(error) => drop(rejected.insert(slot.clone(), error)),
            }
        }
        let is_gone = |slot: &&Slot| !listing.documents.contains_key(*slot);
        self.listing.documents.keys().filter(is_gone).for_each(|slot| next.remove(slot));
        let (changed, edited) = (next.changed, next.edited);
        let errors = listing.errors.iter().chain(rejected.values()).cloned().collect();
        let remarks = Remark::about(&listing, source.path());
        let is_new = |remark: &&Remark| self.remarks.binary_search(remark).is_err();
        let new = remarks.iter().filter(is_new).cloned().collect();
        (self.listing, self.rejected, self.remarks) = (listing, rejected, remarks);
        // Those of the rules that are live until now go with the next reload.
        self.terms.get_mut().unwrap_or_else(PoisonError::into_inner).forget_unused();
        (Report { remarks: new, ..self.report(changed, errors) }, edited)
    }

    /// Takes over a document that was just written, or removed, without reading the source again.
    pub(super) fn written(
        &mut self,
        source: &dyn Source,
        (slot, stored): (&Slot, Option<Stored>),
        credentials: Credentials,
        live: &Snapshot,
    ) -> (Report, Option<Snapshot>) {
        let mut next = Next { live, edited: None, changed: Vec::new() };
        match stored {
            None => {
                self.listing.documents.remove(slot);
                next.remove(slot);
            }
            Some(Stored { found, document }) => {
                let loader = Loader { source, credentials, terms: &self.terms };
                next.replace(slot, loader.prepare(slot, &found.path, &document));
                self.listing.documents.insert(slot.clone(), vec![found]);
            }
        }
        let (changed, edited) = (next.changed, next.edited);
        self.rejected.remove(slot);
        let errors = self.listing.errors.iter().chain(self.rejected.values()).cloned().collect();
        (self.report(changed, errors), edited)
    }

    /// Which documents are to be read, and which are rejected without: two for one slot, or one that was read already.
    fn sort<'l>(&self, listing: &'l Listing, reads: Reads) -> (Vec<Wanted<'l>>, BTreeMap<Slot, SourceError>) {
        let (mut wanted, mut rejected) = (Vec::new(), BTreeMap::new());
        for (slot, found) in &listing.documents {
            let error = match found.as_slice() {
                [] => None,
                [document] if reads == Reads::Changed && self.has_read(slot, document) => {
                    self.rejected.get(slot).cloned()
                }
                [document] => {
                    wanted.push((slot, &*document.path));
                    None
                }
                [.., other, last] => Some(SourceError::Twice { path: last.path.clone(), other: other.path.clone() }),
            };
            if let Some(error) = error {
                rejected.insert(slot.clone(), error);
            }
        }
        (wanted, rejected)
    }

    /// Whether this content of a document was read already.
    fn has_read(&self, slot: &Slot, document: &Found) -> bool {
        let last = self.listing.documents.get(slot).map(Vec::as_slice);
        let is_unread = self.rejected.get(slot).is_some_and(SourceError::is_unreadable);
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
        Report { outcome, changed, errors, is_news, remarks: Vec::new() }
    }
}

/// The snapshot in the making: a copy of the live one, made when the first rules differ.
struct Next<'l> {
    live: &'l Snapshot,
    edited: Option<Snapshot>,
    /// The labels of what differs.
    changed: Vec<String>,
}

impl Next<'_> {
    fn replace(&mut self, slot: &Slot, bucket: Arc<Bucket>) {
        if self.live.get(slot).is_none_or(|live| !bucket.means_the_same_as(live)) {
            self.set(slot, Some(bucket));
        }
    }

    fn remove(&mut self, slot: &Slot) {
        if self.live.get(slot).is_some() {
            self.set(slot, None);
        }
    }

    fn set(&mut self, slot: &Slot, bucket: Option<Arc<Bucket>>) {
        self.changed.push(slot.label().to_owned());
        self.edited.get_or_insert_with(|| self.live.clone()).set(slot, bucket);
    }
}
