//! What a look at the files finds: what is new and valid replaces, what is not valid leaves the last good rules.

use super::files::{FileError, Listing, Slot, parse, read};
use super::snapshot::{Bucket, Snapshot, Source};
use s3_cors::{Credentials, RuleTable};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Makes what the caller keeps beside a bucket's rules, from its label and its rules.
pub type Prepare<P> = Box<dyn Fn(&str, Option<&RuleTable>) -> P + Send + Sync>;

/// Where rules come from and what is made of them.
pub(super) struct Loader<P> {
    pub(super) path: PathBuf,
    pub(super) credentials: Credentials,
    pub(super) prepare: Prepare<P>,
}

/// What a reload came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The rules are others now.
    Applied,
    /// The files say what is live already.
    Unchanged,
    /// Something on disk is not valid; what is valid was applied all the same.
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
    /// The labels whose rules are others now, or gone.
    pub changed: Vec<String>,
    /// Everything wrong on disk.
    pub errors: Vec<FileError>,
    /// Whether the disk shows something else than at the last look: a watcher that sees nothing new has nothing to tell.
    pub news: bool,
}

/// What was last seen on disk.
#[derive(Debug, Default)]
pub(super) struct State {
    files: BTreeMap<Slot, Seen>,
    errors: Vec<FileError>,
}

#[derive(Debug)]
struct Seen {
    path: PathBuf,
    bytes: Vec<u8>,
    error: Option<FileError>,
}

impl State {
    pub(super) fn errors(&self) -> &[FileError] {
        &self.errors
    }

    /// Looks at the files and builds the next snapshot, if it differs from the live one.
    pub(super) fn look<P>(&mut self, loader: &Loader<P>, live: &Snapshot<P>) -> (Report, Option<Snapshot<P>>) {
        let listing = match Listing::of(&loader.path) {
            Ok(listing) => listing,
            // Without a directory nothing is known to be removed: all rules stay.
            Err(error) => return (self.report(Vec::new(), vec![error]), None),
        };
        let mut next = Next { buckets: BTreeMap::new(), changed: Vec::new() };
        let mut seen = BTreeMap::new();
        let mut errors = listing.errors;
        for (slot, mut paths) in listing.files {
            let Some(path) = paths.pop() else { continue };
            if let Some(other) = paths.pop() {
                errors.push(FileError::Twice { path, other });
                next.keep(&slot, live);
                continue;
            }
            let file = self.read_file(loader, live, &slot, path, &mut next);
            errors.extend(file.error.clone());
            seen.insert(slot, file);
        }
        next.note_removed(live);
        self.files = seen;
        let changed = !next.changed.is_empty();
        let labels = next.changed.iter().map(|slot| slot.label().to_owned()).collect();
        let snapshot = changed.then(|| next.into_snapshot(live));
        (self.report(labels, errors), snapshot)
    }

    fn read_file<P>(
        &mut self,
        loader: &Loader<P>,
        live: &Snapshot<P>,
        slot: &Slot,
        path: PathBuf,
        next: &mut Next<P>,
    ) -> Seen {
        let last = self.files.remove(slot).filter(|last| last.path == path);
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                next.keep(slot, live);
                return Seen { path, bytes: Vec::new(), error: Some(error) };
            }
        };
        if let Some(last) =
            last.filter(|last| last.bytes == bytes && !matches!(last.error, Some(FileError::Unreadable { .. })))
        {
            next.keep(slot, live);
            return last;
        }
        let error = match loader.build(slot, &path, &bytes) {
            Ok(bucket) => {
                next.replace(slot, bucket, live);
                None
            }
            Err(error) => {
                next.keep(slot, live);
                Some(error)
            }
        };
        Seen { path, bytes, error }
    }

    fn report(&mut self, changed: Vec<String>, errors: Vec<FileError>) -> Report {
        let news = !changed.is_empty() || self.errors != errors;
        self.errors.clone_from(&errors);
        let outcome = match (errors.is_empty(), changed.is_empty()) {
            (false, _) => Outcome::Rejected,
            (true, false) => Outcome::Applied,
            (true, true) => Outcome::Unchanged,
        };
        Report { outcome, changed, errors, news }
    }
}

/// The snapshot in the making.
struct Next<P> {
    buckets: BTreeMap<Slot, Arc<Bucket<P>>>,
    changed: Vec<Slot>,
}

impl<P> Next<P> {
    fn keep(&mut self, slot: &Slot, live: &Snapshot<P>) {
        if let Some(bucket) = live.get(slot) {
            self.buckets.insert(slot.clone(), Arc::clone(bucket));
        }
    }

    /// A file that says the same in other words (a comment, the other form) changes nothing.
    fn replace(&mut self, slot: &Slot, bucket: Bucket<P>, live: &Snapshot<P>) {
        let same = |source: &Option<Source>| source.as_ref().map(|s| (s.path.clone(), s.configuration.clone()));
        let unchanged = live.get(slot).is_some_and(|live| same(&live.source) == same(&bucket.source));
        if unchanged {
            return self.keep(slot, live);
        }
        self.changed.push(slot.clone());
        self.buckets.insert(slot.clone(), Arc::new(bucket));
    }

    fn note_removed(&mut self, live: &Snapshot<P>) {
        let named = live.buckets.keys().map(|name| Slot::Bucket(name.clone()));
        let gone = named.chain([Slot::Default, Slot::Service]);
        let gone: Vec<_> = gone.filter(|slot| live.get(slot).is_some() && !self.buckets.contains_key(slot)).collect();
        self.changed.extend(gone);
    }

    fn into_snapshot(self, live: &Snapshot<P>) -> Snapshot<P> {
        let mut snapshot =
            Snapshot { buckets: HashMap::new(), default: None, service: None, other: Arc::clone(&live.other) };
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

impl<P> Loader<P> {
    fn build(&self, slot: &Slot, path: &Path, bytes: &[u8]) -> Result<Bucket<P>, FileError> {
        let document = parse(path, bytes)?;
        let warnings = document.warnings();
        let rules = RuleTable::new(document.configuration(), self.credentials);
        Ok(Bucket {
            label: slot.label().into(),
            prepared: (self.prepare)(slot.label(), Some(&rules)),
            rules: Some(rules),
            source: Some(Source { path: path.to_owned(), configuration: document.into_configuration(), warnings }),
        })
    }
}
