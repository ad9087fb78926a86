//! A write of a bucket's document: what is asked for, and what it came to.
//!
//! Decides: which signed write is too old. Must not know: who may write, or where documents are kept.

use s3_cors::CorsConfiguration;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What a caller who may write wants.
#[derive(Clone, Copy, Debug)]
pub struct Write<'w> {
    /// The bucket; its name is one that a bucket can have.
    pub bucket: &'w str,
    /// Its document from now on; `None` removes it.
    pub document: Option<&'w CorsConfiguration>,
    /// The time that the request was signed at.
    pub signed: SigningTime,
}

/// The time of a signature, which has whole seconds (SigV4).
#[derive(Clone, Copy, Debug)]
pub struct SigningTime {
    /// The time itself.
    pub at: SystemTime,
    /// True if the caller has seen each write of that second, and knows that this one is no replay of one of them.
    pub is_second_known: bool,
}

impl From<SystemTime> for SigningTime {
    fn from(at: SystemTime) -> Self {
        Self { at, is_second_known: true }
    }
}

impl Write<'_> {
    /// Rejects a write that was signed before the last one that was applied, or in the same second where that second is not known to the
    /// caller: a replay must not bring an old document back.
    ///
    /// # Errors
    /// [`WriteError::Stale`].
    pub fn follows(&self, last: Option<SystemTime>) -> Result<(), WriteError> {
        let SigningTime { at, is_second_known } = self.signed;
        match last {
            Some(last) if at < last || (at == last && !is_second_known) => Err(WriteError::Stale { last }),
            _ => Ok(()),
        }
    }
}

/// What a write changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// The document that was live until then.
    pub before: Option<Digest>,
    /// The one that is live now.
    pub after: Option<Digest>,
}

/// The SHA-256 of a configuration, whichever form it is kept in: of the JSON of the AWS CLI, without spaces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    pub(super) fn of(configuration: &str) -> Self {
        Self(Sha256::digest(configuration).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why a document was not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The last write of this bucket that was applied was signed later, or in the same second.
    #[error("no later than the last write of this bucket, which was signed at {}", humantime::format_rfc3339_seconds(*last))]
    Stale {
        /// When that one was signed.
        last: SystemTime,
    },
    /// No bucket can have this name.
    #[error("no bucket can have this name")]
    NoBucketName,
    /// Nothing can be written to the source.
    #[error("{}: rules cannot be written here: {reason}", place.display())]
    ReadOnly {
        /// The source.
        place: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The document has no form in which it can be stored.
    #[error("the document cannot be stored: {0}")]
    Document(String),
    /// The source failed. Whether the write will be live is not known.
    #[error("{}: {reason}", place.display())]
    Failed {
        /// The document, or the source.
        place: PathBuf,
        /// What the system says.
        reason: String,
    },
}

impl WriteError {
    /// Nothing can be written to this source.
    #[must_use]
    pub fn read_only(place: &Path, reason: &str) -> Self {
        Self::ReadOnly { place: place.to_owned(), reason: reason.to_owned() }
    }

    /// What the system's error means for a write to this place.
    pub(super) fn of_io(place: &Path, error: &io::Error) -> Self {
        let (place, reason) = (place.to_owned(), error.to_string());
        match error.kind() {
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly { place, reason },
            _ => Self::Failed { place, reason },
        }
    }
}
