//! The annotations of ingress-nginx (user guide, "Enable CORS"), with the values that it takes for those that are not there.
//!
//! The page lists `X-CustomHeader` among the default headers, where the controller has `Range`
//! (`internal/ingress/annotations/cors/main.go`): what the controller does is converted.

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use super::gateway_api::{each_object, warn_of_any_header, warn_of_any_method, warn_of_credentials};
use super::unresolved::Unresolved;
use serde_json::{Map, Value};

const PREFIX: &str = "nginx.ingress.kubernetes.io/";
const METHODS: &str = "GET, PUT, POST, DELETE, PATCH, OPTIONS";
const HEADERS: &str = "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,\
                       Authorization";
const MAX_AGE: i64 = 1_728_000;

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    let mut found = Vec::new();
    each_object(document, &mut |object| {
        let annotations = annotations(object);
        let is_enabled = |value: &Value| value.as_str() == Some("true") || Unresolved::of(value).is_some();
        if annotations.get("enable-cors").is_some_and(is_enabled) {
            found.push(annotations);
        }
    });
    match <[Map<String, Value>; 1]>::try_from(found) {
        Ok([annotations]) => fields::add_rule("annotations", &Value::Object(annotations), conversion, rule),
        Err(found) if found.is_empty() => {
            conversion.refuse("annotations", &format!("there is no {PREFIX}enable-cors: \"true\""));
        }
        Err(_) => conversion.refuse("annotations", "several have CORS: convert one Ingress at a time"),
    }
}

/// The annotations about CORS that stand directly in an object, without their prefix.
fn annotations(object: &Map<String, Value>) -> Map<String, Value> {
    let ours = object.iter().filter_map(|(key, value)| Some((key.strip_prefix(PREFIX)?, value)));
    ours.filter(|(key, _)| key.contains("cors")).map(|(key, value)| (key.to_owned(), value.clone())).collect()
}

fn rule(fields: &mut Fields<'_>) -> Draft {
    let mut texts = |key: &str, default: &str| {
        let texts = fields.split(key);
        if texts.is_empty() { default.split(',').map(|text| text.trim().to_owned()).collect() } else { texts }
    };
    let (origins, methods) = (texts("cors-allow-origin", "*"), texts("cors-allow-methods", METHODS));
    let headers = texts("cors-allow-headers", HEADERS);
    let expose = fields.split("cors-expose-headers");
    let max_age = fields.seconds("cors-max-age").or(Some(MAX_AGE));
    let credentials = fields.flag("cors-allow-credentials").unwrap_or(true);
    warn_of_credentials("cors-allow-credentials", credentials, &origins, fields);
    warn_of_any_header(&headers, credentials, fields);
    warn_of_any_method(&methods, credentials, fields);
    // S3's matches any text. ingress-nginx has a subdomain of one level there ("single level wildcard subdomains").
    for origin in origins.iter().filter(|origin| origin.contains("://*.")) {
        fields.warn(&format!("{origin} also matches deeper subdomains in S3"));
    }
    fields.flag("enable-cors");
    let headers = fields.without_wildcards("header", headers);
    Draft { id: None, origins, methods, headers, expose, max_age }
}
