//! S3's own names with less or more around them than a document has: one rule, or the whole input of `put-bucket-cors`.

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use serde_json::Value;

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    if let Some(bare) = document.get("CORSRule") {
        return xml(bare, conversion);
    }
    if document.get("CORSConfiguration").is_some() {
        let mut fields = Fields::of("input", document, conversion);
        fields.take("CORSConfiguration");
        if let Some(bucket) = fields.text("Bucket") {
            fields.warn(&format!("Bucket is left out: name the file after the bucket {bucket}"));
        }
        fields.rest();
    }
    for (index, value) in fields::rules(document, &["/CORSConfiguration/CORSRules", "/CORSRules"]).iter().enumerate() {
        let draft = rule(fields::rule(index), value, conversion);
        conversion.add(draft);
    }
}

pub(super) fn rule(place: String, rule: &Value, conversion: &mut Conversion) -> Draft {
    let mut fields = Fields::of(&place, rule, conversion);
    let draft = Draft {
        id: fields.text("ID"),
        origins: fields.texts("AllowedOrigins"),
        methods: fields.texts("AllowedMethods"),
        headers: fields.texts("AllowedHeaders"),
        expose: fields.texts("ExposeHeaders"),
        max_age: fields.seconds("MaxAgeSeconds"),
        place,
    };
    fields.rest();
    draft
}

/// Elements of the tree are lists, the single ones too.
fn xml(rules: &Value, conversion: &mut Conversion) {
    for (index, value) in rules.as_array().into_iter().flatten().enumerate() {
        let place = fields::rule(index);
        let mut fields = Fields::of(&place, value, conversion);
        let draft = Draft {
            id: fields.only("ID").and_then(|id| id.as_str().map(str::to_owned)),
            origins: fields.texts("AllowedOrigin"),
            methods: fields.texts("AllowedMethod"),
            headers: fields.texts("AllowedHeader"),
            expose: fields.texts("ExposeHeader"),
            max_age: fields.only_seconds("MaxAgeSeconds"),
            place: place.clone(),
        };
        fields.rest();
        conversion.add(draft);
    }
}
