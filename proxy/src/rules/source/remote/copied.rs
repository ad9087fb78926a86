//! A source on another machine with a copy of its documents on disk, for a start while that machine is away.
//!
//! Decides: when the copy is used. It is used for the first reading only: later the rules that are live are at least as good.

use crate::rules::slot::Slot;
use crate::rules::source::durable::create_document;
use crate::rules::source::{Changed, Changes, Directory, Found, Listing, Source, SourceError, Stored};
use crate::rules::write::{Write, WriteError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where the copy is, below a directory that may hold other rules: hidden names are no documents.
const COPY: &str = ".s3cors/copy";

/// The time that a copy that cannot be written stays unmentioned after it was logged. A volume that is read-only fails with every poll.
const SILENCE: Duration = Duration::from_secs(3600);

/// The last words of the log about the writing of the copy.
#[derive(Default)]
struct Failing {
    /// The failure, and when it was logged; `None` while the copy can be written.
    logged: Option<(String, Instant)>,
    /// The failures since the copy was last complete.
    count: u64,
}

impl Failing {
    /// Counts a failure. Returns how many there were, where that is to be logged now: it is another one, or time has passed.
    fn add(&mut self, error: &str, now: Instant) -> Option<u64> {
        self.count += 1;
        let is_known =
            |(logged, at): &(String, Instant)| logged == error && now.saturating_duration_since(*at) < SILENCE;
        if self.logged.as_ref().is_some_and(is_known) {
            return None;
        }
        self.logged = Some((error.to_owned(), now));
        Some(self.count)
    }
}

/// A source and the copy of its documents.
pub(in crate::rules::source) struct Copied<S> {
    source: S,
    copy: PathBuf,
    /// Whether the first reading was tried.
    has_begun: AtomicBool,
    /// Whether the documents of the last listing are those of the copy.
    is_away: AtomicBool,
    /// The removal of documents from the copy, which each listing tries.
    failing_to_forget: Mutex<Failing>,
    /// The writing of documents to it.
    failing_to_keep: Mutex<Failing>,
}

impl<S: Source> Copied<S> {
    pub(in crate::rules::source) fn new(source: S, directory: &Path) -> Self {
        let (has_begun, is_away) = (AtomicBool::new(false), AtomicBool::new(false));
        Self {
            source,
            copy: directory.join(COPY),
            has_begun,
            is_away,
            failing_to_forget: Mutex::default(),
            failing_to_keep: Mutex::default(),
        }
    }

    fn in_copy(&self, path: &Path) -> PathBuf {
        self.copy.join(path.file_name().unwrap_or_default())
    }

    /// The documents of the copy, under the names that they have in the source.
    fn listing_of_copy(&self) -> Option<Listing> {
        let listing = Directory::new(self.copy.clone()).list().ok()?;
        let place = self.source.path();
        let named =
            |found: Found| Found { path: place.join(found.path.file_name().unwrap_or_default()), version: None };
        let documents =
            listing.documents.into_iter().map(|(slot, found)| (slot, found.into_iter().map(named).collect())).collect();
        Some(Listing { documents, ..Listing::default() })
    }

    /// Removes what the source no longer has, so that a start cannot bring it back.
    fn forget_removed(&self, listing: &Listing) -> io::Result<()> {
        std::fs::create_dir_all(&self.copy)?;
        let kept: Vec<_> = listing.documents.values().flatten().filter_map(|found| found.path.file_name()).collect();
        for entry in std::fs::read_dir(&self.copy)? {
            let entry = entry?;
            if !kept.contains(&&*entry.file_name()) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// A document that is being written has a name that is none of a document.
    fn keep(&self, path: &Path, text: &[u8]) -> io::Result<()> {
        let path = self.in_copy(path);
        let new = path.with_extension("new");
        let mut file = create_document(&new)?;
        file.write_all(text)?;
        file.sync_all()?;
        std::fs::rename(new, path)
    }

    /// Logs that the copy could not be written, once for each reason and then now and again, and that it could again.
    fn say(&self, step: &Mutex<Failing>, written: io::Result<()>) {
        let (mut failing, copy) = (step.lock().unwrap_or_else(PoisonError::into_inner), self.copy.display());
        match written {
            Ok(()) if failing.count > 0 => {
                let failed = std::mem::take(&mut *failing).count;
                tracing::info!(%copy, failed, "the copy of the rules can be written again");
            }
            Ok(()) => {}
            Err(error) => {
                if let Some(failed) = failing.add(&error.to_string(), Instant::now()) {
                    tracing::warn!(%error, %copy, failed, "the copy of the rules is not complete");
                }
            }
        }
    }
}

impl<S: Source> Source for Copied<S> {
    fn path(&self) -> &Path {
        self.source.path()
    }

    fn place_of(&self, slot: &Slot) -> Option<PathBuf> {
        self.source.place_of(slot)
    }

    fn list(&self) -> Result<Listing, SourceError> {
        let is_first = !self.has_begun.swap(true, Ordering::Relaxed);
        match self.source.list() {
            Ok(listing) => {
                self.is_away.store(false, Ordering::Relaxed);
                self.say(&self.failing_to_forget, self.forget_removed(&listing));
                Ok(listing)
            }
            Err(error) if is_first => match self.listing_of_copy() {
                Some(listing) => {
                    tracing::warn!(%error, copy = %self.copy.display(), "the rules are those of the copy");
                    self.is_away.store(true, Ordering::Relaxed);
                    Ok(listing)
                }
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, SourceError> {
        if self.is_away.load(Ordering::Relaxed) {
            return Directory::new(self.copy.clone()).read(&self.in_copy(path));
        }
        let text = self.source.read(path)?;
        self.say(&self.failing_to_keep, self.keep(path, &text));
        Ok(text)
    }

    fn read_again(&self, path: &Path) -> Result<Vec<u8>, SourceError> {
        Directory::new(self.copy.clone()).read(&self.in_copy(path))
    }

    fn write(&self, write: &Write<'_>) -> Result<Option<Stored>, WriteError> {
        let stored = self.source.write(write)?;
        // Without a version it is read, and copied, with the next look.
        Ok(stored.map(|Stored { found, document }| Stored { found: Found { version: None, ..found }, document }))
    }

    fn changes(&self, changed: Changed) -> Box<dyn Changes> {
        self.source.changes(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_cannot_be_written_is_logged_once_for_each_reason_and_then_now_and_again() {
        let (mut failing, start) = (Failing::default(), Instant::now());
        let mut after = |minute: u64, error: &str| failing.add(error, start + Duration::from_secs(60 * minute));
        assert_eq!(after(0, "read-only"), Some(1));
        assert_eq!((1..60).filter_map(|minute| after(minute, "read-only")).count(), 0);
        assert_eq!(after(60, "read-only"), Some(61));
        assert_eq!(after(61, "no space"), Some(62), "another reason");
        assert_eq!(after(62, "no space"), None);
    }
}
