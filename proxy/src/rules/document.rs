//! One document: in which form it is written.

use super::source::SourceError;
use s3_cors::{Document, Format};
use std::ffi::OsStr;
use std::path::Path;

/// Reads a document in the form that its name says, or, for other names, that its first character shows.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Document, SourceError> {
    let format = match path.extension().and_then(OsStr::to_str) {
        Some("xml") => Format::Xml,
        Some("json") => Format::Json,
        _ => Format::detect(bytes),
    };
    Document::parse(bytes, format).map_err(|errors| SourceError::Invalid { path: path.to_owned(), errors })
}
