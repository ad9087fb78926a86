//! YAML as a tree that keeps what its author's tool would have replaced.
//!
//! Read by events and not through serde, which drops tags: `!If [IsDev, "*", !Ref X]` would be a list with an origin `*`.

use super::ConvertError;
use super::unresolved::{self, unresolved};
use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// The deepest collection that is read.
const MAX_DEPTH: usize = 64;
/// The most values of a document, those that aliases repeat included.
const MAX_VALUES: usize = 200_000;

/// Several documents become the items of one list.
pub(super) fn read(text: &str) -> Result<Value, ConvertError> {
    let mut reading = Reading { text, parser: Parser::new_from_str(text), anchors: HashMap::new(), values: 0 };
    match reading.documents() {
        Ok(documents) => Ok(match <[Value; 1]>::try_from(documents) {
            Ok([document]) => document,
            Err(documents) => serde_json::json!({"kind": "List", "items": documents}),
        }),
        Err(words) => Err(ConvertError::NotWellFormed(in_template(text).unwrap_or(words))),
    }
}

/// Names the first template in a text that is no YAML because of it.
fn in_template(text: &str) -> Option<String> {
    let is_template = |line: &&str| line.contains("{{") || line.contains("{%");
    let (index, line) = text.lines().enumerate().find(|(_, line)| is_template(line))?;
    let found = unresolved::placeholder(line).unwrap_or(line).trim();
    Some(format!(
        "line {}: {found} is a template: render it first (helm template, ansible), then convert the result",
        index + 1
    ))
}

type Words = String;

/// A value with the number of values in it.
type Anchored = (Value, usize);

struct Reading<'t> {
    text: &'t str,
    parser: Parser<'t, granit_parser::StrInput<'t>>,
    anchors: HashMap<usize, Anchored>,
    values: usize,
}

impl<'t> Reading<'t> {
    fn documents(&mut self) -> Result<Vec<Value>, Words> {
        let mut documents = Vec::new();
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(documents),
                (Event::DocumentStart(..), _) => {
                    let (event, span) = self.next()?;
                    documents.push(self.value(event, span, 0)?);
                    self.anchors.clear();
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), Words> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(at(error.marker(), &error.info())),
            None => Err("the YAML ends too early".into()),
        }
    }

    fn value(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Value, Words> {
        let before = self.values;
        self.count(1, &span)?;
        if depth > MAX_DEPTH {
            return Err(at(&span.start, "nested too deeply"));
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (self.scalar(&text, style, tag.as_ref(), &span), anchor),
            Event::SequenceStart(_, anchor, tag) => (self.sequence(tag.as_ref(), &span, depth)?, anchor),
            Event::MappingStart(_, anchor, tag) => (self.mapping(tag.as_ref(), &span, depth)?, anchor),
            Event::Alias(anchor) => {
                let Some((value, values)) = self.anchors.get(&anchor).cloned() else {
                    return Err(at(&span.start, "an alias of what it is in"));
                };
                self.count(values, &span)?;
                (value, 0)
            }
            _ => return Err(at(&span.start, "a value is missing")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), self.values - before));
        }
        Ok(value)
    }

    fn count(&mut self, values: usize, span: &Span) -> Result<(), Words> {
        self.values = self.values.saturating_add(values);
        if self.values > MAX_VALUES { Err(at(&span.start, "too many values")) } else { Ok(()) }
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Cow<'_, Tag>>, span: &Span) -> Value {
        match tag.map(|tag| tag.core_suffix()) {
            Some(None) => self.tagged(span, span),
            Some(Some("str")) => unresolved::text(text, || span.start.line()),
            _ if style == ScalarStyle::Plain => plain(text, span),
            _ => unresolved::text(text, || span.start.line()),
        }
    }

    fn sequence(&mut self, tag: Option<&Cow<'_, Tag>>, start: &Span, depth: usize) -> Result<Value, Words> {
        let mut values = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) if is_foreign(tag) => return Ok(self.tagged(start, &end)),
                (Event::SequenceEnd, _) => return Ok(Value::Array(values)),
                (event, span) => values.push(self.value(event, span, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, tag: Option<&Cow<'_, Tag>>, start: &Span, depth: usize) -> Result<Value, Words> {
        let mut members = Map::new();
        let mut merged = Vec::new();
        let mut has_other_keys = false;
        let end = loop {
            let key = match self.next()? {
                (Event::MappingEnd, end) => break end,
                (Event::Scalar(key, ..), span) => Some((key.into_owned(), span)),
                (event, span) => {
                    // `{{ x }}` of a template reads as a mapping whose key is one.
                    self.value(event, span, depth + 1)?;
                    None
                }
            };
            let (event, span) = self.next()?;
            let value = self.value(event, span, depth + 1)?;
            match key {
                None => has_other_keys = true,
                Some((key, _)) if key == "<<" => merged.push(value),
                Some((key, span)) if members.contains_key(&key) => {
                    return Err(at(&span.start, &format!("the key {key} occurs twice")));
                }
                Some((key, _)) => drop(members.insert(key, value)),
            }
        };
        if has_other_keys || is_foreign(tag) {
            return Ok(self.tagged(start, &end));
        }
        for value in merged {
            merge(&mut members, value);
        }
        Ok(unresolved::object(members, || self.source(start, &end), start.start.line()))
    }

    /// A value that its tool would compute, by its text.
    fn tagged(&self, start: &Span, end: &Span) -> Value {
        unresolved(&self.source(start, end), start.tag_start().unwrap_or(start.start).line())
    }

    fn source(&self, start: &Span, end: &Span) -> String {
        let from = start.tag_start().unwrap_or(start.start).byte_offset().unwrap_or_default();
        let to = end.end.byte_offset().unwrap_or_default();
        self.text.get(from..to).unwrap_or_default().trim().to_owned()
    }
}

/// YAML's own tags name the type of a value; any other one computes it.
fn is_foreign(tag: Option<&Cow<'_, Tag>>) -> bool {
    tag.is_some_and(|tag| tag.core_suffix().is_none())
}

/// The core schema (YAML 1.2 §10.3.2), as far as rules need it.
fn plain(text: &str, span: &Span) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        _ => text.parse::<i64>().map_or_else(|_| unresolved::text(text, || span.start.line()), Value::from),
    }
}

/// The members of a merged mapping that are not there (YAML 1.1, "Merge Key Language-Independent Type"), or one that cannot be known.
fn merge(members: &mut Map<String, Value>, value: Value) {
    match value {
        Value::Object(other) if unresolved::Unresolved::of(&Value::Object(other.clone())).is_none() => {
            for (key, value) in other {
                members.entry(key).or_insert(value);
            }
        }
        Value::Array(several) => several.into_iter().for_each(|value| merge(members, value)),
        value => drop(members.insert("<<".to_owned(), value)),
    }
}

fn at(place: &Marker, what: &str) -> Words {
    format!("line {} column {}: {what}", place.line(), place.col() + 1)
}
