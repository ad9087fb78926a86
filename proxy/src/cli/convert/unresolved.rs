//! A place in a document where a value is missing: a tag, a reference, an expression or a placeholder stands there instead.
//!
//! The readers put it into the tree in the place of the value. Where the value is needed it is refused by name, elsewhere it does no harm.

pub(super) use s3_cors::placeholder;
use serde_json::{Map, Value, json};
use std::fmt;

/// Names that no document has by accident. One that has them on purpose is refused, which is right.
const TEXT: &str = "\u{1}unresolved";
const LINE: &str = "\u{1}line";

/// The longest text that is shown whole, in characters.
const SHOWN: usize = 120;

/// The text that stands for a value, and its line.
pub(super) struct Unresolved<'v> {
    text: &'v str,
    line: u64,
}

impl<'v> Unresolved<'v> {
    /// The variable that it is, without what it belongs to: `rules` of `local.rules`.
    pub(super) fn name(&self) -> Option<&'v str> {
        let name = self.text.strip_prefix("local.").unwrap_or(self.text);
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_name.then_some(name)
    }

    pub(super) fn of(value: &'v Value) -> Option<Self> {
        let text = value.get(TEXT)?.as_str()?;
        Some(Self { text, line: value.get(LINE).and_then(Value::as_u64).unwrap_or_default() })
    }
}

impl fmt::Display for Unresolved<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 { f.write_str(self.text) } else { write!(f, "{} in line {}", self.text, self.line) }
    }
}

/// A missing value, by the text that stands for it.
pub(super) fn unresolved(text: &str, line: usize) -> Value {
    let words: Vec<_> = text.split_whitespace().collect();
    let mut shown: String = words.join(" ");
    if let Some((end, _)) = shown.char_indices().nth(SHOWN) {
        shown.truncate(end);
        shown.push('…');
    }
    json!({TEXT: shown, LINE: line})
}

/// A string, or a missing value where the string has a placeholder.
pub(super) fn text(text: &str, line: impl FnOnce() -> usize) -> Value {
    match placeholder(text) {
        None => Value::String(text.to_owned()),
        Some(placeholder) if text.chars().nth(SHOWN).is_some() => unresolved(placeholder, line()),
        Some(_) => unresolved(&format!("\"{text}\""), line()),
    }
}

/// An object, or a missing value where it is a function of CloudFormation or Pulumi; `source` is its text.
pub(super) fn object(members: Map<String, Value>, source: impl FnOnce() -> String, line: usize) -> Value {
    let is_function = members.len() == 1 && members.keys().all(|key| is_function(key));
    if is_function { unresolved(&source(), line) } else { Value::Object(members) }
}

/// Returns true for the name of a function, and for what a reader calls members that it cannot know.
pub(super) fn is_function(key: &str) -> bool {
    key == "Ref" || key == "<<" || ["Fn::", "fn::", "..."].iter().any(|prefix| key.starts_with(prefix))
}

/// The line of an offset, from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
