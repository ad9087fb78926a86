//! Where rule documents come from: a source lists them, reads them, and tells when they change.
//!
//! Decides: what a source is. Must not know: what is in a document, or what a reload makes of it. A path names a document within
//! its source: a file's path today, an object's key in a store.

mod allowed;
mod directory;
mod document;
mod durable;
mod notifications;
mod remote;
mod version;

pub use allowed::Allowed;
pub use directory::Directory;
pub(crate) use document::json_of;
pub(super) use document::parse;
pub use remote::BucketCors;

use super::slot::Slot;
use super::write::{Write, WriteError};
use crate::config::{Config, RulesSource};
use s3_cors::{Document, DocumentErrors};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the rules of a configuration come from.
#[must_use]
pub fn source_of(config: &Config) -> Box<dyn Source> {
    if !config.allow.is_empty() {
        return Box::new(Allowed::new(&config.allow));
    }
    let copy = config.rules.path.as_deref();
    match (config.rules.source, &config.rules.store) {
        (RulesSource::Store, Some(store)) => copied(remote::Objects::new(store.clone()), copy),
        (RulesSource::Upstream, _) => {
            copied(remote::UpstreamRules::new(&config.upstreams, config.routes.clone()), copy)
        }
        // The configuration is refused if it names a source and not where it is.
        _ => Box::new(Directory::new(config.rules.path().to_owned())),
    }
}

fn copied(source: impl Source + 'static, copy: Option<&Path>) -> Box<dyn Source> {
    match copy {
        Some(directory) => Box::new(remote::Copied::new(source, directory)),
        None => Box::new(source),
    }
}

/// A place that holds rule documents. Every method may block on I/O.
pub trait Source: Send + Sync {
    /// The place, as operators configured it.
    fn path(&self) -> &Path;

    /// Returns the path that a slot's document would have; `None` where there is no place for it.
    fn place_of(&self, slot: &Slot) -> Option<PathBuf> {
        let _ = slot;
        None
    }

    /// Lists the documents, without reading them.
    ///
    /// # Errors
    /// [`SourceError::Unreadable`] when the place cannot be listed.
    fn list(&self) -> Result<Listing, SourceError>;

    /// Reads a document, but never many more bytes than a valid one has.
    ///
    /// # Errors
    /// [`SourceError::Unreadable`] when it cannot be read.
    fn read(&self, path: &Path) -> Result<Vec<u8>, SourceError>;

    /// Reads a document once more for what its text says besides the rules, such as the places of warnings. It must not wait for a network:
    /// a page is waiting.
    ///
    /// # Errors
    /// [`SourceError::Unreadable`] also where the text cannot be had without one.
    fn read_again(&self, path: &Path) -> Result<Vec<u8>, SourceError> {
        self.read(path)
    }

    /// Writes a bucket's document, or removes it: durable when this returns, and the whole old or the whole new one at every moment until
    /// then. What was written is returned, and `None` for a document that was removed.
    ///
    /// # Errors
    /// [`WriteError`]; the old document stays, unless it says that this is not known.
    fn write(&self, write: &Write<'_>) -> Result<Option<Stored>, WriteError>;

    /// Begins to call `changed` when documents change. A source that cannot tell returns one that never calls: the poll remains.
    fn changes(&self, changed: Changed) -> Box<dyn Changes>;
}

/// The name of a slot's document in XML; `None` where the slot's name cannot be that of a document.
fn document_name(slot: &Slot) -> Option<String> {
    let is_outside = |character: char| character.is_control() || matches!(character, '/' | '\\');
    let may_be = |name: &str| !name.is_empty() && !name.starts_with(['.', '_']) && !name.contains(is_outside);
    match slot {
        Slot::Bucket(name) if !may_be(name) => None,
        slot => Some(format!("{}.xml", slot.label())),
    }
}

/// What a source calls when documents may have changed.
pub type Changed = Box<dyn Fn() + Send>;

/// A subscription to the changes of a source; it ends when dropped.
pub trait Changes: Send {
    /// Subscribes again where the subscription may have lost its object, such as a directory that was replaced.
    fn renew(&mut self);
}

/// The subscription to a source that cannot tell.
struct NoChanges;

impl Changes for NoChanges {
    fn renew(&mut self) {}
}

/// A document that a source lists.
#[derive(Clone, Debug, Eq)]
pub struct Found {
    /// Its name in the source.
    pub path: PathBuf,
    /// What it is now; `None` where the source cannot tell one content from the next.
    pub version: Option<Version>,
}

/// By the bytes of the path: to compare it part by part, as paths are compared, would take a quarter of a poll.
impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version && self.path.as_os_str() == other.path.as_os_str()
    }
}

/// A document as a source keeps it.
#[derive(Debug)]
pub struct Stored {
    /// Where.
    pub found: Found,
    /// The document that is there now.
    pub document: Document,
}

/// Which content a document has: as long as it is equal, so is the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Version(u64);

impl Version {
    /// The version with this number.
    #[must_use]
    pub const fn of(number: u64) -> Self {
        Self(number)
    }
}

/// The documents of a source, by whose rules they hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The documents of each slot; more than one is an error that the reload reports.
    pub documents: BTreeMap<Slot, Vec<Found>>,
    /// Names that are not allowed.
    pub errors: Vec<SourceError>,
    /// What is beside the documents and not one of them.
    pub passed_over: Vec<(PathBuf, WhyPassedOver)>,
}

/// Why something beside the documents is not one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyPassedOver {
    /// It has another ending.
    Ending,
    /// It is a directory.
    Directory,
    /// Its name is not Unicode, as every bucket's is.
    Name,
}

impl WhyPassedOver {
    /// The reason, for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ending => "its name does not end in .xml or .json",
            Self::Directory => "rules in subdirectories are not read",
            Self::Name => "its name is not UTF-8",
        }
    }
}

impl Listing {
    /// Whether every document has a version: then an equal listing is an equal source.
    #[must_use]
    pub fn is_versioned(&self) -> bool {
        self.documents.values().flatten().all(|found| found.version.is_some())
    }
}

/// What is wrong with a document of rules, or with the place that holds it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It cannot be read.
    #[error("{}: {reason}", path.display())]
    Unreadable {
        /// The document, or the place that holds documents.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Its name is not that of a bucket.
    #[error("{}: names that begin with _ are _default and _service only", path.display())]
    ReservedName {
        /// The document.
        path: PathBuf,
    },
    /// There is another document for the same bucket.
    #[error("{}: there is also {} for the same bucket; remove one of them", path.display(), other.display())]
    Twice {
        /// The document.
        path: PathBuf,
        /// The other one.
        other: PathBuf,
    },
    /// The document is not valid.
    #[error("{}", located(path, errors))]
    Invalid {
        /// The document.
        path: PathBuf,
        /// Everything wrong with it.
        errors: DocumentErrors,
    },
}

impl SourceError {
    /// Whether the same document may be readable the next time.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable { .. })
    }

    /// The document.
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
