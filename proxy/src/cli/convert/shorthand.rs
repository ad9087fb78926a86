//! The shorthand of the AWS CLI (user guide, "Using shorthand syntax"): `CORSRules=[{AllowedOrigins=[https://a],AllowedMethods=[GET]}]`,
//! alone or in the command.

use super::unresolved::{self, line_of};
use super::{ConvertError, literal};
use serde_json::{Map, Value};

/// The deepest list or structure that is read.
const MAX_DEPTH: usize = 16;

const LIST: &str = "CORSRules=";
const OPTION: &str = "--cors-configuration";

/// Returns the rules in the text of a command, in the JSON that they stand for; `None` for another text.
pub(super) fn read(text: &str) -> Option<Result<Value, ConvertError>> {
    let start = match text.split_once(OPTION) {
        Some((_, value)) if !value.contains(LIST) => return Some(json(value)),
        Some((before, _)) => before.len() + text.get(before.len()..)?.find(LIST)?,
        None if text.trim_start().starts_with(LIST) => text.find(LIST)?,
        None => return None,
    };
    let mut reader = Reader { text, at: start + LIST.len() };
    let rules = reader.value(0).map(|rules| serde_json::json!({"CORSRules": rules}));
    Some(rules.map_err(|what| ConvertError::NotWellFormed(format!("line {}: {what}", line_of(text, reader.at)))))
}

/// The JSON in a command, in the quotes of a shell.
fn json(value: &str) -> Result<Value, ConvertError> {
    let value = value.trim_start_matches(['=', ' ', '\\', '\n', '\r']);
    if let Some(file) =
        value.split_whitespace().next().filter(|word| word.trim_start_matches(['"', '\'']).starts_with("file:"))
    {
        return Err(ConvertError::NotWellFormed(format!("{OPTION} {file} names a file: convert that file")));
    }
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\''));
    let text = match quote {
        Some(quote) => value.get(1..).and_then(|rest| rest.rsplit_once(quote)).map(|(text, _)| text),
        None => value.lines().next(),
    };
    literal::document(text.unwrap_or_default())
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\\').len();
    }

    fn skip(&mut self, token: char) -> bool {
        self.skip_blank();
        let is_there = self.rest().starts_with(token);
        self.at += if is_there { token.len_utf8() } else { 0 };
        is_there
    }

    fn value(&mut self, depth: usize) -> Result<Value, &'static str> {
        if depth > MAX_DEPTH {
            return Err("nested too deeply");
        }
        if self.skip('[') {
            let mut values = Vec::new();
            while !self.skip(']') {
                values.push(self.value(depth + 1)?);
                if !self.skip(',') && !self.rest().starts_with(']') {
                    return Err("a comma or ] is missing");
                }
            }
            return Ok(Value::Array(values));
        }
        if self.skip('{') {
            let mut members = Map::new();
            while !self.skip('}') {
                let (name, _) = self.rest().split_once('=').ok_or("a name without a value")?;
                self.at += name.len() + 1;
                let value = self.value(depth + 1)?;
                if members.insert(name.trim().to_owned(), value).is_some() {
                    return Err("a name occurs twice");
                }
                if !self.skip(',') && !self.rest().starts_with('}') {
                    return Err("a comma or } is missing");
                }
            }
            return Ok(Value::Object(members));
        }
        self.text_value()
    }

    fn text_value(&mut self) -> Result<Value, &'static str> {
        let start = self.at;
        for quote in ['"', '\''] {
            if self.skip(quote) {
                let length = self.rest().find(quote).ok_or("a quote is not closed")?;
                let text = self.rest().get(..length).unwrap_or_default();
                self.at += length + quote.len_utf8();
                return Ok(unresolved::text(text, || line_of(self.text, start)));
            }
        }
        // A placeholder has braces of its own.
        let placeholder = unresolved::placeholder(self.rest()).and_then(|found| {
            let start = self.rest().find(found)?;
            self.rest().get(..start)?.find([',', ']', '}']).is_none().then_some(start + found.len())
        });
        let from = placeholder.unwrap_or_default();
        let rest = self.rest().get(from..).unwrap_or_default();
        let length = from + rest.find([',', ']', '}']).ok_or("a bracket is not closed")?;
        let text = self.rest().get(..length).unwrap_or_default();
        self.at += length;
        Ok(unresolved::text(text.trim(), || line_of(self.text, start)))
    }
}
