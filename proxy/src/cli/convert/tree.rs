//! A document of any syntax as one tree: JSON as it is, YAML as the JSON that it stands for, XML as an object for each element.

use super::ConvertError;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use s3_cors::Format;
use serde_json::{Map, Value};

/// The deepest element of XML that is read.
const MAX_DEPTH: usize = 64;

pub(super) fn read(text: &str) -> Result<Value, ConvertError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('<') {
        return xml(text);
    }
    let json = match Format::detect(text.as_bytes()) {
        Format::Json => serde_json::from_str(text).map_err(|error| ConvertError::NotWellFormed(error.to_string())),
        _ => Err(ConvertError::NotWellFormed(String::new())),
    };
    // A flow mapping of YAML begins as JSON does, but the errors of JSON are the ones that its author expects.
    match json {
        Err(error) if matches!(Format::detect(text.as_bytes()), Format::Json) => yaml(text).map_err(|_| error),
        Err(_) => yaml(text),
        json => json,
    }
}

/// Several documents become the items of one list.
pub(super) fn yaml(text: &str) -> Result<Value, ConvertError> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| {
        // Its first line has the place; the others show the text around it.
        let shown = error.to_string();
        ConvertError::NotWellFormed(shown.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned())
    })?;
    match <[Value; 1]>::try_from(documents) {
        Ok([document]) => Ok(document),
        Err(documents) => Ok(serde_json::json!({"kind": "List", "items": documents})),
    }
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
            Event::Text(text) => content.push_str(&text.xml10_content()),
            Event::CData(text) => content.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => content.push_str(
                &resolved(&reference)
                    .ok_or_else(|| ConvertError::NotWellFormed(format!("unknown entity &{};", &*reference)))?,
            ),
            Event::End(_) => close(&mut open),
            Event::Eof => break,
            _ => {}
        }
    }
    match open.pop() {
        Some((_, children, _)) if open.is_empty() && !children.is_empty() => Ok(Value::Object(children)),
        _ => Err(ConvertError::NotWellFormed("the XML is not complete".into())),
    }
}

fn close(open: &mut Vec<(String, Map<String, Value>, String)>) {
    let Some((name, children, text)) = open.pop() else { return };
    let value = if children.is_empty() { Value::String(text.trim().to_owned()) } else { Value::Object(children) };
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
