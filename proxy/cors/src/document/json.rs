//! The JSON form: what `aws s3api put-bucket-cors --cors-configuration` accepts and `get-bucket-cors` prints.
//!
//! Decides: what is well-formed and has known keys. Must not know: which values are valid.
//!
//! Every value is first read as a slice of the document (`RawValue`): a slice knows where it stands, a parsed value does not.

use super::error::Problems;
use super::hint::similar;
use super::problem::{Problem, name as cut};
use super::raw::{RawRule, RawValue as Value};
use super::syntax::Mistake;
use super::xml;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::fmt;

/// The keys of a rule (AWS CLI, `put-bucket-cors`).
const RULE_KEYS: [&str; 6] =
    ["ID", "AllowedHeaders", "AllowedMethods", "AllowedOrigins", "ExposeHeaders", "MaxAgeSeconds"];

/// Reads the rules and notes what is wrong; a rule that cannot be read does not hide the next.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Vec<RawRule> {
    let mut reading = Reading { text, problems };
    // The slice is the value without the white space around it, so that its start is the value's.
    match reading.parse::<&RawValue>(text) {
        Some(document) if document.get().starts_with('[') => reading.rules(document),
        Some(document) => reading.configuration(document),
        None => Vec::new(),
    }
}

/// An object's keys and values as slices, in their order: serde's own structs would accept a list as an object, and give an
/// unknown or doubled key no place.
struct Entries<'t>(Vec<(&'t RawValue, &'t RawValue)>);

impl<'t> Deserialize<'t> for Entries<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'t> Visitor<'t> for Collect {
            type Value = Entries<'t>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// What a value is called to a person.
trait Named {
    const NAME: &'static str;
}

impl Named for &RawValue {
    const NAME: &'static str = "a value";
}

impl Named for Entries<'_> {
    const NAME: &'static str = "an object";
}

impl Named for Vec<&RawValue> {
    const NAME: &'static str = "a list";
}

impl Named for String {
    const NAME: &'static str = "a string";
}

impl Named for i64 {
    const NAME: &'static str = "a whole number";
}

struct Reading<'t, 'p> {
    text: &'t str,
    problems: &'p mut Problems,
}

