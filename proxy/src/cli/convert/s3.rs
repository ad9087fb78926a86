//! S3's own names with less or more around them than a document has: one rule, or the whole input of `put-bucket-cors`, in JSON or YAML.

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use serde_json::Value;

/// Where the rules are, in the JSON of the AWS CLI and in XML written as JSON.
const PLACES: [&str; 4] = ["/CORSConfiguration/CORSRules", "/CORSConfiguration/CORSRule", "/CORSRules", "/CORSRule"];

/// The names that every rule has, in either form.
const NAMES: [&str; 4] = ["AllowedOrigins", "AllowedOrigin", "AllowedMethods", "AllowedMethod"];

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    if document.get("CORSConfiguration").is_some() {
        let mut fields = Fields::of("input", document, conversion);
        fields.take("CORSConfiguration");
        if let Some(bucket) = fields.text("Bucket") {
            fields.warn(&format!("Bucket is left out: name the file after the bucket {bucket}"));
        }
        fields.rest();
    }
    fields::add_rules(document, &PLACES, conversion, rule);
}

/// Returns true for a document that has S3's own names, in any syntax.
pub(super) fn has_rules(document: &Value) -> bool {
    PLACES.iter().any(|place| document.pointer(place).is_some()) || has_names(document)
}

/// Returns true for a rule, or a list of them, with S3's own names.
fn has_names(document: &Value) -> bool {
    let is_rule = |rule: &Value| NAMES.iter().any(|name| rule.get(name).is_some());
    document.as_array().map_or_else(|| is_rule(document), |rules| rules.iter().any(is_rule))
}

/// A rule with the names of either form. Elements of XML are lists, the single ones too.
pub(super) fn rule(fields: &mut Fields<'_>) -> Draft {
    let mut list = |list: &str, element: &str| [fields.list(list), fields.list(element)].concat();
    let origins = list("AllowedOrigins", "AllowedOrigin");
    let methods = list("AllowedMethods", "AllowedMethod");
    let headers = list("AllowedHeaders", "AllowedHeader");
    let expose = list("ExposeHeaders", "ExposeHeader");
    Draft {
        origins,
        methods: fields.s3_methods(methods),
        headers,
        expose,
        id: fields.only_text("ID"),
        max_age: fields.only_seconds("MaxAgeSeconds"),
    }
}
