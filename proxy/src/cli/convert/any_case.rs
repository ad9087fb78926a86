//! S3's rules as other tools spell them: Terraform, Pulumi, Crossplane, the CDK, Ansible, API clients. What the names mean is S3's.
//!
//! The rules are found by their names, wherever they are. Where there are several lists, which one is meant is for a person to say.

use super::draft::{Conversion, Draft};
use super::fields::{self, Fields};
use super::unresolved::{Unresolved, unresolved};
use super::{azure, gcs, r2};
use serde_json::{Map, Value};

/// A list of rules, or what stands in its place.
struct Found<'v> {
    place: String,
    rules: std::borrow::Cow<'v, Value>,
}

pub(super) fn read(document: &Value, conversion: &mut Conversion) {
    let mut found = Vec::new();
    find(document, "", &mut found);
    leave_out_references(&mut found, conversion);
    match <[Found<'_>; 1]>::try_from(found) {
        Ok([found]) => {
            if found.place.starts_with("variable.") {
                conversion.warn(&found.place, "this is a default: what is set instead is not known here");
            }
            fields::add_rules(&found.rules, &[], conversion, rule);
        }
        Err(found) if found.is_empty() => conversion.refuse("document", "there are no CORS rules that stand as data"),
        Err(several) => {
            let places = several.iter().map(|found| match first_unresolved(&found.rules) {
                Some(unresolved) => format!("{} ({unresolved})", found.place),
                None => found.place.clone(),
            });
            let places: Vec<_> = places.collect();
            conversion.refuse(&places.join(", "), "several lists of rules: convert one at a time");
        }
    }
}

/// Leaves out a name that stands for the only other list: `cors_rule = local.rules`, `CORSConfiguration=rules`.
fn leave_out_references(found: &mut Vec<Found<'_>>, conversion: &mut Conversion) {
    let [first, second] = found.as_slice() else { return };
    let reference = |found: &Found<'_>, other: &Found<'_>| {
        let unresolved = Unresolved::of(&found.rules).filter(|_| first_unresolved(&other.rules).is_none())?;
        let name = unresolved.name()?;
        let is_it = other.place.split(['.', '[']).any(|part| part == name);
        is_it.then(|| format!("{unresolved} is taken for the list at {}", other.place))
    };
    let (index, told) = match (reference(first, second), reference(second, first)) {
        (Some(told), _) => (0, told),
        (None, Some(told)) => (1, told),
        (None, None) => return,
    };
    let place = found.remove(index).place;
    conversion.warn(&place, &told);
}

fn find<'v>(value: &'v Value, path: &str, found: &mut Vec<Found<'v>>) {
    let mut add =
        |place: String, rules: &'v Value| found.push(Found { place, rules: std::borrow::Cow::Borrowed(rules) });
    match value {
        Value::Object(members) if is_rule(members) => add(or_whole(path), value),
        Value::Array(values) if values.iter().any(|value| value.as_object().is_some_and(is_rule)) => {
            add(or_whole(path), value);
        }
        Value::Array(values) => {
            for (index, inner) in values.iter().enumerate() {
                find(inner, &format!("{path}[{index}]"), found);
            }
        }
        Value::Object(members) => {
            for (key, inner) in members {
                let place = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                let of_key = |key: &str| is_list_of_rules(key) || (key == "rules" && path.ends_with("s3_cors"));
                if of_key(key) && first_unresolved(inner).is_some() {
                    found.push(Found { place, rules: std::borrow::Cow::Borrowed(inner) });
                } else if let Some(state) = removed(members).filter(|_| of_key(key)) {
                    found.push(Found { place, rules: std::borrow::Cow::Owned(state) });
                } else {
                    find(inner, &place, found);
                }
            }
        }
        _ => {}
    }
}

fn or_whole(path: &str) -> String {
    if path.is_empty() { "document".to_owned() } else { path.to_owned() }
}

/// The first missing value, itself or in a list: rules that are computed elsewhere.
fn first_unresolved(value: &Value) -> Option<Unresolved<'_>> {
    match value {
        Value::Array(values) => values.iter().find_map(Unresolved::of),
        value => Unresolved::of(value),
    }
}

/// The state of an Ansible task that may leave a bucket without rules.
fn removed(members: &Map<String, Value>) -> Option<Value> {
    let state = members.get("state")?;
    let is_absent = state.as_str() == Some("absent");
    if is_absent { Some(unresolved("state: absent", 0)) } else { Unresolved::of(state).map(|_| state.clone()) }
}

/// The name without case and separators.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect()
}

/// Returns true for the name of a list of rules, in any tool's case.
pub(super) fn is_list_of_rules(name: &str) -> bool {
    matches!(&*plain(name), "cors" | "corsrule" | "corsrules" | "corsconfiguration")
}

/// Returns true for the members of a rule: S3's, R2's, Google's.
fn is_rule(members: &Map<String, Value>) -> bool {
    if members.get("allowed").is_some_and(|allowed| allowed.get("origins").or(allowed.get("methods")).is_some()) {
        return true;
    }
    let is_name =
        |key: &String| matches!(&*plain(key), "allowedorigins" | "allowedorigin" | "allowedmethods" | "allowedmethod");
    members.keys().any(is_name) || is_google(members)
}

fn is_google(members: &Map<String, Value>) -> bool {
    members.contains_key("origin") && (members.contains_key("method") || members.contains_key("response_header"))
}

fn rule(fields: &mut Fields<'_>) -> Draft {
    // Terraform has the rules of other stores too, in snake case.
    if fields.has("allowed") || (fields.has("origin") && !fields.has("allowed_origins")) {
        fields.rename(camel);
        return if fields.has("allowed") { r2::rule(fields) } else { gcs::json(fields) };
    }
    if fields.has("max_age_in_seconds") {
        fields.rename(camel);
        return azure::rule(fields);
    }
    fields.rename(canonical);
    // Yandex Cloud's own names begin so.
    let methods = fields.list("AllowedMethods");
    let methods = methods.into_iter().map(|method| method.strip_prefix("METHOD_").unwrap_or(&method).to_owned());
    let methods = methods.collect();
    Draft {
        origins: fields.list("AllowedOrigins"),
        methods: fields.s3_methods(methods),
        headers: fields.list("AllowedHeaders"),
        expose: fields.list("ExposeHeaders"),
        id: fields.text("ID"),
        max_age: fields.seconds("MaxAgeSeconds"),
    }
}

/// S3's name for a member.
fn canonical(name: &str) -> String {
    let known = match &*plain(name) {
        "allowedorigins" | "allowedorigin" => "AllowedOrigins",
        "allowedmethods" | "allowedmethod" => "AllowedMethods",
        "allowedheaders" | "allowedheader" => "AllowedHeaders",
        "exposeheaders" | "exposeheader" | "exposedheaders" | "exposedheader" => "ExposeHeaders",
        "maxageseconds" | "maxage" => "MaxAgeSeconds",
        "id" => "ID",
        _ => name,
    };
    known.to_owned()
}

fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut camel, word| {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
        camel
    })
}
