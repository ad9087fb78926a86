//! Azure Storage (REST, "Set Blob Service Properties"; Resource Manager, `blobServices`; `az storage cors list`).

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use serde_json::{Map, Value};

const RULES: [&str; 5] = [
    "/StorageServiceProperties/0/Cors/0/CorsRule",
    "/Cors/0/CorsRule",
    "/properties/cors/corsRules",
    "/cors/corsRules",
    "/corsRules",
];

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    for (index, rule) in fields::rules(document, &RULES).iter().enumerate() {
        let draft = self::rule(fields::rule(index), &lower(rule), conversion);
        conversion.add(draft);
    }
}

fn rule(place: String, rule: &Value, conversion: &mut Conversion) -> Draft {
    let mut fields = Fields::of(&place, rule, conversion);
    let draft = Draft {
        id: None,
        origins: fields.texts("allowedOrigins"),
        methods: fields.texts("allowedMethods"),
        headers: fields.texts("allowedHeaders"),
        expose: fields.texts("exposedHeaders"),
        max_age: fields.only_seconds("maxAgeInSeconds"),
        place,
    };
    fields.rest();
    draft
}

/// XML and the command line begin the names in upper case, Resource Manager in lower case.
fn lower(rule: &Value) -> Value {
    let Some(members) = rule.as_object() else { return rule.clone() };
    let lower = |key: &String| {
        let mut letters = key.chars();
        letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect::<String>()
    };
    Value::Object(members.iter().map(|(key, value)| (lower(key), value.clone())).collect::<Map<_, _>>())
}
