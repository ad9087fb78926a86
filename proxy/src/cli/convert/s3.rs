//! S3's own names with less or more around them than a document has: one rule, or the whole input of `put-bucket-cors`.

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use serde_json::Value;

/// Where the rules are, in the JSON of the AWS CLI and in XML written as JSON.
const PLACES: [&str; 4] = ["/CORSConfiguration/CORSRules", "/CORSConfiguration/CORSRule", "/CORSRules", "/CORSRule"];

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

/// A rule with the names of either form. Elements of XML are lists, the single ones too.
pub(super) fn rule(fields: &mut Fields<'_>) -> Draft {
    let mut texts = |list: &str, element: &str| [fields.texts(list), fields.texts(element)].concat();
    Draft {
        origins: texts("AllowedOrigins", "AllowedOrigin"),
        methods: texts("AllowedMethods", "AllowedMethod"),
        headers: texts("AllowedHeaders", "AllowedHeader"),
        expose: texts("ExposeHeaders", "ExposeHeader"),
        id: fields.only_text("ID"),
        max_age: fields.only_seconds("MaxAgeSeconds"),
    }
}
