//! The form of a JSON document by the names of all its members, for tools that nest their rules.

use super::names::plain;
use super::{ForeignForm, Object, S3_KEYS};
use serde_json::Value;

/// The deepest value whose names are looked at.
const MAX_DEPTH: usize = 24;

/// By names further in, where none of S3's own is.
pub(super) fn form(value: &Value, object: &Object) -> Option<ForeignForm> {
    let mut names = Vec::new();
    collect(value, &mut names, 0);
    if names.iter().any(|name| S3_KEYS.contains(name)) {
        return None;
    }
    let has = |known: &[&str]| names.iter().any(|name| known.contains(&&*plain(name)));
    if names
        .iter()
        .any(|name| plain(name).rsplit('.').next().is_some_and(|name| name.starts_with("accesscontrolalloworigin")))
    {
        return Some(ForeignForm::Traefik);
    }
    if names.contains(&"corsPolicy") {
        return Some(ForeignForm::Istio);
    }
    if has(&["corsrule", "corsrules", "cors"])
        && ["resource", "module", "variable", "locals"].iter().any(|key| object.contains_key(*key))
    {
        return Some(ForeignForm::Terraform);
    }
    if !has(&["allowedorigins", "allowedorigin", "allowedmethods", "allowedmethod"]) {
        return None;
    }
    let of_tool = if names.contains(&"forProvider") {
        ForeignForm::Crossplane
    } else if names.iter().any(|name| name.ends_with("s3_cors")) {
        ForeignForm::Ansible
    } else if object.get("resources").is_some_and(Value::is_object) {
        ForeignForm::Pulumi
    } else if names.contains(&"apiVersion") {
        ForeignForm::OtherCase
    } else if names.contains(&"cors") && names.contains(&"allowedMethods") {
        ForeignForm::Cdk
    } else {
        ForeignForm::OtherCase
    };
    Some(of_tool)
}

/// All names of members.
fn collect<'v>(value: &'v Value, names: &mut Vec<&'v str>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        names.push(name);
        collect(inner, names, depth + 1);
    }
    for inner in value.as_array().into_iter().flatten() {
        collect(inner, names, depth + 1);
    }
}
