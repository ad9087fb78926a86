//! What people take for XML or JSON and is neither: told by the character at which the parser gave up.

use quick_xml::events::BytesDecl;
use quick_xml::events::attributes::Attribute;
use std::borrow::Cow;

/// What is written where the document is not well-formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// A comment in JSON.
    Comment,
    /// A quotation mark of running text.
    TypographicQuote(char),
    /// A single quote in JSON.
    SingleQuote,
    /// A comma in JSON that nothing follows.
    TrailingComma,
    /// A name in JSON without quotes.
    BareName,
    /// JSON that ends too early.
    Unclosed,
    /// A quote of JSON with a backslash before it, as in a string of a program.
    Escaped,
}

impl Mistake {
    /// Names the mistake in JSON at `offset`, if it is one of these; `words` are the parser's.
    pub(super) fn in_json(text: &str, offset: usize, words: &str) -> Option<Self> {
        let (before, rest) = text.split_at_checked(offset).unwrap_or((text, ""));
        let mistake = match rest.chars().next() {
            Some('\\') if rest.starts_with("\\\"") => Some(Self::Escaped),
            Some('/' | '#') => Some(Self::Comment),
            Some('\'') => Some(Self::SingleQuote),
            Some(']' | '}') if before.trim_end().ends_with(',') => Some(Self::TrailingComma),
            // One of them can also open or close a string; the parser then stops far from it.
            _ => text.chars().find(|character| is_typographic(*character)).map(Self::TypographicQuote),
        };
        let is_word = rest.starts_with(|first: char| first.is_alphabetic());
        let is_name = is_word && words.starts_with("key must be a string");
        mistake.or(is_name.then_some(Self::BareName))
    }

    /// Names what is wrong with JSON that ends too early. Where nothing begins, nothing is open.
    pub(super) fn at_end_of_json(text: &str) -> Option<Self> {
        text.trim_start().starts_with(['{', '[', '"']).then_some(Self::Unclosed)
    }

    /// Names the mistake in the attributes of an XML tag.
    pub(super) fn in_tag(attributes: &str) -> Option<Self> {
        attributes.chars().find(|character| is_typographic(*character)).map(Self::TypographicQuote)
    }

    pub(super) fn hint(self) -> Cow<'static, str> {
        match self {
            Self::Comment => "JSON has no comments: remove it".into(),
            Self::TypographicQuote(quote) => format!("{quote} is a typographic quotation mark: write \"").into(),
            Self::SingleQuote => "JSON has no single quotes: write \"".into(),
            Self::TrailingComma => "remove the comma before it".into(),
            Self::Unclosed => "a bracket or a quote is not closed".into(),
            Self::Escaped => "remove the backslashes before the quotes, and quotes around the whole".into(),
            Self::BareName => "write the name in double quotes".into(),
        }
    }
}

const fn is_typographic(character: char) -> bool {
    matches!(character, '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}')
}

/// `XMLDecl` of XML 1.0 §2.8: a version, then perhaps an encoding, then perhaps `standalone`.
pub(super) fn is_declaration(declaration: &BytesDecl<'_>) -> bool {
    let Some(attributes) = declaration.strip_prefix("xml") else { return false };
    let tag = quick_xml::events::attributes::Attributes::new(attributes, 0);
    let Ok(pairs) = tag.collect::<Result<Vec<_>, _>>() else { return false };
    let mut expected = ["version", "encoding", "standalone"].into_iter();
    let starts_with_version = pairs.first().is_some_and(|pair| pair.key.into_inner() == "version");
    starts_with_version
        && pairs.iter().all(|pair| expected.any(|key| key == pair.key.into_inner()) && is_value_of_declaration(pair))
}

fn is_value_of_declaration(pair: &Attribute<'_>) -> bool {
    let value = &*pair.value;
    match pair.key.into_inner() {
        "version" => value.strip_prefix("1.").is_some_and(|minor| minor.bytes().all(|byte| byte.is_ascii_digit())),
        "encoding" => {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
            value.starts_with(|first: char| first.is_ascii_alphabetic()) && value.bytes().all(is_part)
        }
        _ => matches!(value, "yes" | "no"),
    }
}

/// `PITarget` of XML 1.0 §2.6, by its first character.
pub(super) fn is_target(target: &str) -> bool {
    target.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | ':') || !first.is_ascii())
}
