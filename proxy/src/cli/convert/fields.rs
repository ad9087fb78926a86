//! The members of an object, taken one by one, so that what no one took can be named.

use super::draft::{Conversion, Draft};
use super::unresolved::{self, Unresolved};
use s3_cors::AllowedMethod;
use serde_json::{Map, Value};

pub(super) struct Fields<'c> {
    place: String,
    members: Map<String, Value>,
    conversion: &'c mut Conversion,
}

impl<'c> Fields<'c> {
    /// The members; none where it is no object, which is an error.
    pub(super) fn of(place: &str, value: &Value, conversion: &'c mut Conversion) -> Self {
        let members = match (value, Unresolved::of(value)) {
            (Value::Object(members), None) => members.clone(),
            (_, unresolved) => {
                let what = match unresolved {
                    Some(unresolved) => format!("{unresolved} is no value here: write the rules that it stands for"),
                    None => format!("{value} where an object belongs"),
                };
                conversion.refuse(place, &what);
                Map::new()
            }
        };
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
        for (key, value) in std::mem::take(&mut self.members) {
            let renamed = name(&key);
            if self.members.insert(renamed.clone(), value).is_some() {
                self.refuse(&format!("{renamed} is there twice, in two spellings"));
            }
        }
    }

    pub(super) fn refuse(&mut self, what: &str) {
        self.conversion.refuse(&self.place, what);
    }

    pub(super) fn warn(&mut self, what: &str) {
        self.conversion.warn(&self.place, what);
    }

    /// A list of strings, or one string; a comma is part of its value.
    pub(super) fn list(&mut self, key: &str) -> Vec<String> {
        match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(values)) => values.iter().filter_map(|value| self.string(key, value)).collect(),
            Some(value) => self.string(key, &value).into_iter().collect(),
        }
    }

    /// A list of strings, or one string with commas between the values.
    pub(super) fn split(&mut self, key: &str) -> Vec<String> {
        match self.take(key) {
            Some(value @ Value::String(_)) => self.several(key, &value),
            Some(value) => {
                self.members.insert(key.to_owned(), value);
                self.list(key)
            }
            None => Vec::new(),
        }
    }

    /// A list of strings, or one string, with commas between the values in each.
    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        match self.take(key) {
            None => Vec::new(),
            Some(Value::Array(values)) => values.iter().flat_map(|value| self.several(key, value)).collect(),
            Some(value) => self.several(key, &value),
        }
    }

    fn several(&mut self, key: &str, value: &Value) -> Vec<String> {
        let text = self.string(key, value).unwrap_or_default();
        text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
    }

    fn string(&mut self, key: &str, value: &Value) -> Option<String> {
        if let Some(text) = value.as_str() {
            return Some(text.to_owned());
        }
        let what = match Unresolved::of(value) {
            Some(unresolved) => format!("{key} has {unresolved}, which is no value here: write what it stands for"),
            None => format!("{key} has {value}, which is not a string: write its value"),
        };
        self.refuse(&what);
        None
    }

    /// The methods of a rule of S3's, which S3 compares by case.
    pub(super) fn s3_methods(&mut self, methods: Vec<String>) -> Vec<String> {
        for method in &methods {
            let known = AllowedMethod::from_name(method.to_ascii_uppercase().as_bytes());
            if method == "*" {
                let all = AllowedMethod::ALL.map(AllowedMethod::as_str).join(", ");
                self.refuse(&format!("method *: S3 has no wildcard for methods, list them: {all}"));
            } else if let Some(known) = known.filter(|known| known.as_str() != method) {
                self.warn(&format!("method {method} is written {}: S3 rejects it as it is", known.as_str()));
            }
        }
        methods
    }

    /// The values of a list whose tool knows no wildcard but `*` alone.
    pub(super) fn without_wildcards(&mut self, what: &str, texts: Vec<String>) -> Vec<String> {
        let (plain, wild): (Vec<_>, Vec<_>) = texts.into_iter().partition(|text| text == "*" || !text.contains('*'));
        for text in wild {
            self.warn(&format!("{what} {text} is left out: its * is a character there, and any text in S3"));
        }
        plain
    }

    /// A value that is true or false, as such or as a string.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        match self.take(key)? {
            Value::Bool(flag) => Some(flag),
            value => {
                let text = self.string(key, &value)?;
                let flag = text.parse().ok();
                if flag.is_none() {
                    self.refuse(&format!("{key} is {text}, which is neither true nor false"));
                }
                flag
            }
        }
    }

    /// A string as it is, commas included.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let value = self.take(key)?;
        self.string(key, &value)
    }

    /// A number of seconds, as a number or as a string.
    pub(super) fn seconds(&mut self, key: &str) -> Option<i64> {
        let value = self.take(key)?;
        let seconds = value.as_i64().or_else(|| value.as_str()?.trim().trim_end_matches('s').parse().ok());
        if seconds.is_none() {
            let shown = Unresolved::of(&value).map_or_else(|| value.to_string(), |unresolved| unresolved.to_string());
            self.refuse(&format!("{key} is {shown}, which is not a whole number of seconds"));
        }
        seconds
    }

    /// Seconds, or a duration with units such as `24h` or `1h30m`.
    pub(super) fn duration(&mut self, key: &str) -> Option<i64> {
        let value = self.take(key)?;
        let parsed = value.as_str().and_then(|text| humantime::parse_duration(text).ok());
        if let Some(duration) = parsed.filter(|duration| duration.subsec_nanos() == 0) {
            return i64::try_from(duration.as_secs()).ok();
        }
        self.members.insert(key.to_owned(), value);
        self.seconds(key)
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
            // It may hold any of the members, those that were taken as missing too.
            if unresolved::is_function(&key) {
                let shown = Unresolved::of(&value).map_or_else(|| key.clone(), |unresolved| unresolved.to_string());
                self.refuse(&format!("{shown} is no value here: write what it stands for"));
            } else if !value.is_null() {
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
    let errors = conversion.errors();
    let mut fields = Fields::of(place, value, conversion);
    let draft = draft(&mut fields);
    fields.rest();
    conversion.add(place, draft, errors);
}

/// The rules at the first of the paths that is there; a list that stands alone, or a single rule, is the rules itself.
fn rules(document: &Value, pointers: &[&str]) -> Vec<Value> {
    let found = pointers.iter().find_map(|pointer| document.pointer(pointer)).unwrap_or(document);
    match found {
        Value::Array(rules) => rules.clone(),
        rule => vec![rule.clone()],
    }
}
