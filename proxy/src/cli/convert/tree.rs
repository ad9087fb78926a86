//! A document of any syntax as one tree: JSON as it is, YAML and programs as the JSON that they stand for, XML as an object for each element.

use super::unresolved::{self, Unresolved, line_of};
use super::{ConvertError, literal, program, yaml};
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use s3_cors::Format;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// The deepest element of XML that is read.
const MAX_DEPTH: usize = 64;

pub(super) fn read(text: &str) -> Result<Value, ConvertError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('<') {
        return xml(text);
    }
    if matches!(Format::detect(text.as_bytes()), Format::Json) { in_brackets(text) } else { yaml::read(text) }
}

/// JSON, an object of JavaScript, or a flow collection of YAML, which begin alike.
fn in_brackets(text: &str) -> Result<Value, ConvertError> {
    let json = serde_json::from_str::<IgnoredAny>(text);
    let literal = literal::document(text);
    match (json, literal) {
        // The reader of literals knows the lines.
        (Ok(_), literal) => literal,
        (Err(_), Ok(value)) if !has_unresolved(&value) => Ok(value),
        // What is an expression in a program is a text in YAML.
        (Err(_), Ok(value)) => Ok(yaml::read(text).unwrap_or(value)),
        // The errors of JSON are the ones that its author expects.
        (Err(error), Err(_)) => yaml::read(text).map_err(|_| ConvertError::NotWellFormed(error.to_string())),
    }
}

/// A program, or the data of one. Pulumi also has YAML.
pub(super) fn code(text: &str) -> Result<Value, ConvertError> {
    let is_yaml = ["resources:", "runtime:", "name:"].iter().any(|key| text.lines().any(|line| line.starts_with(key)));
    if is_yaml && let Ok(document) = yaml::read(text) {
        return Ok(document);
    }
    if let Ok(value) = literal::document(text)
        && Unresolved::of(&value).is_none()
    {
        return Ok(value);
    }
    match program::read(text) {
        Ok(Value::Object(found)) if found.is_empty() && is_yaml => yaml::read(text),
        Ok(Value::Object(found)) if found.is_empty() => Ok(yaml::read(text).unwrap_or(Value::Object(found))),
        Ok(found) => Ok(found),
        Err(error) => yaml::read(text).map_err(|_| error),
    }
}

fn has_unresolved(value: &Value) -> bool {
    let inner: Vec<_> = match value {
        Value::Object(members) => members.values().collect(),
        Value::Array(values) => values.iter().collect(),
        _ => Vec::new(),
    };
    Unresolved::of(value).is_some() || inner.into_iter().any(has_unresolved)
}

/// An element with elements in it becomes an object with a list for each name, any other its text. Attributes are left out: the forms
/// that are read so have none but namespaces.
fn xml(text: &str) -> Result<Value, ConvertError> {
    let failed = |error: quick_xml::Error| ConvertError::NotWellFormed(error.to_string());
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    // The open elements: name, children, text. The first is the document.
    let mut open = vec![(String::new(), Map::new(), String::new())];
    loop {
        let event = reader.read_event().map_err(failed)?;
        let depth = open.len();
        let Some((_, _, content)) = open.last_mut() else { break };
        match event {
            Event::Start(_) if depth > MAX_DEPTH => {
                return Err(ConvertError::NotWellFormed("the XML is nested too deeply".into()));
            }
            Event::Start(element) => {
                open.push((element.local_name().into_inner().to_owned(), Map::new(), String::new()));
            }
            Event::Text(part) => content.push_str(&part.xml10_content()),
            Event::CData(part) => content.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) => content.push_str(
                &resolved(&reference)
                    .ok_or_else(|| ConvertError::NotWellFormed(format!("unknown entity &{};", &*reference)))?,
            ),
            Event::End(_) => {
                let offset = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
                close(&mut open, || line_of(text, offset));
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match open.pop() {
        Some((_, children, _)) if open.is_empty() && !children.is_empty() => Ok(Value::Object(children)),
        _ => Err(ConvertError::NotWellFormed("the XML is not complete".into())),
    }
}

fn close(open: &mut Vec<(String, Map<String, Value>, String)>, line: impl FnOnce() -> usize) {
    let Some((name, children, text)) = open.pop() else { return };
    let value = if children.is_empty() { unresolved::text(text.trim(), line) } else { Value::Object(children) };
    if let Some((_, siblings, _)) = open.last_mut()
        && let Value::Array(same) = siblings.entry(name).or_insert_with(|| Value::Array(Vec::new()))
    {
        same.push(value);
    }
}

fn resolved(reference: &quick_xml::events::BytesRef<'_>) -> Option<String> {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return Some(character.into());
    }
    quick_xml::escape::resolve_predefined_entity(reference).map(str::to_owned)
}
