//! What the parser of YAML has to say, in the words of the configuration.

use super::entries::Subject;
use super::nearest::nearest;
use crate::s3::as_written::as_written;
use crate::s3::domain::without_user;
use serde_saphyr::{Error, Localizer, Location, MessageFormatter, UserMessageFormatter};
use std::borrow::Cow;

/// The library's message for users, without its own place and source excerpt.
pub(super) fn message(error: &Error) -> String {
    error.without_snippet().render_with_formatter(&InOurWords).trim().to_owned()
}

/// The kind of entry that an error is about.
pub(super) fn subject(error: &Error) -> Subject {
    match error.without_snippet() {
        Error::AliasError { error, .. } => subject(error),
        Error::SerdeUnknownField { .. } | Error::DuplicateMappingKey { .. } => Subject::Key,
        Error::SerdeMissingField { .. } => Subject::Mapping,
        Error::SerdeInvalidType { unexpected, .. } if unexpected == "map" || unexpected == "sequence" => {
            Subject::Collection
        }
        _ => Subject::Value,
    }
}

/// The key that someone meant who wrote another one.
pub(super) fn meant_key(error: &Error) -> Option<&'static str> {
    match error.without_snippet() {
        Error::AliasError { error, .. } => meant_key(error),
        Error::SerdeUnknownField { field, expected, .. } => nearest(field, expected.iter().copied()),
        _ => None,
    }
}

struct InOurWords;

impl MessageFormatter for InOurWords {
    fn localizer(&self) -> &dyn Localizer {
        &WithoutPlace
    }

    fn format_message<'a>(&self, error: &'a Error) -> Cow<'a, str> {
        let shown = |text: &str| without_user(text);
        match error {
            Error::DuplicateMappingKey { key: Some(key), .. } => {
                format!("{} is here twice; remove one", shown(key)).into()
            }
            Error::InvalidScalar { ty: "boolean", .. } => "neither true nor false; write true or false".into(),
            Error::SerdeInvalidType { unexpected, expected, .. } => {
                format!("invalid type: {}, expected {expected}", without_secret(unexpected)).into()
            }
            Error::SerdeInvalidValue { unexpected, expected, .. } => {
                format!("invalid value: {}, expected {expected}", without_secret(unexpected)).into()
            }
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                let words = as_written(variant, &shown(variant)).map(|words| format!("; {words}")).unwrap_or_default();
                format!("unknown variant `{}`, expected one of {}{words}", shown(variant), expected.join(", ")).into()
            }
            Error::SerdeUnknownField { field, expected, .. } => {
                let meant = nearest(field, expected.iter().copied());
                let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
                format!("unknown field `{}`, expected one of {}{meant}", shown(field), expected.join(", ")).into()
            }
            Error::UnsupportedTag { tag, .. } => format!("unsupported tag `{}`", shown(tag)).into(),
            Error::TaggedEnumMismatch { tagged, target, .. } => {
                format!("tagged enum `{}` does not match target enum `{target}`", shown(tagged)).into()
            }
            // A value by its alias is a value.
            Error::AliasError { error, .. } => self.format_message(error),
            Error::Unexpected { expected: "mapping start", .. } => {
                "settings are expected here, each as `key: value`".into()
            }
            error => UserMessageFormatter.format_message(error),
        }
    }
}

/// A value as serde quotes it (`string "…"`), without what may be a password.
fn without_secret(unexpected: &str) -> String {
    let quoted = unexpected.find('"').zip(unexpected.rfind('"')).filter(|(first, last)| first < last);
    let parts = quoted.and_then(|(first, last)| {
        Some((unexpected.get(..=first)?, unexpected.get(first + 1..last)?, unexpected.get(last..)?))
    });
    parts.map_or_else(
        || unexpected.to_owned(),
        |(before, value, after)| format!("{before}{}{after}", without_user(value)),
    )
}

/// Leaves out the place, which [`ConfigFileError`](super::ConfigFileError) has.
struct WithoutPlace;

impl Localizer for WithoutPlace {
    fn attach_location<'a>(&self, message: Cow<'a, str>, _: Location) -> Cow<'a, str> {
        message
    }

    fn alias_defined_at(&self, _: Location) -> String {
        String::new()
    }

    fn alias_used_at(&self, _: Location) -> String {
        String::new()
    }
}
