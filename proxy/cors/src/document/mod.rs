//! A document in either form, from bytes to a valid configuration or to all that is wrong with it.
//!
//! Both forms are read into the same raw rules, texts with their places; `validate` makes values of them. Must not know: XML or
//! JSON syntax.

pub(crate) mod error;
mod hint;
mod json;
mod lint;
pub(crate) mod model;
pub(crate) mod problem;
mod raw;
mod validate;
pub(crate) mod warning;
pub(crate) mod write;
pub(crate) mod xml;

use crate::CorsConfiguration;
use crate::position::Position;
use error::{DocumentErrors, Problems};
use problem::Problem;
use raw::RawRule;

/// The longest document in bytes (S3: bad-65537-bytes).
pub const MAX_DOCUMENT_LENGTH: usize = 64 * 1024;

/// The elements of a rule in XML (S3 API, `CORSRule`).
const RULE_ELEMENTS: [&str; 6] =
    ["ID", "AllowedHeader", "AllowedMethod", "AllowedOrigin", "ExposeHeader", "MaxAgeSeconds"];

/// The two forms of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// The XML of `PutBucketCors`.
    Xml,
    /// The JSON of the AWS CLI, `{"CORSRules": […]}`, or the list alone as the S3 console shows it.
    Json,
}

impl Format {
    /// JSON when the first character is `{` or `[`, else XML.
    #[must_use]
    pub fn detect(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match bytes.trim_ascii_start().first() {
            Some(b'{' | b'[') => Self::Json,
            _ => Self::Xml,
        }
    }
}

/// A valid document: its configuration, and where in the text each part of it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    configuration: CorsConfiguration,
    places: Vec<RulePlaces>,
}

/// Where the parts of a rule stand, in the order of the rule's own lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct RulePlaces {
    rule: Position,
    origins: Vec<Position>,
    max_age: Option<Position>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// [`DocumentErrors`]: everything that S3 would reject, each with its place.
    #[expect(clippy::expect_used, reason = "without a problem the number of rules was checked by the same function")]
    pub fn parse(bytes: &[u8], format: Format) -> Result<Self, DocumentErrors> {
        let mut problems = Problems::default();
        let (text, raw) = read(bytes, format, &mut problems);
        let places = validate::places(text, &raw);
        let rules = validate::rules(raw, &mut problems);
        if let Some(errors) = problems.resolve(text) {
            return Err(errors);
        }
        let configuration = CorsConfiguration::new(rules).expect("a number of rules without a problem");
        Ok(Self { configuration, places })
    }

    /// The configuration.
    #[must_use]
    pub const fn configuration(&self) -> &CorsConfiguration {
        &self.configuration
    }

    /// The configuration, without the places.
    #[must_use]
    pub fn into_configuration(self) -> CorsConfiguration {
        self.configuration
    }
}

fn read<'a>(bytes: &'a [u8], format: Format, problems: &mut Problems) -> (&'a str, Vec<RawRule>) {
    if bytes.len() > MAX_DOCUMENT_LENGTH {
        problems.push(0, Problem::TooLong(bytes.len()));
        return ("", Vec::new());
    }
    let whole = bytes.len();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            // Counted in the file, its byte order mark included.
            let number = whole - bytes.len() + error.valid_up_to() + 1;
            problems.push(error.valid_up_to(), Problem::NotUtf8(number));
            let valid = bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok());
            return (valid.unwrap_or_default(), Vec::new());
        }
    };
    let rules = match format {
        Format::Xml => xml::read(text, problems),
        Format::Json => json::read(text, problems),
    };
    (text, rules)
}
