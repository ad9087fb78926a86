//! The CORS filter of the Gateway API (GEP-1767; `HTTPCORSFilter` in its `apis/v1/httproute_types.go`).

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use serde_json::{Map, Value};

/// The methods that need no preflight, so that they are allowed whether they are listed or not (Fetch, "CORS-safelisted method").
const ALWAYS: [&str; 3] = ["GET", "HEAD", "POST"];
/// Without `maxAge`.
const MAX_AGE: i64 = 5;

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    let mut found = Vec::new();
    each_object(document, &mut |object| {
        if object.contains_key("allowOrigins") {
            found.push(Value::Object(object.clone()));
        }
    });
    // The same filter stands in each rule of a route.
    found.dedup();
    match <[Value; 1]>::try_from(found) {
        Ok([filter]) => fields::add_rule("CORS filter", &filter, conversion, rule),
        Err(found) if found.is_empty() => conversion.refuse("filters", "there is no CORS filter with allowOrigins"),
        Err(_) => conversion.refuse("filters", "several differ: convert one CORS filter at a time"),
    }
}

fn rule(fields: &mut Fields<'_>) -> Draft {
    let origins = fields.list("allowOrigins");
    let methods = fields.list("allowMethods");
    let methods = always(methods, fields);
    let headers = fields.list("allowHeaders");
    let headers = fields.without_wildcards("header", headers);
    let expose = fields.list("exposeHeaders");
    let max_age = fields.seconds("maxAge").or(Some(MAX_AGE));
    let credentials = fields.flag("allowCredentials").unwrap_or_default();
    warn_of_credentials("allowCredentials", credentials, &origins, fields);
    // With credentials, such a filter writes the names that a preflight asks for, as S3 does (HTTPCORSFilter, `allowHeaders`).
    if !credentials {
        warn_of_any_header(&headers, credentials, fields);
    }
    if methods.iter().any(|method| method == "*") {
        fields.warn("method * is each of S3's five; the filter allows others too");
    }
    warn_of_ports(&origins, fields);
    Draft { id: None, origins, methods, headers, expose, max_age }
}

/// The methods with those that such a filter allows always.
pub(super) fn always(mut methods: Vec<String>, fields: &mut Fields<'_>) -> Vec<String> {
    for method in ALWAYS {
        if !methods.iter().any(|listed| listed == method || listed == "*") {
            fields.warn(&format!("{method} is added: the filter allows it always"));
            methods.push(method.to_owned());
        }
    }
    methods
}

/// `*` in the headers that a gateway writes is what Fetch makes of it: any but `Authorization`, and with credentials a header of that name.
pub(super) fn warn_of_any_header(headers: &[String], credentials: bool, fields: &mut Fields<'_>) {
    if !headers.iter().any(|header| header == "*") {
    } else if credentials {
        fields.warn(
            "header * is any header in S3; with credentials, browsers take the gateway's for a header of that name",
        );
    } else {
        fields.warn("header * is any header in S3; browsers take the gateway's for any but Authorization");
    }
}

/// The same for `*` in the methods. S3 has five.
pub(super) fn warn_of_any_method(methods: &[String], credentials: bool, fields: &mut Fields<'_>) {
    if !methods.iter().any(|method| method == "*") {
    } else if credentials {
        fields.warn(
            "method * is each of S3's five; with credentials, browsers take the gateway's for a method of that name",
        );
    } else {
        fields.warn("method * is each of S3's five; the gateway allows others too");
    }
}

/// S3 has no setting for credentials: it gives them to listed origins, and not to `*`.
pub(super) fn warn_of_credentials(name: &str, allowed: bool, origins: &[String], fields: &mut Fields<'_>) {
    let is_any = origins.iter().any(|origin| origin == "*");
    if allowed && is_any {
        fields.warn(&format!("{name} is left out: S3 gives no credentials to the origin *, list the origins"));
    } else if !allowed && !is_any {
        fields.warn(&format!(
            "{name} is left out: S3 gives credentials to listed origins; cors.credentials: never does not"
        ));
    }
}

/// A wildcard for the whole host is limited to the scheme's own port there.
pub(super) fn warn_of_ports(origins: &[String], fields: &mut Fields<'_>) {
    for origin in origins.iter().filter(|origin| origin.ends_with("://*")) {
        fields.warn(&format!("{origin} also matches every port in S3"));
    }
}

/// Visits every object of a tree, the outer one first.
pub(super) fn each_object(value: &Value, visit: &mut impl FnMut(&Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(object);
            object.values().for_each(|inner| each_object(inner, visit));
        }
        Value::Array(values) => values.iter().for_each(|inner| each_object(inner, visit)),
        _ => {}
    }
}
