//! What can be wrong with a CORS document, in S3's words and with its place.
//!
//! Decides: the error codes and messages of `PutBucketCors`.
//! Must not know: what a rule means.

use crate::Position;
use std::fmt;

/// The most errors that are listed for one document; the rest is only counted.
///
/// A document of 64 KiB can hold thousands of mistakes, and nobody reads the thousandth.
pub const MAX_LISTED_ERRORS: usize = 100;

/// S3's error codes for a refused document (all of them are HTTP 400).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// The document is longer than 65,536 bytes.
    MaxMessageLengthExceeded,
    /// The document is not well-formed or does not follow the schema.
    MalformedXml,
    /// The document follows the schema, but a value in it is refused.
    InvalidRequest,
}

impl ErrorCode {
    /// The code as S3 writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxMessageLengthExceeded => "MaxMessageLengthExceeded",
            Self::MalformedXml => "MalformedXML",
            Self::InvalidRequest => "InvalidRequest",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {code}: {message}{}", detail.as_deref().map(|d| format!(" ({d})")).unwrap_or_default())]
pub struct DocumentError {
    /// S3's error code.
    pub code: ErrorCode,
    /// S3's message, word for word.
    pub message: String,
    /// What exactly is wrong, where S3's message does not say it.
    pub detail: Option<String>,
    /// Where it is wrong.
    pub position: Position,
}

/// Everything wrong with a document: never empty, and first what S3 itself would answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentErrors {
    errors: Vec<DocumentError>,
    unlisted: usize,
}

impl DocumentErrors {
    /// Takes the errors that are to be listed, S3's own answer first, and how many more there are. `None` when there is none.
    pub(crate) fn new(errors: Vec<DocumentError>, unlisted: usize) -> Option<Self> {
        (!errors.is_empty()).then_some(Self { errors, unlisted })
    }

    pub(crate) fn one(error: DocumentError) -> Self {
        Self { errors: vec![error], unlisted: 0 }
    }

    /// The errors, S3's own answer first.
    pub fn iter(&self) -> std::slice::Iter<'_, DocumentError> {
        self.errors.iter()
    }

    /// How many more errors there are than [`iter`](Self::iter) lists.
    #[must_use]
    pub const fn unlisted(&self) -> usize {
        self.unlisted
    }
}

impl<'a> IntoIterator for &'a DocumentErrors {
    type Item = &'a DocumentError;
    type IntoIter = std::slice::Iter<'a, DocumentError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for DocumentErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        if self.unlisted > 0 {
            write!(f, "\nand {} more", self.unlisted)?;
        }
        Ok(())
    }
}

impl std::error::Error for DocumentErrors {}
