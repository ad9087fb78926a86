//! The `corsPolicy` of a VirtualService (Istio reference, "CorsPolicy").
//!
//! Envoy lets in every origin where a matcher accepts the text `*` (`cors_filter.cc`, `isOriginAllowed`).

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use super::gateway_api::{always, each_object, warn_of_any_header, warn_of_any_method, warn_of_credentials};
use super::unresolved::Unresolved;
use serde_json::Value;

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    let mut found = Vec::new();
    each_object(document, &mut |object| found.extend(object.get("corsPolicy").cloned()));
    // The same policy stands in each route of a service.
    found.dedup();
    match <[Value; 1]>::try_from(found) {
        Ok([policy]) => fields::add_rule("corsPolicy", &policy, conversion, rule),
        Err(found) if found.is_empty() => conversion.refuse("http", "there is no corsPolicy"),
        Err(_) => conversion.refuse("http", "several differ: convert one corsPolicy at a time"),
    }
}

fn rule(fields: &mut Fields<'_>) -> Draft {
    let former = fields.list("allowOrigin");
    let mut origins = fields.without_wildcards("origin", former);
    let matchers = match fields.take("allowOrigins") {
        Some(Value::Array(matchers)) => matchers,
        Some(other) => vec![other],
        None => Vec::new(),
    };
    for matcher in matchers {
        origins.extend(origin(&matcher, fields));
    }
    let methods = fields.list("allowMethods");
    let headers = fields.list("allowHeaders");
    let expose = fields.list("exposeHeaders");
    let max_age = fields.duration("maxAge");
    let credentials = fields.flag("allowCredentials").unwrap_or_default();
    warn_of_credentials("allowCredentials", credentials, &origins, fields);
    warn_of_any_header(&headers, credentials, fields);
    warn_of_any_method(&methods, credentials, fields);
    Draft {
        id: None,
        origins,
        methods: always(methods, fields),
        headers: fields.without_wildcards("header", headers),
        expose,
        max_age,
    }
}

/// The pattern for a matcher: a prefix is one that ends with `*`, a regular expression has none.
fn origin(matcher: &Value, fields: &mut Fields<'_>) -> Option<String> {
    if let Some(unresolved) = Unresolved::of(matcher) {
        fields.refuse(&format!("allowOrigins has {unresolved}, which is no value here: write what it stands for"));
        return None;
    }
    let mut matcher = fields.inner("allowOrigins", matcher);
    let (exact, prefix, regex) = (matcher.text("exact"), matcher.text("prefix"), matcher.text("regex"));
    matcher.rest();
    if let Some(pattern) = regex {
        fields.warn(&format!("the regular expression {pattern} is left out: S3 has none, write its origins"));
    }
    let exact = exact.and_then(|origin| fields.without_wildcards("origin", vec![origin]).pop());
    let prefix = prefix.and_then(|prefix| match &*prefix {
        "" | "*" => Some("*".to_owned()),
        _ => fields.without_wildcards("origin", vec![prefix]).pop().map(|prefix| format!("{prefix}*")),
    });
    exact.or(prefix)
}
