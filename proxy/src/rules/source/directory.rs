//! Rules on disk: a directory with a document for each bucket, or one file for every bucket.

use super::durable;
use super::notifications::Notifications;
use super::version::version;
use super::{Changed, Changes, Found, Listing, Source, SourceError, Stored, WhyPassedOver, document_name};
use crate::config::told_with_place;
use crate::rules::slot::Slot;
use crate::rules::write::{Write, WriteError};
use s3_cors::{CorsConfiguration, MAX_DOCUMENT_LENGTH};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{DirEntry, File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A directory of rule documents, or a single file.
#[derive(Clone, Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// The directory or file at `path`.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Writes a bucket's document that no one signed, whole and durably. Returns its path, and whether it replaced another.
    ///
    /// # Errors
    /// [`WriteError`], with which the old document stays.
    pub fn import(&self, bucket: &str, configuration: &CorsConfiguration) -> Result<(PathBuf, bool), WriteError> {
        Slot::of_bucket(bucket).ok_or(WriteError::NoBucketName)?;
        durable::import(&self.0, bucket, configuration)
    }

    /// Writes the document of a bucket, or of the buckets that a label stands for, whole and durably, if there is none yet. Returns its
    /// path.
    ///
    /// # Errors
    /// [`WriteError`], with which nothing is written.
    pub fn create(&self, label: &str, configuration: &CorsConfiguration) -> Result<PathBuf, WriteError> {
        let slot = match Slot::from_stem(label) {
            Some(slot @ (Slot::Default | Slot::Service)) => Some(slot),
            _ => Slot::of_bucket(label),
        };
        let slot = slot.ok_or(WriteError::NoBucketName)?;
        durable::create_only(&self.0, slot.label(), configuration)
    }
}

impl Source for Directory {
    fn path(&self) -> &Path {
        &self.0
    }

    fn place_of(&self, slot: &Slot) -> Option<PathBuf> {
        document_name(slot).filter(|_| !self.0.is_file()).map(|name| self.0.join(name))
    }

    fn list(&self) -> Result<Listing, SourceError> {
        let (path, now) = (&self.0, SystemTime::now());
        let unreadable = |error: std::io::Error| unreadable(path, &error);
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_dir() {
            let only = Found { path: path.to_owned(), version: version(&metadata, now) };
            return Ok(Listing { documents: BTreeMap::from([(Slot::Default, vec![only])]), ..Listing::default() });
        }
        let mut listing = Listing::default();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            listing.add(&entry.map_err(unreadable)?, now);
        }
        listing.sort();
        Ok(listing)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(MAX_DOCUMENT_LENGTH as u64 + 1).read_to_end(&mut bytes))
            .map_err(|error| unreadable(path, &error))?;
        Ok(bytes)
    }

    fn write(&self, write: &Write<'_>) -> Result<Option<Stored>, WriteError> {
        durable::write(&self.0, write)
    }

    fn changes(&self, changed: Changed) -> Box<dyn Changes> {
        Box::new(Notifications::new(&self.0, changed))
    }
}

impl Listing {
    /// Adds a file whose name is that of a rules file. Others are passed over; the hidden ones among them, which editors and a
    /// ConfigMap's swap leave, need not be known.
    fn add(&mut self, entry: &DirEntry, now: SystemTime) {
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            return;
        }
        let stem = match rules_stem(Path::new(&name)) {
            Ok(stem) => stem,
            Err(why) => {
                let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                self.passed_over.push((entry.path(), if is_directory { WhyPassedOver::Directory } else { why }));
                return;
            }
        };
        match Slot::from_stem(stem) {
            None => self.errors.push(SourceError::ReservedName { path: entry.path() }),
            Some(slot) => {
                let version = metadata_of(entry).and_then(|metadata| version(&metadata, now));
                self.documents.entry(slot).or_default().push(Found { path: entry.path(), version });
            }
        }
    }

    /// The system lists in any order; the message about two files for one bucket must not change with it.
    fn sort(&mut self) {
        self.errors.sort_unstable_by(|a, b| a.path().cmp(b.path()));
        self.passed_over.sort_unstable();
        for found in self.documents.values_mut() {
            found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        }
    }
}

/// What the system knows about a file. Its directory is open, so that its whole path is followed for a link only.
fn metadata_of(entry: &DirEntry) -> Option<Metadata> {
    let is_link = entry.file_type().ok()?.is_symlink();
    if is_link { std::fs::metadata(entry.path()).ok() } else { entry.metadata().ok() }
}

/// The name without its ending, when it is one of a rules file.
pub(super) fn rules_stem(path: &Path) -> Result<&str, WhyPassedOver> {
    match path.extension().and_then(OsStr::to_str) {
        Some("xml" | "json") => path.file_stem().and_then(OsStr::to_str).ok_or(WhyPassedOver::Name),
        _ => Err(WhyPassedOver::Ending),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> SourceError {
    SourceError::Unreadable { path: path.to_owned(), reason: told_with_place(path, error) }
}
