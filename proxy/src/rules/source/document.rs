//! The form in which a document is read and written.

use super::SourceError;
use crate::rules::write::WriteError;
use s3_cors::{CorsConfiguration, Document, Format, MAX_DOCUMENT_LENGTH};
use serde_json::value::RawValue;
use std::ffi::OsStr;
use std::path::Path;

/// Reads a document in the form that its name says, or, for other names, that its first character shows.
pub(in crate::rules) fn parse(path: &Path, bytes: &[u8]) -> Result<Document, SourceError> {
    let format = match path.extension().and_then(OsStr::to_str) {
        Some("xml") => Format::Xml,
        Some("json") => Format::Json,
        _ => Format::detect(bytes),
    };
    Document::parse(bytes, format).map_err(|errors| SourceError::Invalid { path: path.to_owned(), errors })
}

/// The text of a configuration, in the form that the document's name says, and the document that reading it gives.
pub(in crate::rules::source) fn text_of(
    path: &Path,
    configuration: &CorsConfiguration,
) -> Result<(String, Document), WriteError> {
    let unwritable = |error: s3_cors::WriteError| WriteError::Document(error.to_string());
    let is_json = path.extension().and_then(OsStr::to_str) == Some("json");
    let mut text = if is_json { configuration.to_json() } else { configuration.to_xml() }.map_err(unwritable)?;
    // A document of nearly the longest length may only fit without the space that makes it readable.
    if text.len() > MAX_DOCUMENT_LENGTH {
        let compact = || serde_json::to_string(configuration).map_err(|error| WriteError::Document(error.to_string()));
        text = if is_json { compact()? } else { configuration.to_compact_xml().map_err(unwritable)? };
    }
    let document = parse(path, text.as_bytes()).map_err(|error| WriteError::Document(error.to_string()))?;
    Ok((text, document))
}

/// A configuration as the JSON of the AWS CLI, without spaces.
#[expect(clippy::expect_used, reason = "JSON can carry every text and number")]
pub(crate) fn json_of(configuration: &CorsConfiguration) -> Box<RawValue> {
    serde_json::value::to_raw_value(configuration).expect("texts and numbers")
}