impl<'t> Reading<'t, '_> {
    /// Where a slice of the text stands in it.
    fn offset(&self, part: &str) -> usize {
        (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    fn parse<T: Deserialize<'t> + Named>(&mut self, part: &'t str) -> Option<T> {
        match serde_json::from_str(part) {
            Ok(value) => Some(value),
            Err(error) => {
                let words = without_place(&error);
                let (within, problem) = match error.classify() {
                    Category::Eof => (part.len(), Problem::of_syntax(words, Mistake::at_end_of_json(part))),
                    // Of this one error serde_json names the character before (1.0.154, `ignore_str`).
                    Category::Syntax if words.starts_with("control character") => {
                        (offset_in(part, error.line(), error.column() + 1), Problem::Syntax(words))
                    }
                    Category::Syntax => {
                        let within = offset_in(part, error.line(), error.column());
                        let mistake = Mistake::in_json(part, within, &words);
                        (within, Problem::of_syntax(words, mistake))
                    }
                    // A value of the wrong type is wrong from its start; serde_json names its end.
                    Category::Data | Category::Io => (0, wrong_type(part, T::NAME)),
                };
                self.problems.push(self.offset(part) + within, problem);
                None
            }
        }
    }

    fn configuration(&mut self, document: &'t RawValue) -> Vec<RawRule> {
        let mut rules = None;
        let mut has_rules = false;
        let Some(entries) = self.entries(document) else {
            return Vec::new();
        };
        for (key, name, value) in entries {
            match &*name {
                "CORSRules" if has_rules => self.doubled(key, &name),
                "CORSRules" => {
                    has_rules = true;
                    rules = Some(self.rules(value));
                }
                _ => {
                    self.unknown(key, &name, &["CORSRules"]);
                    // The rules are not missing: they have another name.
                    rules.get_or_insert_default();
                }
            }
        }
        rules.unwrap_or_else(|| {
            self.problems.push(self.offset(document.get()), Problem::NoRuleList);
            Vec::new()
        })
    }

    fn rules(&mut self, list: &'t RawValue) -> Vec<RawRule> {
        let rules = self.parse::<Vec<&RawValue>>(list.get()).unwrap_or_default();
        rules.into_iter().filter_map(|rule| self.rule(rule)).collect()
    }

    fn rule(&mut self, raw: &'t RawValue) -> Option<RawRule> {
        let mut rule = RawRule { offset: self.offset(raw.get()), ..RawRule::default() };
        let mut seen = HashSet::new();
        for (key, name, value) in self.entries(raw)? {
            if !seen.insert(name.clone()) {
                self.doubled(key, &name);
                continue;
            }
            match &*name {
                "ID" => rule.ids = self.optional::<String>(value),
                "AllowedHeaders" => rule.headers = self.list(value),
                "AllowedMethods" => (rule.methods, rule.methods_unread) = self.needed(value),
                "AllowedOrigins" => (rule.origins, rule.origins_unread) = self.needed(value),
                "ExposeHeaders" => rule.expose = self.list(value),
                "MaxAgeSeconds" => rule.max_ages = self.optional::<i64>(value),
                _ => {
                    rule.note_unread(similar(&name, &RULE_KEYS));
                    self.unknown(key, &name, &RULE_KEYS);
                }
            }
        }
        Some(rule)
    }

    fn entries(&mut self, object: &'t RawValue) -> Option<Vec<(&'t RawValue, String, &'t RawValue)>> {
        let Entries(entries) = self.parse(object.get())?;
        let named = entries.into_iter().filter_map(|(key, value)| Some((key, self.parse(key.get())?, value)));
        Some(named.collect())
    }

    fn unknown(&mut self, key: &RawValue, name: &str, expected: &'static [&'static str]) {
        self.problems.push(self.offset(key.get()), Problem::UnknownKey { key: cut(name), expected });
    }

    fn doubled(&mut self, key: &RawValue, name: &str) {
        self.problems.push(self.offset(key.get()), Problem::DuplicateKey(cut(name)));
    }

    /// `null` counts as absent, as writers of JSON use it.
    fn optional<T: DeserializeOwned + ToString + Named>(&mut self, value: &'t RawValue) -> Vec<Value> {
        if value.get() == "null" { Vec::new() } else { self.value::<T>(value).into_iter().collect() }
    }

    /// A list, and whether a part of it could not be read.
    fn needed(&mut self, list: &'t RawValue) -> (Vec<Value>, bool) {
        let before = self.problems.len();
        let values = self.list(list);
        (values, self.problems.len() > before)
    }

    fn list(&mut self, list: &'t RawValue) -> Vec<Value> {
        let values = self.parse::<Vec<&RawValue>>(list.get()).unwrap_or_default();
        values.into_iter().filter_map(|value| self.value::<String>(value)).collect()
    }

    fn value<T: DeserializeOwned + ToString + Named>(&mut self, raw: &'t RawValue) -> Option<Value> {
        let text = self.parse::<T>(raw.get())?.to_string();
        let offset = self.offset(raw.get());
        if let Some(character) = text.chars().find(|character| !xml::is_character(*character)) {
            self.problems.push(offset, Problem::Character(character));
        }
        Some(Value { text, offset })
    }
}

fn wrong_type(part: &str, expected: &str) -> Problem {
    let is_string = part.starts_with('"');
    let inner = part.trim_matches('"');
    if is_string && expected == i64::NAME && inner.parse::<i64>().is_ok() {
        return Problem::QuotedNumber(cut(inner));
    }
    let shown = cut(part);
    let found = match part.as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        _ => &*shown,
    };
    if expected == Vec::<&RawValue>::NAME && (is_string || found == "null" || found == "an object") {
        return Problem::NotAList(found.into());
    }
    Problem::WrongType(format!("{found} where {expected} belongs").into())
}

/// serde_json counts lines from 1 and, in each, the bytes up to and with the wrong one: 0 when that is the line feed before.
fn offset_in(part: &str, line: usize, column: usize) -> usize {
    let lines_before = part.split_inclusive('\n').take(line.saturating_sub(1));
    (lines_before.map(str::len).sum::<usize>() + column).saturating_sub(1)
}

/// The message without serde_json's own place, which is that in the part.
fn without_place(error: &serde_json::Error) -> Box<str> {
    let message = error.to_string();
    message.rsplit_once(" at line ").map_or(&*message, |(what, _)| what).into()
}
