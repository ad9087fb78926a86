//! What is wrong with a document, each problem with its place.
//!
//! Decides: the order of the errors, and how many are listed. Must not know: what can be wrong ([`Problem`]).

use super::problem::{ErrorCode, Problem};
use super::syntax::Mistake;
use super::warning::Warning;
use crate::position::{Places, Position};
use std::borrow::Cow;
use std::fmt;

/// The most errors that are listed for one document; the rest is only counted.
///
/// A document of 64 KiB can hold thousands of mistakes, and no one reads the thousandth.
pub const MAX_LISTED_ERRORS: usize = 100;

/// One thing wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    problem: Problem,
    position: Position,
}

impl DocumentError {
    /// What is wrong.
    #[must_use]
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Where it is wrong.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// S3's error code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        self.problem.code()
    }

    /// S3's message, word for word.
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        self.problem.message()
    }

    /// S3's message, which speaks of XML, or that the text is neither XML nor JSON.
    #[must_use]
    pub fn summary(&self) -> Cow<'_, str> {
        if self.problem.is_in_another_syntax() { "The document is not in S3's form".into() } else { self.message() }
    }

    /// What exactly is wrong, where S3's message does not say it.
    #[must_use]
    pub fn detail(&self) -> Option<Cow<'_, str>> {
        self.problem.detail()
    }

    /// What to write instead, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        self.problem.hint()
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.position, self.code(), self.summary())?;
        if let Some(detail) = self.detail() {
            write!(f, " ({detail})")?;
        }
        self.hint().map_or(Ok(()), |hint| write!(f, "; hint: {hint}"))
    }
}

impl std::error::Error for DocumentError {}

/// Everything wrong with a document: never empty, S3's own error first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentErrors {
    errors: Vec<DocumentError>,
    unlisted: usize,
    warnings: Vec<Warning>,
}

impl DocumentErrors {
    /// The errors, S3's own first.
    pub fn iter(&self) -> std::slice::Iter<'_, DocumentError> {
        self.errors.iter()
    }

    /// How many more errors there are than [`iter`](Self::iter) lists.
    #[must_use]
    pub const fn unlisted(&self) -> usize {
        self.unlisted
    }

    /// The warnings about what can be read in spite of the errors, in the order of the rules.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    pub(super) fn with_warnings(self, warnings: Vec<Warning>) -> Self {
        Self { warnings, ..self }
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

/// The problems of a document as they are found, each with its byte offset.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<(usize, Problem)>);

impl Problems {
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true where this mistake was found.
    pub(super) fn has(&self, mistake: Mistake) -> bool {
        self.0
            .iter()
            .any(|(_, problem)| matches!(problem, Problem::Mistake { mistake: found, .. } if *found == mistake))
    }

    /// Returns true where the author's mistake is known.
    pub(super) fn has_mistake(&self) -> bool {
        self.0.iter().any(|(_, problem)| matches!(problem, Problem::Mistake { .. }))
    }

    /// Where they are, ascending.
    pub(super) fn offsets(&self) -> Vec<usize> {
        let mut offsets: Vec<_> = self.0.iter().map(|(offset, _)| *offset).collect();
        offsets.sort_unstable();
        offsets
    }

    pub(crate) fn push(&mut self, offset: usize, problem: impl Into<Problem>) {
        self.0.push((offset, problem.into()));
    }

    /// Puts one problem in the place of all, where the document begins.
    pub(crate) fn replace(&mut self, problem: Problem, text: &str) {
        let root = self.0.iter().find(|(_, problem)| matches!(problem, Problem::WrongRoot { .. }));
        let start = root.map_or(text.len() - text.trim_start().len(), |(offset, _)| *offset);
        self.0 = vec![(start, problem)];
    }

    /// Orders the problems as S3 checks ([`ErrorCode`]), keeps the first [`MAX_LISTED_ERRORS`] and looks up only their places.
    /// `None` without a problem.
    pub(crate) fn resolve(mut self, text: &str) -> Option<DocumentErrors> {
        self.0.sort_by_key(|(_, problem)| problem.code());
        let unlisted = self.0.len().saturating_sub(MAX_LISTED_ERRORS);
        let mut places = Places::new(text);
        let listed = self.0.into_iter().take(MAX_LISTED_ERRORS);
        let errors: Vec<_> =
            listed.map(|(offset, problem)| DocumentError { problem, position: places.of(offset) }).collect();
        (!errors.is_empty()).then_some(DocumentErrors { errors, unlisted, warnings: Vec::new() })
    }
}
