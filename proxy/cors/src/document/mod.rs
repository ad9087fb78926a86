//! A document in either form, from bytes to a valid configuration or to all that is wrong with it.
//!
//! Decides: what S3 refuses, in which order it checks and what it says. Both forms are read into the same raw rules (texts with
//! their places), and only here they become values. Must not know: XML or JSON syntax.

pub(crate) mod error;
mod json;
pub(crate) mod lint;
pub(crate) mod model;
mod raw;
pub(crate) mod write;
pub(crate) mod xml;

use crate::position::{Places, Position};
use crate::{
    AllowedMethod, CorsConfiguration, CorsRule, ExposedHeader, HeaderPattern, InvalidHeaderName, OriginPattern,
};
use error::DocumentErrors;
use model::MAX_RULES;
use raw::{Problems, RawRule, RawValue, malformed_as_a_whole};

/// The longest document in bytes (recorded: 65,536 are taken, 65,537 refused).
pub const MAX_DOCUMENT_LENGTH: usize = 64 * 1024;

/// The two forms of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub(crate) configuration: CorsConfiguration,
    pub(crate) places: Vec<RulePlaces>,
}

/// Where the parts of a rule stand, in the order of the rule's own lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RulePlaces {
    pub(crate) rule: Position,
    pub(crate) origins: Vec<Position>,
    pub(crate) max_age: Option<Position>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// [`DocumentErrors`]: everything that S3 would refuse, each with its place.
    pub fn parse(bytes: &[u8], format: Format) -> Result<Self, DocumentErrors> {
        let mut problems = Problems::default();
        let (text, raw) = read(bytes, format, &mut problems);
        let (rules, places) = validate(text, raw, &mut problems);
        if let Some(errors) = problems.resolve(text) {
            return Err(errors);
        }
        match CorsConfiguration::new(rules) {
            Ok(configuration) => Ok(Self { configuration, places }),
            Err(error) => Err(DocumentErrors::one(malformed_as_a_whole(error.to_string()))),
        }
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
        problems.too_long(bytes.len(), MAX_DOCUMENT_LENGTH);
        return ("", Vec::new());
    }
    let whole = bytes.len();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            // Counted in the file, its byte order mark included.
            let number = whole - bytes.len() + error.valid_up_to() + 1;
            problems.malformed(error.valid_up_to(), format!("not UTF-8 from byte {number}"));
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

/// Checks as S3 does: schema, number of rules, then rule by rule methods, origins, allowed headers, exposed headers.
fn validate(text: &str, raw: Vec<RawRule>, problems: &mut Problems) -> (Vec<CorsRule>, Vec<RulePlaces>) {
    if raw.is_empty() && problems.is_empty() {
        problems.malformed(0, "no CORSRule: a configuration has at least one");
    }
    if let Some(first_too_many) = raw.get(MAX_RULES) {
        let message = format!("The number of CORS rules should not exceed allowed limit of {MAX_RULES} rules.");
        problems.invalid(first_too_many.offset, message);
    }
    let mut rules = Vec::with_capacity(raw.len());
    let mut places = Vec::with_capacity(raw.len());
    let mut place = Places::new(text);
    for rule in raw {
        places.push(RulePlaces {
            rule: place.of(rule.offset),
            origins: rule.origins.iter().map(|origin| place.of(origin.offset)).collect(),
            max_age: rule.max_ages.first().map(|age| place.of(age.offset)),
        });
        rules.push(validate_rule(rule, problems));
    }
    (rules, places)
}

fn validate_rule(raw: RawRule, problems: &mut Problems) -> CorsRule {
    check_schema(&raw, problems);
    let max_age_seconds = raw.max_ages.first().and_then(|age| {
        let seconds = age.text.trim_matches([' ', '\t', '\r', '\n']).parse().ok();
        if seconds.is_none() {
            problems.malformed(age.offset, format!("MaxAgeSeconds {:?} is not a whole number", age.text));
        }
        seconds
    });
    CorsRule {
        allowed_methods: each(raw.methods, problems, |text| {
            AllowedMethod::from_name(text.as_bytes())
                .ok_or_else(|| format!("Found unsupported HTTP method in CORS config. Unsupported method is {text}"))
        }),
        allowed_origins: each(raw.origins, problems, |text| {
            OriginPattern::parse(text)
                .map_err(|_| format!("AllowedOrigin \"{text}\" can not have more than one wildcard."))
        }),
        allowed_headers: each(raw.headers, problems, |text| {
            HeaderPattern::parse(text).map_err(|error| match error {
                InvalidHeaderName::Character => format!("AllowedHeader \"{text}\" contains invalid character."),
                _ => format!("AllowedHeader \"{text}\" can not have more than one wildcard."),
            })
        }),
        expose_headers: each(raw.expose, problems, |text| {
            ExposedHeader::parse(text).map_err(|error| match error {
                InvalidHeaderName::Character => format!("ExposeHeader \"{text}\" contains invalid character."),
                _ => format!(
                    "ExposeHeader \"{text}\" contains wildcard. We currently do not support wildcard for ExposeHeader."
                ),
            })
        }),
        id: raw.ids.into_iter().next().map(|id| id.text),
        max_age_seconds,
    }
}

fn check_schema(raw: &RawRule, problems: &mut Problems) {
    if raw.origins.is_empty() {
        problems.malformed(raw.offset, "a rule without AllowedOrigin: it has at least one");
    }
    if raw.methods.is_empty() {
        problems.malformed(raw.offset, "a rule without AllowedMethod: it has at least one");
    }
    for (name, values) in [("ID", &raw.ids), ("MaxAgeSeconds", &raw.max_ages)] {
        if let Some(second) = values.get(1) {
            problems.malformed(second.offset, format!("a second {name}: a rule has at most one"));
        }
    }
}

fn each<T>(raw: Vec<RawValue>, problems: &mut Problems, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
    let mut values = Vec::with_capacity(raw.len());
    for value in raw {
        match parse(&value.text) {
            Ok(parsed) => values.push(parsed),
            Err(message) => problems.invalid(value.offset, message),
        }
    }
    values
}
