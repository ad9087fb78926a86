//! Google Cloud Storage (reference, "CORS configuration examples"): `gcloud storage buckets update --cors-file`, the JSON API's bucket,
//! what `gcloud storage buckets describe` prints, and the XML API.

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use serde_json::Value;

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    if document.get("CorsConfig").is_some() {
        return fields::add_rules(document, &["/CorsConfig/0/Cors"], conversion, xml);
    }
    fields::add_rules(document, &["/cors", "/cors_config"], conversion, json);
}

pub(super) fn json(fields: &mut Fields<'_>) -> Draft {
    let [origins, methods, headers] = ["origin", "method", "responseHeader"].map(|key| fields.list(key));
    warn_of_wildcards(&origins, fields);
    warn_of_wildcards(&headers, fields);
    of(origins, methods, headers, fields.seconds("maxAgeSeconds"))
}

fn xml(fields: &mut Fields<'_>) -> Draft {
    let [origins, methods, headers] =
        [("Origins", "Origin"), ("Methods", "Method"), ("ResponseHeaders", "ResponseHeader")]
            .map(|(list, element)| fields.nested(list, element));
    warn_of_wildcards(&origins, fields);
    warn_of_wildcards(&headers, fields);
    of(origins, methods, headers, fields.only_seconds("MaxAgeSec"))
}

/// Google's only wildcard is `*` alone.
fn warn_of_wildcards(values: &[String], fields: &mut Fields<'_>) {
    for value in values.iter().filter(|value| *value != "*" && value.contains('*')) {
        fields.warn(&format!("{value} matches any text in the place of * in S3, where Google compares it as it is"));
    }
}

/// A response header of Google's is both: one that a page may read, and one that it may send.
fn of(origins: Vec<String>, methods: Vec<String>, headers: Vec<String>, max_age: Option<i64>) -> Draft {
    Draft { id: None, origins, methods, expose: headers.clone(), headers, max_age }
}
