//! The data of a ConfigMap or Secret that is a CORS document.

use super::gateway_api::each_object;
use super::unresolved::Unresolved;
use serde_json::Value;

/// The texts of all data, each with its name, and the names of those that have a placeholder; `None` where there is no ConfigMap.
pub(super) fn texts(document: &Value) -> Option<Vec<(String, Result<String, String>)>> {
    let mut texts = Vec::new();
    let mut is_there = false;
    each_object(document, &mut |object| {
        if !matches!(object.get("kind").and_then(Value::as_str), Some("ConfigMap" | "Secret")) {
            return;
        }
        is_there = true;
        let data = ["data", "stringData"].into_iter().filter_map(|key| object.get(key)?.as_object());
        for (name, value) in data.flatten() {
            let text = match (value.as_str(), Unresolved::of(value)) {
                (Some(text), _) => Ok(text.to_owned()),
                (None, Some(unresolved)) => Err(unresolved.to_string()),
                (None, None) => continue,
            };
            texts.push((name.clone(), text));
        }
    });
    is_there.then_some(texts)
}
