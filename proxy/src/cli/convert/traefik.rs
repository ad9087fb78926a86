//! The headers middleware of Traefik (reference, "Headers", "CORS Headers"): a `Middleware`, a file of the provider, or labels.
//!
//! Its origins are compared whole, but for `*` (`pkg/middlewares/headers/header.go`): a `*` inside one is a character, where S3's is any text.

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use super::gateway_api::{always, warn_of_any_header, warn_of_any_method, warn_of_credentials};
use super::unresolved::unresolved;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const PREFIX: &str = "accesscontrol";

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    let mut found = BTreeMap::new();
    find(document, "", &mut found);
    found.retain(|_, members: &mut Map<String, Value>| members.keys().any(|key| key.contains("alloworigin")));
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some((_, members)), None) => fields::add_rule("middleware", &Value::Object(members), conversion, rule),
        (Some((first, _)), Some((second, _))) => {
            let places: Vec<_> = [first, second].into_iter().chain(found.map(|(place, _)| place)).collect();
            conversion.refuse(&places.join(", "), "several have CORS: convert one middleware at a time");
        }
        _ => {
            conversion.refuse("middlewares", "there is no accessControlAllowOriginList");
        }
    }
}

/// The headers about CORS by the middleware that has them, with names in lower case.
fn find(value: &Value, path: &str, found: &mut BTreeMap<String, Map<String, Value>>) {
    match value {
        Value::Object(members) => {
            for (key, inner) in members {
                add(path, key, inner, found);
                find(inner, &if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, found);
            }
        }
        Value::Array(values) => {
            for (index, inner) in values.iter().enumerate() {
                // A label of Docker.
                match inner.as_str().and_then(|label| label.split_once('=')) {
                    Some((key, text)) => add(path, key, &Value::String(text.to_owned()), found),
                    None => find(inner, &format!("{path}[{index}]"), found),
                }
            }
        }
        _ => {}
    }
}

fn add(path: &str, key: &str, value: &Value, found: &mut BTreeMap<String, Map<String, Value>>) {
    let (of, name) = key.rsplit_once('.').map_or((path, key), |(of, name)| (of, name));
    let name = name.to_ascii_lowercase();
    if name.starts_with(PREFIX) {
        let members = found.entry(of.to_owned()).or_default();
        let is_other = members.get(&name).is_some_and(|before| before != value);
        let value = if is_other { unresolved(&format!("{key}, with two values,"), 0) } else { value.clone() };
        members.insert(name, value);
    }
}

fn rule(fields: &mut Fields<'_>) -> Draft {
    let origins = fields.split("accesscontrolalloworiginlist");
    for pattern in fields.list("accesscontrolalloworiginlistregex") {
        fields.warn(&format!("the regular expression {pattern} is left out: S3 has none, write its origins"));
    }
    let methods = fields.split("accesscontrolallowmethods");
    let headers = fields.split("accesscontrolallowheaders");
    let expose = fields.split("accesscontrolexposeheaders");
    let max_age = fields.seconds("accesscontrolmaxage").filter(|seconds| *seconds != 0);
    let credentials = fields.flag("accesscontrolallowcredentials").unwrap_or_default();
    warn_of_credentials("accessControlAllowCredentials", credentials, &origins, fields);
    warn_of_any_header(&headers, credentials, fields);
    warn_of_any_method(&methods, credentials, fields);
    Draft {
        id: None,
        origins: fields.without_wildcards("origin", origins),
        methods: always(methods, fields),
        headers: fields.without_wildcards("header", headers),
        expose,
        max_age,
    }
}
