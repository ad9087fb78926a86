//! AWS CloudFormation (`AWS::S3::Bucket CorsConfiguration`): a template, or a part of one.

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use serde_json::Value;

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    let mut found = Vec::new();
    find(document, "", &mut found);
    let configuration = match found.as_slice() {
        [] if document.get("CorsRules").is_none() && !document.is_array() && !has_rule(document) => {
            return conversion.refuse("document", "there is no CorsConfiguration");
        }
        [] => document,
        [(_, configuration)] => configuration,
        _ => {
            let places: Vec<_> = found.iter().map(|(place, _)| &**place).collect();
            return conversion.refuse(&places.join(", "), "several buckets: convert one CorsConfiguration at a time");
        }
    };
    fields::add_rules(configuration, &["/CorsRules"], conversion, rule);
}

/// Every `CorsConfiguration`, with the names that lead to it.
fn find<'v>(value: &'v Value, path: &str, found: &mut Vec<(String, &'v Value)>) {
    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
        find(inner, &format!("{path}[{index}]"), found);
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        // The Serverless Framework's provider.s3 begins it in lower case.
        if key.eq_ignore_ascii_case("CorsConfiguration") {
            found.push((path, inner));
        } else {
            find(inner, &path, found);
        }
    }
}

/// Returns true for a rule that stands alone.
fn has_rule(document: &Value) -> bool {
    ["AllowedOrigins", "AllowedMethods"].iter().any(|name| document.get(name).is_some())
}

fn rule(fields: &mut Fields<'_>) -> Draft {
    let methods = fields.list("AllowedMethods");
    Draft {
        id: fields.text("Id"),
        origins: fields.list("AllowedOrigins"),
        methods: fields.s3_methods(methods),
        headers: fields.list("AllowedHeaders"),
        expose: fields.list("ExposedHeaders"),
        max_age: fields.seconds("MaxAge"),
    }
}
