//! What the warnings find, with its place, and what they are silent about.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod harmless;
mod model;
mod planted;
mod profiles;
mod recorded;

use s3_cors::{Document, Format, Warning};

/// A rule's lists as the members of JSON lists, `|` between the values; on five lines, so that each list has its own place: the
/// origins on the first line from column 21, the headers on the third from 20, the exposed ones on the fourth from 19, the time on
/// the fifth at 18.
#[derive(Clone, Copy)]
struct Rule(&'static str, &'static str, &'static str, &'static str, i64);

impl Rule {
    fn to_json(self) -> String {
        let list = |values: &str| match values {
            "" => "[]".to_owned(),
            values => format!("[\"{}\"]", values.replace('|', "\", \"")),
        };
        let Self(origins, methods, headers, expose, age) = self;
        format!(
            "{{\"AllowedOrigins\": {},\n\"AllowedMethods\": {},\n\"AllowedHeaders\": {},\n\"ExposeHeaders\": {},\n\
             \"MaxAgeSeconds\": {age}}}",
            if origins.is_empty() { "[\"\"]".to_owned() } else { list(origins) },
            list(methods),
            list(headers),
            list(expose)
        )
    }
}

/// The first rule begins on line 2, the second on line 7.
fn json(rules: &[Rule]) -> String {
    let rules: Vec<_> = rules.iter().map(|rule| rule.to_json()).collect();
    format!("[\n{}]", rules.join(",\n"))
}

fn parse(text: &str) -> Document {
    Document::parse(text.as_bytes(), Format::detect(text.as_bytes()))
        .unwrap_or_else(|errors| panic!("{text}: {errors}"))
}

fn shown(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(|warning| format!("{} {}", warning.position(), warning.code())).collect()
}
