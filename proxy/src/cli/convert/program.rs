//! A program, in which lists of rules are found by their names.

use super::ConvertError;
use super::any_case::is_list_of_rules;
use super::literal::{Reader, is_name_start};
use super::unresolved::{line_of, unresolved};
use serde_json::{Map, Value};

/// Reads the lists of rules in a program, each by the line of its name.
pub(super) fn read(text: &str) -> Result<Value, ConvertError> {
    let mut reader = Reader::new(text);
    let mut found = Map::new();
    loop {
        reader.skip_blank();
        match reader.peek() {
            None => return Ok(Value::Object(found)),
            Some('"' | '\'' | '`') if !reader.rest().starts_with("'''") => {
                let start = reader.at;
                let is_name =
                    reader.string().is_ok() && is_list_of_rules(reader.since(start).trim_matches(['"', '\'']));
                if is_name {
                    list_of_rules(&mut reader, start, &mut found)?;
                } else if reader.at == start {
                    reader.advance();
                }
            }
            Some(first) if is_name_start(first) => {
                let start = reader.at;
                let name = reader.name();
                if is_list_of_rules(name) || matches!(name, "addCorsRule" | "add_cors_rule") {
                    list_of_rules(&mut reader, start, &mut found)?;
                }
            }
            Some(_) => reader.advance(),
        }
    }
}

/// The value of a name that may be that of rules: `name: value`, `name = value`, `name: Type[] = value`, or the argument of a call.
fn list_of_rules(reader: &mut Reader<'_>, start: usize, found: &mut Map<String, Value>) -> Result<(), ConvertError> {
    let name = reader.since(start).trim_matches(['"', '\'']);
    let after = reader.at;
    reader.skip_blank();
    let is_call = name.starts_with("add") && reader.skip("(");
    // PHP's arrow belongs to a string; behind a name it begins a function of JavaScript.
    let is_of_string = reader.since(start).trim_end().ends_with(['"', '\'']);
    // `CorsRule::builder()` of Rust is a path.
    let is_path = reader.rest().starts_with("::");
    let is_value = is_call
        || (is_of_string && reader.skip("=>"))
        || (!is_path && reader.skip(":"))
        || (reader.skip("=") && !reader.rest().starts_with(['=', '>']));
    if !is_value {
        reader.at = after;
        if changes(reader.rest()) {
            let statement = text_of_line(reader.text, start);
            insert(found, reader.text, start, name, &unresolved(statement, line_of(reader.text, start)));
        }
        return Ok(());
    }
    skip_type(reader);
    reader.skip_blank();
    let value = reader.value(0).map_err(|what| reader.failed(what))?;
    let key = if is_call { "corsRules" } else { name };
    let value = if is_call { Value::Array(vec![value]) } else { value };
    insert(found, reader.text, start, key, &value);
    Ok(())
}

fn insert(found: &mut Map<String, Value>, text: &str, start: usize, key: &str, value: &Value) {
    let mut place = format!("line {}", line_of(text, start));
    while found.contains_key(&place) {
        place.push_str(", again");
    }
    found.insert(place, serde_json::json!({key: value}));
}

/// Returns true where a statement changes a list that stands elsewhere: `rules += …`, `rules.append(…)`, `rules[0]['x'] = …`.
fn changes(rest: &str) -> bool {
    const CALLS: [&str; 6] = [".append(", ".push(", ".extend(", ".insert(", ".unshift(", ".concat("];
    let line = rest.lines().next().unwrap_or_default().trim_start();
    let is_member = line.starts_with(['[', '.']);
    let is_assigned = line.replace("==", "").replace("=>", "").contains('=') && !line.contains('(');
    line.starts_with("+=") || CALLS.iter().any(|call| is_member && line.contains(call)) || (is_member && is_assigned)
}

fn text_of_line(text: &str, offset: usize) -> &str {
    let from = text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    text.get(from..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim()
}

/// Skips the type of a declaration, where its value follows.
fn skip_type(reader: &mut Reader<'_>) {
    let line = reader.rest().lines().next().unwrap_or_default();
    if !line.trim_start().starts_with(is_name_start) {
        return;
    }
    let declared = line.split(['{', '(', ',', ';', '"', '\'']).next().unwrap_or_default();
    if let Some(end) = declared.find('=')
        && !declared.get(end..).is_some_and(|rest| rest.starts_with("==") || rest.starts_with("=>"))
    {
        reader.at += end + 1;
    }
}
