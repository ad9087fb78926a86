//! TOML as a tree, in which Traefik's file provider can be written too.

use super::ConvertError;
use super::unresolved::{self, line_of};
use serde_json::Value;
use toml_edit::{Document, Item};

/// Returns true for a text whose first line is a section or gives a value to a name with `=`.
pub(super) fn is_toml(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.into_iter().next().is_some_and(|line| {
        let is_section = line.starts_with('[') && line.ends_with(']') && !line.contains(['"', '\'', '{', ',']);
        let is_name =
            |name: &str| name.trim_end().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte));
        is_section || line.split_once('=').is_some_and(|(name, _)| is_name(name))
    })
}

pub(super) fn read(text: &str) -> Result<Value, ConvertError> {
    let document = Document::parse(text).map_err(|error| {
        let line = error.span().map_or(0, |span| line_of(text, span.start));
        ConvertError::NotWellFormed(format!("line {line}: {}", error.message()))
    })?;
    Ok(value(text, document.as_item()))
}

fn value(text: &str, item: &Item) -> Value {
    let line = || item.span().map_or(0, |span| line_of(text, span.start));
    if let Some(table) = item.as_table_like() {
        return Value::Object(table.iter().map(|(key, inner)| (key.to_owned(), value(text, inner))).collect());
    }
    if let Some(tables) = item.as_array_of_tables() {
        return tables.iter().map(|table| value(text, &Item::Table(table.clone()))).collect();
    }
    if let Some(values) = item.as_array() {
        return values.iter().map(|inner| value(text, &Item::Value(inner.clone()))).collect();
    }
    let whole = item.as_str().map(|found| unresolved::text(found, line));
    let whole = whole.or_else(|| item.as_integer().map(Value::from)).or_else(|| item.as_bool().map(Value::from));
    // A date or a fraction, which no rule has.
    whole.unwrap_or_else(|| item.span().and_then(|span| text.get(span)).unwrap_or_default().into())
}
