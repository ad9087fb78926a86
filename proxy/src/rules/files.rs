//! Which files are rules and for which bucket, and how one is read.

use s3_cors::{Document, DocumentErrors, Format, MAX_DOCUMENT_LENGTH};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Whose rules a document holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// One bucket's.
    Bucket(Box<str>),
    /// Those of every bucket that has none of its own.
    Default,
    /// Those of requests without a bucket.
    Service,
}

impl Slot {
    /// What metrics, logs and the status call it.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::Bucket(name) => name,
            Self::Default => "_default",
            Self::Service => "_service",
        }
    }

    fn from_stem(stem: &str) -> Option<Self> {
        match stem {
            "_default" => Some(Self::Default),
            "_service" => Some(Self::Service),
            // No bucket's name begins so (S3 user guide, bucket naming rules): the names stay free for what comes.
            _ if stem.starts_with('_') => None,
            _ => Some(Self::Bucket(stem.into())),
        }
    }
}

/// What is wrong with a file of rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It can not be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Its name says no bucket.
    #[error("{}: names that begin with _ are _default and _service only", path.display())]
    ReservedName {
        /// The file.
        path: PathBuf,
    },
    /// There is another file for the same bucket.
    #[error("{}: there is also {} for the same bucket; remove one of them", path.display(), other.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The other one.
        other: PathBuf,
    },
    /// The document is not valid.
    #[error("{}", located(path, errors))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Everything wrong with it.
        errors: DocumentErrors,
    },
}

impl FileError {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Unreadable { path, .. }
            | Self::ReservedName { path }
            | Self::Twice { path, .. }
            | Self::Invalid { path, .. } => path,
        }
    }
}

fn located(path: &Path, errors: &DocumentErrors) -> String {
    let mut lines: Vec<_> = errors.iter().map(|error| format!("{}:{error}", path.display())).collect();
    if errors.unlisted() > 0 {
        lines.push(format!("{}: and {} more", path.display(), errors.unlisted()));
    }
    lines.join("\n")
}

/// The files that hold rules, by whose they are; names that are no rules (hidden, other endings) are passed over.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// The files of each slot: one, or the listing says something impossible.
    pub(super) files: BTreeMap<Slot, Vec<PathBuf>>,
    /// Names that say no slot.
    pub(super) errors: Vec<FileError>,
}

impl Listing {
    /// Lists a directory, or takes a single file as the default for every bucket.
    ///
    /// # Errors
    /// [`FileError::Unreadable`] when there is neither.
    pub(super) fn of(path: &Path) -> Result<Self, FileError> {
        let unreadable = |error: std::io::Error| unreadable(path, &error);
        if !std::fs::metadata(path).map_err(unreadable)?.is_dir() {
            return Ok(Self { files: BTreeMap::from([(Slot::Default, vec![path.to_owned()])]), errors: Vec::new() });
        }
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            paths.push(entry.map_err(unreadable)?.path());
        }
        // The system lists in any order; what is said about two files for one bucket should not change with it.
        paths.sort_unstable();
        let mut listing = Self::default();
        for path in paths {
            listing.add(path);
        }
        Ok(listing)
    }

    fn add(&mut self, path: PathBuf) {
        let Some(stem) = rules_stem(&path) else { return };
        match Slot::from_stem(stem) {
            None => self.errors.push(FileError::ReservedName { path }),
            Some(slot) => self.files.entry(slot).or_default().push(path),
        }
    }
}

/// The name without its ending, when it is one of a rules file.
fn rules_stem(path: &Path) -> Option<&str> {
    let is_rules = matches!(path.extension().and_then(OsStr::to_str), Some("xml" | "json"));
    let stem = path.file_stem().and_then(OsStr::to_str)?;
    (is_rules && !stem.starts_with('.')).then_some(stem)
}

/// The bytes of a file, but never many more than a document may have.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_DOCUMENT_LENGTH as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, &error))?;
    Ok(bytes)
}

/// Reads the document in a file's bytes, in the form that the name says, or that they look like.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Document, FileError> {
    let format = match path.extension().and_then(OsStr::to_str) {
        Some("xml") => Format::Xml,
        Some("json") => Format::Json,
        _ => Format::detect(bytes),
    };
    Document::parse(bytes, format).map_err(|errors| FileError::Invalid { path: path.to_owned(), errors })
}

fn unreadable(path: &Path, error: &std::io::Error) -> FileError {
    FileError::Unreadable { path: path.to_owned(), reason: error.to_string() }
}
