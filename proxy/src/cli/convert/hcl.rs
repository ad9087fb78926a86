//! Terraform's language as a tree: blocks are members with their labels within each other, expressions are values or missing.

use super::ConvertError;
use super::unresolved::{self, Unresolved, line_of, unresolved};
use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Block, Body, Structure};
use hcl_edit::{Span, parser};
use serde_json::{Map, Value};

pub(super) fn read(text: &str) -> Result<Value, ConvertError> {
    let body = parser::parse_body(text).map_err(|error| {
        let place = error.location();
        ConvertError::NotWellFormed(format!("line {} column {}: {}", place.line(), place.column(), error.message()))
    })?;
    Ok(Value::Object(members(text, &body)))
}

fn members(text: &str, body: &Body) -> Map<String, Value> {
    let mut members = Map::new();
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                members.insert(attribute.key.as_str().to_owned(), value(text, &attribute.value));
            }
            Structure::Block(block) => add(&mut members, text, block),
        }
    }
    members
}

/// Adds a block: the object of its last label, or one more object in the list of its name.
fn add(members: &mut Map<String, Value>, text: &str, block: &Block) {
    let mut content = Value::Object(self::members(text, &block.body));
    let (name, labels) = (block.ident.as_str(), &block.labels);
    let Some((last, outer)) = labels.split_last() else {
        return push(members, name, content);
    };
    let mut place = members;
    for name in std::iter::once(name).chain(outer.iter().map(hcl_edit::structure::BlockLabel::as_str)) {
        let inner = place.entry(name).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(inner) = inner else { return };
        place = inner;
    }
    if name == "dynamic" {
        let line = block.span().map_or(0, |span| line_of(text, span.start));
        content = unresolved(&format!("dynamic \"{}\"", last.as_str()), line);
    }
    push(place, last.as_str(), content);
}

fn push(members: &mut Map<String, Value>, name: &str, content: Value) {
    match members.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(same) => same.push(content),
        // An attribute of the same name, which Terraform rejects.
        other => *other = Value::Array(vec![std::mem::take(other), content]),
    }
}

fn value(text: &str, expression: &Expression) -> Value {
    let source = || expression.span().and_then(|span| text.get(span)).unwrap_or("an expression").trim();
    let line = || expression.span().map_or(0, |span| line_of(text, span.start));
    match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(value) => (*value.value()).into(),
        Expression::Number(number) => number.value().as_i64().map_or_else(|| source().into(), Value::from),
        Expression::String(string) => unresolved::text(string.value(), line),
        Expression::Array(array) => array.iter().map(|item| value(text, item)).collect(),
        Expression::Parenthesis(inner) => value(text, inner.inner()),
        Expression::Object(object) => {
            let mut members = Map::new();
            for (key, item) in object {
                let name = match key {
                    ObjectKey::Ident(name) => name.as_str().to_owned(),
                    ObjectKey::Expression(Expression::String(name)) => name.value().clone(),
                    ObjectKey::Expression(_) => return unresolved(source(), line()),
                };
                if members.insert(name, value(text, item.expr())).is_some() {
                    return unresolved(source(), line());
                }
            }
            Value::Object(members)
        }
        Expression::FuncCall(call) => {
            let arguments = call.args.iter().map(|argument| value(text, argument)).collect();
            applied(call.name.name.as_str(), arguments).unwrap_or_else(|| unresolved(source(), line()))
        }
        _ => unresolved(source(), line()),
    }
}

/// The value of a function that changes the type of a list, or joins lists, where all of it is there.
fn applied(function: &str, arguments: Vec<Value>) -> Option<Value> {
    let is_whole = |value: &Value| {
        value.as_array().is_some_and(|values| values.iter().all(|inner| Unresolved::of(inner).is_none()))
    };
    if !arguments.iter().all(is_whole) {
        return None;
    }
    match (function, arguments.len()) {
        ("jsonencode" | "tolist" | "toset" | "list", 1) => arguments.into_iter().next(),
        ("concat", _) => {
            Some(arguments.into_iter().flat_map(|list| list.as_array().cloned().unwrap_or_default()).collect())
        }
        _ => None,
    }
}
