//! Reads documents and prepares the rules in them.
//!
//! Decides: how many documents are read at the same time. Must not know: which rules are live.

use super::slot::Slot;
use super::snapshot::{Bucket, DocumentOrigin};
use super::source::{Source, SourceError, parse};
use s3_cors::{Credentials, Document, RuleTable, TermSet};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A document to read, and whose rules it holds.
pub(super) type Wanted<'l> = (&'l Slot, &'l Path);

/// What reading a document came to.
pub(super) type Loaded = Result<Arc<Bucket>, SourceError>;

/// Fewer documents than these are read one after the other: to start a thread takes as long as to read one.
const FEW: usize = 64;

/// Reads documents and prepares their rules.
pub(super) struct Loader<'l> {
    pub(super) source: &'l dyn Source,
    pub(super) credentials: Credentials,
    /// What equal rules share.
    pub(super) terms: &'l Mutex<TermSet>,
}

impl Loader<'_> {
    /// Loads documents on all processors. Returns what each came to, in their order. For a start only: requests need the processors
    /// later.
    pub(super) fn load_in_parallel(&self, wanted: &[Wanted<'_>]) -> Vec<Loaded> {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        if wanted.len() < FEW || processors == 1 {
            return self.load(wanted);
        }
        let share = wanted.len().div_ceil(processors);
        std::thread::scope(|scope| {
            let loading: Vec<_> = wanted.chunks(share).map(|share| scope.spawn(|| self.load(share))).collect();
            let joined =
                loading.into_iter().map(|thread| thread.join().unwrap_or_else(|e| std::panic::resume_unwind(e)));
            joined.flatten().collect()
        })
    }

    /// Loads documents one after the other.
    pub(super) fn load(&self, wanted: &[Wanted<'_>]) -> Vec<Loaded> {
        wanted.iter().map(|(slot, path)| self.load_one(slot, path)).collect()
    }

    fn load_one(&self, slot: &Slot, path: &Path) -> Loaded {
        Ok(self.prepare(slot, path, &parse(path, &self.source.read(path)?)?))
    }

    /// Prepares the rules of a document.
    pub(super) fn prepare(&self, slot: &Slot, path: &Path, document: &Document) -> Arc<Bucket> {
        let rules = {
            let mut terms = self.terms.lock().unwrap_or_else(PoisonError::into_inner);
            RuleTable::sharing(document.configuration(), self.credentials, &mut terms)
        };
        let origin = DocumentOrigin::new(path);
        Arc::new(Bucket { label: slot.label().into(), rules: Some(rules), origin: Some(origin) })
    }
}
