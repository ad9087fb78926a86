//! What the parser of YAML has to say, in the words of the configuration.

use serde_saphyr::{Error, Localizer, Location, MessageFormatter, UserMessageFormatter};
use std::borrow::Cow;

/// The library's message for users, without its own place and source excerpt.
pub(super) fn message(error: &Error) -> String {
    error.without_snippet().render_with_formatter(&InOurWords).trim().to_owned()
}

struct InOurWords;

impl MessageFormatter for InOurWords {
    fn localizer(&self) -> &dyn Localizer {
        &WithoutPlace
    }

    fn format_message<'a>(&self, error: &'a Error) -> Cow<'a, str> {
        match error {
            Error::DuplicateMappingKey { key: Some(key), .. } => format!("{key} is here twice; remove one").into(),
            Error::Unexpected { expected: "mapping start", .. } => {
                "settings are expected here, each as `key: value`".into()
            }
            error => UserMessageFormatter.format_message(error),
        }
    }
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
