//! One thing that is wrong with a document, as a value.
//!
//! Decides: S3's error code and message for it, word for word, and the detail that S3 leaves out. Must not know: where in the
//! document it stands.

use super::Format;
use super::MAX_DOCUMENT_LENGTH;
use super::foreign::ForeignForm;
use super::model::{InvalidConfiguration, InvalidRule, MAX_RULES};
use super::namespace::ElementNamespace;
use super::syntax::Mistake;
use crate::InvalidHeaderName;
use crate::text::cut;
use std::borrow::Cow;
use std::fmt;

/// What S3 says to every breach of its schema (S3: bad-no-rules).
const MALFORMED: &str = "The XML you provided was not well-formed or did not validate against our published schema";

/// The longest name from a document that a problem keeps, in characters: enough to find it.
const MAX_NAME: usize = 80;

/// A name from a document, cut.
pub(crate) fn name(text: &str) -> Box<str> {
    cut(text, MAX_NAME).into()
}

/// S3's error codes for a rejected document (all of them are HTTP 400), in the order in which S3 checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The document is longer than 65,536 bytes.
    MaxMessageLengthExceeded,
    /// The document is not well-formed or does not follow the schema.
    MalformedXml,
    /// The document follows the schema, but a value in it is rejected.
    InvalidRequest,
}

impl ErrorCode {
    /// The code as S3 writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxMessageLengthExceeded => "MaxMessageLengthExceeded",
            Self::MalformedXml => "MalformedXML",
            Self::InvalidRequest => "InvalidRequest",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The document has this many bytes, more than [`MAX_DOCUMENT_LENGTH`].
    TooLong(usize),
    /// The document is not UTF-8 from this byte of the file, from 1.
    NotUtf8(usize),
    /// The document is UTF-16.
    Utf16,
    /// The document is in a form that is not S3's.
    Foreign {
        /// The form.
        form: ForeignForm,
        /// The format that it has, or that is expected where it has neither.
        format: Format,
        /// True for XML and JSON.
        is_either: bool,
    },
    /// The document is in no form that is known.
    NeitherXmlNorJson,
    /// The document is S3's, but in this format where the other is expected.
    OtherFormat(Format),
    /// The document is not well-formed, and it can be told what its author took for allowed.
    Mistake {
        /// What is wrong, in the words of the XML or JSON parser.
        words: Box<str>,
        /// What is written there.
        mistake: Mistake,
    },
    /// The document is not well-formed, in the words of the XML or JSON parser.
    Syntax(Box<str>),
    /// A character that XML cannot carry. S3 stores a configuration as XML, so JSON may not have it either.
    Character(char),

    /// A DOCTYPE.
    DocumentType,
    /// An XML declaration that is not at the very beginning.
    MisplacedDeclaration,
    /// An XML declaration that is not well-formed.
    InvalidDeclaration,
    /// A tag without a name.
    UnnamedElement,
    /// An element that has this attribute twice.
    DuplicateAttribute(Box<str>),
    /// A reference to an entity that is not defined.
    UnknownEntity(Box<str>),
    /// An element that is not closed.
    Unclosed(Box<str>),
    /// Text between elements.
    MisplacedText,
    /// There is no root element.
    NoRoot,
    /// The root element is not `CORSConfiguration`.
    WrongRoot {
        /// The element's name.
        name: Box<str>,
        /// The element's namespace.
        namespace: ElementNamespace,
    },
    /// An element after the root element.
    SecondRoot,
    /// An element that S3's schema does not have there.
    UnknownElement {
        /// The element's name.
        name: Box<str>,
        /// The name of the element that it is in.
        parent: Box<str>,
        /// The element's namespace.
        namespace: ElementNamespace,
    },

    /// A JSON value of the wrong type, in the words of the JSON parser.
    WrongType(Box<str>),
    /// A JSON string or `null` where a list belongs, as it is written, or `an object`.
    NotAList(Box<str>),
    /// A number that is written as a JSON string.
    QuotedNumber(Box<str>),
    /// A JSON object without `CORSRules`.
    NoRuleList,
    /// A JSON object with a key that is not known.
    UnknownKey {
        /// The key.
        key: Box<str>,
        /// The keys that the object may have.
        expected: &'static [&'static str],
    },
    /// A JSON object that has this key twice.
    DuplicateKey(Box<str>),

    /// The number of rules is wrong.
    Rules(InvalidConfiguration),
    /// A rule without an element that it must have.
    Rule(InvalidRule),
    /// A second element of a kind that a rule has at most once.
    Repeated(&'static str),
    /// A `MaxAgeSeconds` that is not a whole number.
    NotANumber(Box<str>),
    /// An `AllowedMethod` that S3 does not support.
    UnsupportedMethod(Box<str>),
    /// An `AllowedOrigin` with two `*`.
    OriginWildcards(Box<str>),
    /// An `AllowedHeader` that is invalid.
    AllowedHeader {
        /// The value.
        text: Box<str>,
        /// What is wrong with it.
        invalid: InvalidHeaderName,
    },
    /// An `ExposeHeader` that is invalid.
    ExposeHeader {
        /// The value.
        text: Box<str>,
        /// What is wrong with it.
        invalid: InvalidHeaderName,
    },
}

impl From<InvalidConfiguration> for Problem {
    fn from(invalid: InvalidConfiguration) -> Self {
        Self::Rules(invalid)
    }
}

impl From<InvalidRule> for Problem {
    fn from(invalid: InvalidRule) -> Self {
        Self::Rule(invalid)
    }
}

impl Problem {
    /// A syntax error in the parser's words, with the mistake behind it where that can be told.
    pub(super) fn of_syntax(words: Box<str>, mistake: Option<Mistake>) -> Self {
        match mistake {
            Some(mistake) => Self::Mistake { words, mistake },
            None => Self::Syntax(words),
        }
    }

