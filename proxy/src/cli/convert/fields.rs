//! The members of an object, taken one by one, so that what no one took can be named.

use super::draft::{Conversion, Draft};
use serde_json::{Map, Value};

pub(super) struct Fields<'c> {
    place: String,
    members: Map<String, Value>,
    conversion: &'c mut Conversion,
}

impl<'c> Fields<'c> {
    /// The members; none where it is no object, which is an error.
    pub(super) fn of(place: &str, value: &Value, conversion: &'c mut Conversion) -> Self {
        let members = value.as_object().cloned().unwrap_or_else(|| {
            conversion.refuse(place, &format!("{value} where an object belongs"));
            Map::new()
        });
        Self { place: place.to_owned(), members, conversion }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.members.contains_key(key)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.members.remove(key).filter(|value| !value.is_null())
    }

    /// Gives each member another name.
    pub(super) fn rename(&mut self, name: impl Fn(&str) -> String) {
        let members = std::mem::take(&mut self.members).into_iter();
        self.members = members.map(|(key, value)| (name(&key), value)).collect();
    }

    pub(super) fn warn(&mut self, what: &str) {
        self.conversion.warn(&self.place, what);
    }

    /// A list of strings, or one string with commas between the values.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(values)) => values.iter().flat_map(|value| self.several(key, value)).collect(),
            Some(value) => self.several(key, &value),
        }
    }

    fn several(&mut self, key: &str, value: &Value) -> Vec<String> {
        let Some(text) = value.as_str() else {
            let what = format!("{key} has {value}, which is not a string: write its value");
            self.conversion.refuse(&self.place, &what);
            return Vec::new();
        };
        text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
    }

    /// A string as it is, commas included.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.take(key)?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            let what = format!("{key} is {value}, which is not a string: write its value");
            self.conversion.refuse(&self.place, &what);
        }
        text
    }

    /// A number of seconds, as a number or as a string.
    pub(super) fn seconds(&mut self, key: &str) -> Option<i64> {
        let value = self.take(key)?;
        let seconds = value.as_i64().or_else(|| value.as_str()?.trim().trim_end_matches('s').parse().ok());
        if seconds.is_none() {
            self.conversion.refuse(&self.place, &format!("{key} is {value}, which is not a whole number of seconds"));
        }
        seconds
    }

    /// The texts of the elements in the only element of a name, of XML.
    pub(super) fn nested(&mut self, list: &str, element: &str) -> Vec<String> {
        let Some(inner) = self.only(list) else { return Vec::new() };
        // An element without elements is an empty text.
        if inner.as_str().is_some_and(str::is_empty) {
            return Vec::new();
        }
        let mut inner = self.inner(list, &inner);
        let texts = inner.texts(element);
        inner.rest();
        texts
    }

    /// The value of a member that has only one. Elements of XML are lists.
    pub(super) fn only(&mut self, key: &str) -> Option<Value> {
        match self.take(key)? {
            Value::Array(mut values) => {
                if values.len() > 1 {
                    self.conversion.refuse(&self.place, &format!("{key} occurs {} times", values.len()));
                }
                values.pop()
            }
            value => Some(value),
        }
    }

    /// [`text`](Self::text) of such a member.
    pub(super) fn only_text(&mut self, key: &str) -> Option<String> {
        let value = self.only(key)?;
        self.members.insert(key.to_owned(), value);
        self.text(key)
    }

    /// [`seconds`](Self::seconds) of such a member.
    pub(super) fn only_seconds(&mut self, key: &str) -> Option<i64> {
        let value = self.only(key)?;
        self.members.insert(key.to_owned(), value);
        self.seconds(key)
    }

    /// The members of a member's value.
    pub(super) fn inner(&mut self, key: &str, value: &Value) -> Fields<'_> {
        Fields::of(&format!("{}, {key}", self.place), value, self.conversion)
    }

    /// Names what no one took. To be called last.
    pub(super) fn rest(&mut self) {
        for (key, value) in std::mem::take(&mut self.members) {
            if !value.is_null() {
                self.conversion.warn(&self.place, &format!("{key} is left out: S3 has no equivalent"));
            }
        }
    }
}

/// Adds each rule of the list at the first of the paths that is there ([`rules`]).
pub(super) fn add_rules(
    document: &Value,
    pointers: &[&str],
    conversion: &mut Conversion,
    draft: impl Fn(&mut Fields<'_>) -> Draft,
) {
    for (index, value) in rules(document, pointers).iter().enumerate() {
        add_rule(&format!("rule {}", index + 1), value, conversion, &draft);
    }
}

/// Adds the rule that is drafted from an object's members, and names those that the draft does not take.
pub(super) fn add_rule(
    place: &str,
    value: &Value,
    conversion: &mut Conversion,
    draft: impl FnOnce(&mut Fields<'_>) -> Draft,
) {
    let mut fields = Fields::of(place, value, conversion);
    let draft = draft(&mut fields);
    fields.rest();
    conversion.add(place, draft);
}

/// The rules at the first of the paths that is there; a list that stands alone, or a single rule, is the rules itself.
fn rules(document: &Value, pointers: &[&str]) -> Vec<Value> {
    let found = pointers.iter().find_map(|pointer| document.pointer(pointer)).unwrap_or(document);
    match found {
        Value::Array(rules) => rules.clone(),
        rule => vec![rule.clone()],
    }
}
