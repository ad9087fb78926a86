//! A document in either form, from bytes to a valid configuration or to all that is wrong with it.
//!
//! Both forms are read into the same raw rules, texts with their places; `validate` makes values of them. Must not know: XML or
//! JSON syntax.

pub(crate) mod error;
pub(crate) mod foreign;
mod hint;
mod json;
pub(crate) mod lint;
pub(crate) mod model;
pub(crate) mod namespace;
pub(crate) mod problem;
pub(crate) mod profile;
mod raw;
mod readable;
pub(crate) mod requests;
pub(crate) mod syntax;
mod validate;
pub(crate) mod warning;
pub(crate) mod write;
pub(crate) mod xml;

use crate::CorsConfiguration;
use crate::position::Position;
use error::{DocumentErrors, Problems};
use foreign::ForeignForm;
use problem::Problem;
use raw::RawRule;
use syntax::Mistake;

/// The longest document in bytes (S3: bad-65537-bytes).
pub const MAX_DOCUMENT_LENGTH: usize = 64 * 1024;

/// The namespace of every S3 document.
pub const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

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
    headers: Vec<Position>,
    expose: Vec<Position>,
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
        let rules = validate::rules(&raw, &mut problems);
        let offsets = problems.offsets();
        name_form(text, format, &mut problems);
        if let Some(errors) = problems.resolve(text) {
            return Err(errors.with_warnings(lint::of_readable(&readable::rules(text, &raw, &offsets))));
        }
        let places = validate::places(text, &raw);
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
            let problem = if is_utf16(bytes) { Problem::Utf16 } else { Problem::NotUtf8(number) };
            problems.push(error.valid_up_to(), problem);
            let valid = bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok());
            return (valid.unwrap_or_default(), Vec::new());
        }
    };
    // Without a byte order mark UTF-16 can be UTF-8 as well, with a NUL beside each letter.
    if is_utf16(bytes) {
        problems.push(0, Problem::Utf16);
        return ("", Vec::new());
    }
    let rules = match format {
        Format::Xml => xml::read(text, problems),
        Format::Json => json::read(text, problems),
    };
    (text, rules)
}

/// UTF-16 by its byte order mark, or by the NUL that stands beside the first `<`, `{` or `[`. UTF-32 has more of them.
const fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => false,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => true,
        [b'<' | b'{' | b'[', 0, next, ..] => *next != 0,
        [0, b'<' | b'{' | b'[', ..] => true,
        _ => false,
    }
}

/// A form that is not S3's is one error: those of a reader that expected another form would all follow from it.
fn name_form(text: &str, format: Format, problems: &mut Problems) {
    if problems.is_empty() {
        return;
    }
    let begin = text.trim_start();
    let is_xml_or_json =
        begin.starts_with(['<', '{', '[']) && !begin.starts_with("<?php") && !begins_with_section(begin);
    let written = if is_xml_or_json { Format::detect(text.as_bytes()) } else { format };
    if begin.starts_with("\"{\\\"") || begin.starts_with("\"[") || problems.has(Mistake::Escaped) {
        problems.replace(Problem::Mistake { words: "".into(), mistake: Mistake::Escaped }, text);
    } else if let Some(form) = ForeignForm::recognise(text) {
        problems.replace(Problem::Foreign { form, format: written, is_either: is_xml_or_json }, text);
    } else if written != format {
        problems.replace(Problem::OtherFormat(written), text);
    } else if !is_xml_or_json && is_neither(begin, problems) {
        problems.replace(Problem::NeitherXmlNorJson, text);
    }
}

/// Returns true for the first line of an INI file or TOML: a name in brackets.
fn begins_with_section(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default().trim_end();
    let name = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-. ".contains(&byte);
    name.is_some_and(|name| name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(is_part))
        && !matches!(name, Some("true" | "false" | "null"))
}

/// Returns true for a text that no XML follows, that is no JSON, and in which no common mistake of JSON was found.
fn is_neither(text: &str, problems: &Problems) -> bool {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    !text.is_empty() && !is_json && !problems.has_mistake() && !text.contains("<CORS") && !text.contains("<?xml")
}
