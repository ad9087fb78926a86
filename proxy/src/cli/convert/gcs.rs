//! Google Cloud Storage (reference, "CORS configuration examples"): `gcloud storage buckets update --cors-file`, the JSON API's bucket,
//! what `gcloud storage buckets describe` prints, and the XML API.

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use serde_json::Value;

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    if document.get("CorsConfig").is_some() {
        for (index, rule) in fields::rules(document, &["/CorsConfig/0/Cors"]).iter().enumerate() {
            let draft = xml(fields::rule(index), rule, conversion);
            conversion.add(draft);
        }
        return;
    }
    for (index, rule) in fields::rules(document, &["/cors", "/cors_config"]).iter().enumerate() {
        let draft = json(fields::rule(index), rule, conversion);
        conversion.add(draft);
    }
}

fn json(place: String, rule: &Value, conversion: &mut Conversion) -> Draft {
    let mut fields = Fields::of(&place, rule, conversion);
    let origins = fields.texts("origin");
    let methods = fields.texts("method");
    let headers = fields.texts("responseHeader");
    let max_age = fields.seconds("maxAgeSeconds");
    fields.rest();
    of(place, origins, methods, headers, max_age)
}

fn xml(place: String, rule: &Value, conversion: &mut Conversion) -> Draft {
    let mut fields = Fields::of(&place, rule, conversion);
    let [origins, methods, headers] =
        [("Origins", "Origin"), ("Methods", "Method"), ("ResponseHeaders", "ResponseHeader")]
            .map(|(list, element)| fields.nested(list, element));
    let max_age = fields.only_seconds("MaxAgeSec");
    fields.rest();
    of(place, origins, methods, headers, max_age)
}

/// A response header of Google's is both: one that a page may read, and one that it may send.
fn of(place: String, origins: Vec<String>, methods: Vec<String>, headers: Vec<String>, max_age: Option<i64>) -> Draft {
    Draft { place, id: None, origins, methods, expose: headers.clone(), headers, max_age }
}
