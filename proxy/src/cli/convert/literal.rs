//! The data in a program: lists, objects, strings and numbers as JSON, JavaScript, TypeScript and Python write them.
//!
//! Everything else is an expression, which has no value here. So a program is read as far as it is data, and never wider.

use super::ConvertError;
use super::unresolved::{self, line_of, unresolved};
use serde_json::{Map, Value};

/// The deepest list or object that is read.
const MAX_DEPTH: usize = 64;

/// The methods of `s3.HttpMethods` in the CDK.
const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];

/// Reads a text that is one value.
pub(super) fn document(text: &str) -> Result<Value, ConvertError> {
    let mut reader = Reader::new(text);
    let value = reader.value(0).and_then(|value| {
        reader.skip_blank();
        reader.skip(";");
        reader.skip_blank();
        if reader.rest().is_empty() { Ok(value) } else { Err("more follows the value") }
    });
    value.map_err(|what| reader.failed(what))
}

/// A place in a text.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
}

type What = &'static str;

impl<'t> Reader<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn failed(&self, what: What) -> ConvertError {
        ConvertError::NotWellFormed(format!("line {}: {what}", line_of(self.text, self.at)))
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn advance(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    pub(super) fn skip(&mut self, token: &str) -> bool {
        let is_there = self.rest().starts_with(token);
        self.at += if is_there { token.len() } else { 0 };
        is_there
    }

    fn skip_until(&mut self, end: &str) {
        self.at += self.rest().find(end).map_or(self.rest().len(), |length| length + end.len());
    }

    /// White space and comments.
    pub(super) fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}').len();
            if self.skip("//") || self.skip("#") {
                self.skip_until("\n");
            } else if self.skip("/*") {
                self.skip_until("*/");
            } else {
                return;
            }
        }
    }

    pub(super) fn name(&mut self) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c: char| !is_name_start(c) && !c.is_ascii_digit()).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// Reads a value; outside of lists and objects, at the depth 0, the next statement may follow it.
    pub(super) fn value(&mut self, depth: usize) -> Result<Value, What> {
        self.skip_blank();
        if depth > MAX_DEPTH {
            return Err("nested too deeply");
        }
        let start = self.at;
        let value = match self.peek().ok_or("it ends where a value belongs")? {
            '[' => self.list(depth)?,
            '{' => self.object(depth)?,
            '"' | '\'' | '`' => self.string()?,
            first if first.is_ascii_digit() || first == '-' => self.number(),
            first if is_name_start(first) => self.word(depth),
            ']' | '}' | ')' | ',' | ':' | ';' => return Err("a value is missing"),
            _ => None,
        };
        let end = self.at;
        if let Some(value) = value
            && self.ends(depth)
        {
            return Ok(value);
        }
        self.at = end.max(start);
        self.skip_expression(if end > start { end } else { start })?;
        Ok(unresolved(self.since(start), line_of(self.text, start)))
    }

    /// Returns true where nothing goes on with the value: an operator, a call, a member.
    fn ends(&mut self, depth: usize) -> bool {
        self.skip_blank();
        if self.skip("as const") {
            self.skip_blank();
        }
        match self.peek() {
            None | Some(',' | ']' | '}' | ')' | ';') => true,
            // Without a semicolon the next statement follows.
            Some(next) if depth == 0 => {
                is_name_start(next)
                    && !["as ", "for ", "if ", "in ", "or "].iter().any(|word| self.rest().starts_with(word))
            }
            Some(_) => false,
        }
    }

    /// Goes to the end of an expression: a comma, a bracket that it did not open, a semicolon.
    fn skip_expression(&mut self, from: usize) -> Result<(), What> {
        self.at = from;
        let mut open = 0_usize;
        loop {
            self.skip_blank();
            match self.peek() {
                None if open == 0 => return Ok(()),
                None => return Err("a bracket is not closed"),
                Some('[' | '{' | '(') => open += 1,
                Some(']' | '}' | ')' | ',' | ';') if open == 0 => return Ok(()),
                Some(']' | '}' | ')') => open -= 1,
                Some('"' | '\'' | '`') => {
                    self.string()?;
                    continue;
                }
                Some(_) => {}
            }
            self.advance();
        }
    }

    fn list(&mut self, depth: usize) -> Result<Option<Value>, What> {
        let mut values = Vec::new();
        self.advance();
        // PHP has one form for lists and objects.
        if self.is_at_key_of_php() {
            return self.members("]", "=>", depth).map(|members| Some(Value::Object(members)));
        }
        loop {
            self.skip_blank();
            if self.skip("]") {
                return Ok(Some(Value::Array(values)));
            }
            values.push(self.value(depth + 1)?);
            self.skip_blank();
            if !self.skip(",") && !self.rest().starts_with(']') {
                return Err("a comma or ] is missing");
            }
        }
    }

    fn is_at_key_of_php(&self) -> bool {
        let mut ahead = Reader { text: self.text, at: self.at };
        ahead.skip_blank();
        let is_key = matches!(ahead.peek(), Some('"' | '\'')) && ahead.string().is_ok();
        ahead.skip_blank();
        is_key && ahead.rest().starts_with("=>")
    }

    fn object(&mut self, depth: usize) -> Result<Option<Value>, What> {
        let start = self.at;
        self.advance();
        let members = self.members("}", ":", depth)?;
        let line = line_of(self.text, start);
        Ok(Some(unresolved::object(members, || self.since(start).to_owned(), line)))
    }

    /// Names with their values, up to the closing bracket.
    fn members(&mut self, close: &str, separator: &str, depth: usize) -> Result<Map<String, Value>, What> {
        let mut members = Map::new();
        loop {
            self.skip_blank();
            if self.skip(close) {
                return Ok(members);
            }
            let start = self.at;
            let key = match self.peek() {
                Some('"' | '\'') => match self.string()? {
                    Some(Value::String(key)) => key,
                    _ => return Err("a name has a placeholder"),
                },
                Some(first) if is_name_start(first) || first.is_ascii_digit() => self.name().to_owned(),
                // `...rest`, `[computed]`, `**rest`.
                _ => String::new(),
            };
            self.skip_blank();
            let value = if !key.is_empty() && self.skip(separator) {
                self.value(depth + 1)?
            } else {
                self.skip_expression(start)?;
                if self.at == start {
                    return Err("a name is missing");
                }
                unresolved(self.since(start), line_of(self.text, start))
            };
            let key = if key.is_empty() { format!("...{}", self.since(start).trim_start_matches('.')) } else { key };
            if members.insert(key, value).is_some() {
                return Err("a name occurs twice");
            }
            self.skip_blank();
            if !self.skip(",") && !self.rest().starts_with(close) {
                return Err("a comma or a closing bracket is missing");
            }
        }
    }

    fn number(&mut self) -> Option<Value> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '+' | '.' | '_'));
        let digits = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
        self.at += digits.len();
        serde_json::from_str(&digits.replace('_', "")).ok()
    }

    pub(super) fn string(&mut self) -> Result<Option<Value>, What> {
        let start = self.at;
        let quote = self.peek().ok_or("a string is missing")?;
        self.advance();
        let mut text = String::new();
        loop {
            let next = self.peek().ok_or("a quote is not closed")?;
            self.advance();
            match next {
                '\n' if quote != '`' => return Err("a quote is not closed"),
                '\\' => self.escape(&mut text)?,
                _ if next == quote => break,
                _ => text.push(next),
            }
        }
        // JSON has escapes of its own, surrogates among them.
        let whole = self.since(start);
        let text = serde_json::from_str::<String>(whole).unwrap_or(text);
        Ok(Some(unresolved::text(&text, || line_of(self.text, start))))
    }

    fn escape(&mut self, text: &mut String) -> Result<(), What> {
        let escaped = self.peek().ok_or("a quote is not closed")?;
        self.advance();
        match escaped {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            '\n' => {}
            'u' | 'x' => {
                let length = if escaped == 'u' { 4 } else { 2 };
                let digits = self.rest().get(..length).ok_or("an escape is not complete")?;
                let code = u32::from_str_radix(digits, 16).map_err(|_| "an escape is not hexadecimal")?;
                self.at += length;
                // A half of a pair, which only JSON's own reader joins.
                text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => text.push(other),
        }
        Ok(())
    }

    /// A constant, a method of the CDK, or the arguments of a rule in Python. `None` for any other expression.
    fn word(&mut self, depth: usize) -> Option<Value> {
        let start = self.at;
        self.name();
        while self.rest().starts_with('.') {
            self.advance();
            self.name();
        }
        let path = self.since(start);
        if self.rest().starts_with('(') {
            let class = path.rsplit('.').next().unwrap_or_default();
            let is_class = class.starts_with(|first: char| first.is_ascii_uppercase());
            let is_rule =
                is_class && ["CorsRule", "CorsRuleArgs", "CorsRuleProperty"].iter().any(|name| class.ends_with(name));
            self.advance();
            let members = if is_rule { self.members(")", "=", depth + 1).ok() } else { None };
            if members.is_none() {
                self.at = start;
            }
            return members.map(Value::Object);
        }
        let method = path.rsplit_once('.').filter(|(of, _)| of.ends_with("HttpMethods")).map(|(_, method)| method);
        match path {
            "true" | "True" => Some(true.into()),
            "false" | "False" => Some(false.into()),
            "null" | "undefined" | "None" => Some(Value::Null),
            _ => method.filter(|method| METHODS.contains(method)).map(Value::from),
        }
    }
}

pub(super) const fn is_name_start(character: char) -> bool {
    character.is_ascii_alphabetic() || matches!(character, '_' | '$')
}