    /// Returns true for a text that is neither XML nor JSON.
    #[must_use]
    pub const fn is_in_another_syntax(&self) -> bool {
        matches!(self, Self::NeitherXmlNorJson | Self::Foreign { is_either: false, .. })
    }

    /// S3's error code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::TooLong(_) => ErrorCode::MaxMessageLengthExceeded,
            Self::Rules(InvalidConfiguration::TooManyRules(_))
            | Self::UnsupportedMethod(_)
            | Self::OriginWildcards(_)
            | Self::AllowedHeader { .. }
            | Self::ExposeHeader { .. } => ErrorCode::InvalidRequest,
            _ => ErrorCode::MalformedXml,
        }
    }

    /// S3's message, word for word.
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        match self {
            // (S3: bad-65537-bytes)
            Self::TooLong(_) => "Your request was too big.".into(),
            // (S3: bad-101-rules)
            Self::Rules(InvalidConfiguration::TooManyRules(_)) => {
                format!("The number of CORS rules should not exceed allowed limit of {MAX_RULES} rules.").into()
            }
            // (S3: bad-method-options, bad-method-lower-get)
            Self::UnsupportedMethod(text) => {
                format!("Found unsupported HTTP method in CORS config. Unsupported method is {text}").into()
            }
            // (S3: bad-origin-two-wild)
            Self::OriginWildcards(text) => {
                format!("AllowedOrigin \"{text}\" can not have more than one wildcard.").into()
            }
            Self::AllowedHeader { text, invalid } => header_message("AllowedHeader", text, *invalid),
            Self::ExposeHeader { text, invalid } => header_message("ExposeHeader", text, *invalid),
            _ => MALFORMED.into(),
        }
    }

    /// What exactly is wrong, where S3's message does not say it.
    #[must_use]
    pub fn detail(&self) -> Option<Cow<'_, str>> {
        let detail: Cow<'_, str> = match self {
            Self::Mistake { mistake: Mistake::Escaped, .. } => "its quotes are escaped, as in a string".into(),
            Self::NeitherXmlNorJson => "this is neither XML nor JSON".into(),
            Self::Syntax(words) | Self::WrongType(words) | Self::Mistake { words, .. } => (&**words).into(),
            Self::Utf16 => "this is UTF-16".into(),
            Self::Foreign { form, .. } => format!("this is {}", form.description()).into(),
            Self::OtherFormat(Format::Json) => "this is JSON, where XML is expected".into(),
            Self::OtherFormat(Format::Xml) => "this is XML, where JSON is expected".into(),
            Self::InvalidDeclaration => "the XML declaration is not well-formed".into(),
            Self::NotAList(text) => format!("{text} where a list belongs").into(),
            Self::QuotedNumber(text) => format!("{text:?} where a whole number belongs").into(),
            Self::DocumentType => "a DOCTYPE is not allowed".into(),
            Self::MisplacedDeclaration => "an XML declaration is allowed only at the very beginning".into(),
            Self::UnnamedElement => "a tag without a name".into(),
            Self::MisplacedText => "text where only elements are allowed".into(),
            Self::NoRoot => "there is no CORSConfiguration element".into(),
            Self::SecondRoot => "there is a second element after CORSConfiguration".into(),
            Self::NoRuleList => "there is no CORSRules".into(),
            Self::TooLong(length) => format!("{length} bytes: S3 accepts at most {MAX_DOCUMENT_LENGTH}").into(),
            Self::NotUtf8(byte) => format!("not UTF-8 from byte {byte}").into(),
            Self::Character(character) => format!("the character {character:?} is not allowed in XML").into(),
            Self::DuplicateAttribute(name) => format!("the attribute {name} occurs twice").into(),
            Self::UnknownEntity(name) => format!("unknown entity &{name};").into(),
            Self::Unclosed(name) => format!("{name} is not closed").into(),
            Self::WrongRoot { name, namespace } => {
                format!("the root element is {name}, not CORSConfiguration{}", namespace.note()).into()
            }
            Self::UnknownElement { name, parent, namespace } => {
                format!("{name} is not known in {parent}{}", namespace.note()).into()
            }
            Self::UnknownKey { key, expected } => format!("unknown key {key:?}, expected {}", one_of(expected)).into(),
            Self::DuplicateKey(key) => format!("the key {key:?} occurs twice").into(),
            Self::Rules(InvalidConfiguration::TooManyRules(_)) => return None,
            Self::Rules(invalid) => invalid.to_string().into(),
            Self::Rule(invalid) => invalid.to_string().into(),
            Self::Repeated(name) => format!("a second {name}: a rule has at most one").into(),
            Self::NotANumber(text) => format!("MaxAgeSeconds {text:?} is not a whole number").into(),
            Self::UnsupportedMethod(_)
            | Self::OriginWildcards(_)
            | Self::AllowedHeader { .. }
            | Self::ExposeHeader { .. } => return None,
        };
        Some(detail)
    }
}

/// (S3: bad-header-two-wild, bad-header-spaces, bad-expose-star, bad-expose-char-0)
fn header_message<'a>(element: &str, text: &str, invalid: InvalidHeaderName) -> Cow<'a, str> {
    let what = match invalid {
        InvalidHeaderName::TooManyWildcards => "can not have more than one wildcard.",
        InvalidHeaderName::Wildcard => "contains wildcard. We currently do not support wildcard for ExposeHeader.",
        InvalidHeaderName::Character => "contains invalid character.",
    };
    format!("{element} \"{text}\" {what}").into()
}

/// `A, B or C`.
fn one_of(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
