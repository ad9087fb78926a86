//! What can be wrong with a CORS document, in S3's words and with its place.
//!
//! Decides: the error codes and messages of `PutBucketCors`, and how an offset in a text becomes a line and a column.
//! Must not know: what a rule means.

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

/// A place in a text, as editors count: both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The place of the byte at `offset`; an offset behind the end means the end.
    #[must_use]
    pub fn of(text: &str, offset: usize) -> Self {
        Places::new(text).of(offset)
    }
}

/// Finds the places of many offsets in one walk through the text, as long as they ascend: a document of 64 KiB on one line can
/// hold thousands of values.
#[derive(Debug)]
pub(crate) struct Places<'t> {
    text: &'t str,
    offset: usize,
    position: Position,
}

impl<'t> Places<'t> {
    pub(crate) const fn new(text: &'t str) -> Self {
        Self { text, offset: 0, position: Position { line: 1, column: 1 } }
    }

    pub(crate) fn of(&mut self, offset: usize) -> Position {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        if offset < self.offset {
            *self = Self::new(self.text);
        }
        let passed = self.text.get(self.offset..offset).unwrap_or_default();
        if let Some(newline) = passed.rfind('\n') {
            self.position.line += passed.matches('\n').count();
            self.position.column = 1 + passed.get(newline + 1..).unwrap_or_default().chars().count();
        } else {
            self.position.column += passed.chars().count();
        }
        self.offset = offset;
        self.position
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
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

#[cfg(test)]
mod tests {
    use super::{Places, Position};

    #[test]
    fn a_position_counts_lines_and_characters_from_one() {
        let text = "añb\ncd";
        for (offset, line, column) in [(0, 1, 1), (1, 1, 2), (2, 1, 2), (3, 1, 3), (5, 2, 1), (6, 2, 2), (99, 2, 3)] {
            assert_eq!(Position::of(text, offset), Position { line, column }, "offset {offset}");
        }
    }

    #[test]
    fn places_are_the_same_in_whatever_order_they_are_asked_for() {
        let text = "añb\ncd\n\n€f";
        let mut places = Places::new(text);
        for offset in [0, 4, 4, 5, 9, 3, 12, 8, 99, 1] {
            assert_eq!(places.of(offset), Position::of(text, offset), "offset {offset}");
        }
    }
}
