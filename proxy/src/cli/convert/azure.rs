//! Azure Storage (REST, "Set Blob Service Properties"; Resource Manager, `blobServices`; `az storage cors list`).

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use serde_json::Value;

const RULES: [&str; 5] = [
    "/StorageServiceProperties/0/Cors/0/CorsRule",
    "/Cors/0/CorsRule",
    "/properties/cors/corsRules",
    "/cors/corsRules",
    "/corsRules",
];

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    fields::add_rules(document, &RULES, conversion, |fields| {
        fields.rename(lower);
        rule(fields)
    });
}

pub(super) fn rule(fields: &mut Fields<'_>) -> Draft {
    Draft {
        id: None,
        origins: fields.texts("allowedOrigins"),
        methods: fields.texts("allowedMethods"),
        headers: fields.texts("allowedHeaders"),
        expose: fields.texts("exposedHeaders"),
        max_age: fields.only_seconds("maxAgeInSeconds"),
    }
}

/// XML and the command line begin the names in upper case, Resource Manager in lower case.
fn lower(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}
