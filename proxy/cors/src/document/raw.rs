//! What is read from either form before anybody judges it: texts with their places, and what is wrong so far.

use super::error::{DocumentError, DocumentErrors, ErrorCode, MAX_LISTED_ERRORS};
use crate::position::Places;

/// What S3 says to every breach of its schema (recorded).
const MALFORMED: &str = "The XML you provided was not well-formed or did not validate against our published schema";

/// A text of the document and the offset in bytes where it starts.
#[derive(Clone, Debug)]
pub(crate) struct RawValue {
    pub(crate) text: String,
    pub(crate) offset: usize,
}

/// A rule as it stands in the text; S3's schema allows `id` and `max_age` once, but that is checked here, not there.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawRule {
    pub(crate) offset: usize,
    pub(crate) ids: Vec<RawValue>,
    pub(crate) origins: Vec<RawValue>,
    pub(crate) methods: Vec<RawValue>,
    pub(crate) headers: Vec<RawValue>,
    pub(crate) expose: Vec<RawValue>,
    pub(crate) max_ages: Vec<RawValue>,
}

/// What is wrong, as it is found; places become lines and columns at the end.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

#[derive(Debug)]
struct Problem {
    code: ErrorCode,
    message: String,
    detail: Option<String>,
    offset: usize,
}

/// The document breaks the schema, at no place in particular.
pub(crate) fn malformed_as_a_whole(detail: String) -> DocumentError {
    DocumentError {
        code: ErrorCode::MalformedXml,
        message: MALFORMED.into(),
        detail: Some(detail),
        position: crate::Position::default(),
    }
}

impl Problems {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The document breaks the schema.
    pub(crate) fn malformed(&mut self, offset: usize, detail: impl Into<String>) {
        self.0.push(Problem {
            code: ErrorCode::MalformedXml,
            message: MALFORMED.into(),
            detail: Some(detail.into()),
            offset,
        });
    }

    /// A value is refused, in S3's words.
    pub(crate) fn invalid(&mut self, offset: usize, message: String) {
        self.0.push(Problem { code: ErrorCode::InvalidRequest, message, detail: None, offset });
    }

    /// The document is longer than S3 takes.
    pub(crate) fn too_long(&mut self, length: usize, longest: usize) {
        self.0.push(Problem {
            code: ErrorCode::MaxMessageLengthExceeded,
            message: "Your request was too big.".into(),
            detail: Some(format!("{length} bytes, and S3 takes at most {longest}")),
            offset: 0,
        });
    }

    /// Orders the problems as S3 checks (length, schema, values: [`ErrorCode`]'s own order), keeps the first
    /// [`MAX_LISTED_ERRORS`] and looks up only their places.
    pub(crate) fn resolve(mut self, text: &str) -> Option<DocumentErrors> {
        self.0.sort_by_key(|problem| problem.code);
        let unlisted = self.0.len().saturating_sub(MAX_LISTED_ERRORS);
        let mut places = Places::new(text);
        let place = |problem: Problem| DocumentError {
            code: problem.code,
            message: problem.message,
            detail: problem.detail,
            position: places.of(problem.offset),
        };
        DocumentErrors::new(self.0.into_iter().take(MAX_LISTED_ERRORS).map(place).collect(), unlisted)
    }
}
