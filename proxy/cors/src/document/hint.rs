//! What to write instead of what S3 rejects, where that is known. S3 says nothing of the kind.

use super::model::{InvalidConfiguration, InvalidRule, MAX_RULES};
use super::namespace::ElementNamespace;
use super::problem::Problem;
use super::{Format, NAMESPACE, RULE_ELEMENTS};
use crate::{AllowedMethod, InvalidHeaderName};
use std::borrow::Cow;

const SEVERAL_PATTERNS: &str = "write one value for each pattern, with one * each";
const HEADER_CHARACTERS: &str = "a header name has letters, digits and !#$%&'*+-.^_`|~ only";

impl Problem {
    /// What to write instead, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        let hint: Cow<'static, str> = match self {
            Self::Foreign { form, format, .. } => form.hint(*format).into(),
            Self::NeitherXmlNorJson => {
                "write S3's XML or the JSON of the AWS CLI; s3cors convert --help lists what can be converted".into()
            }
            Self::OtherFormat(Format::Json) => "name the file .json, or run s3cors convert --to xml FILE".into(),
            Self::OtherFormat(Format::Xml) => "name the file .xml, or run s3cors convert --to json FILE".into(),
            Self::Mistake { mistake, .. } => mistake.hint(),
            Self::InvalidDeclaration => "write <?xml version=\"1.0\" encoding=\"UTF-8\"?>, or remove it".into(),
            Self::NotAList(found) if &**found == "null" => "write [], or leave the name out".into(),
            Self::NotAList(found) if !found.starts_with('"') => "put [ and ] around it".into(),
            Self::NotAList(text) => format!("write [{}]", one_by_one(text)).into(),
            Self::QuotedNumber(text) => format!("write {text}, without quotes").into(),
            Self::NotUtf8(_) | Self::Utf16 => "save the document as UTF-8".into(),
            Self::DocumentType => "remove the DOCTYPE".into(),
            Self::MisplacedDeclaration => "move the XML declaration to the first line, or remove it".into(),
            Self::UnknownEntity(_) => "write the character itself, or & as &amp;".into(),
            Self::MisplacedText => "remove it".into(),
            Self::UnnamedElement => "write < in a text as &lt;".into(),
            Self::NoRoot | Self::NoRuleList | Self::Rules(InvalidConfiguration::NoRules) => {
                "to remove a bucket's rules, delete its configuration".into()
            }
            Self::WrongRoot { name, namespace } => element_hint(name, namespace, &["CORSConfiguration"])?,
            Self::UnknownElement { name, parent, namespace } => match &**parent {
                "CORSConfiguration" => element_hint(name, namespace, &["CORSRule"])?,
                "CORSRule" => element_hint(name, namespace, &RULE_ELEMENTS)?,
                _ => return None,
            },
            Self::UnknownKey { key, expected } => write(similar(key, expected)?),
            Self::Rules(InvalidConfiguration::TooManyRules(_)) => {
                format!("join rules: one rule can have many origins; S3 allows {MAX_RULES} rules").into()
            }
            Self::Rule(InvalidRule::NoOrigin) => "add an origin, such as https://app.example".into(),
            Self::Rule(InvalidRule::NoMethod) => "add a method, such as GET".into(),
            Self::Repeated(_) => "remove one of them".into(),
            Self::NotANumber(_) => "write whole seconds, such as 600".into(),
            Self::UnsupportedMethod(method) => method_hint(method),
            Self::OriginWildcards(text) if is_regular_expression(text) => {
                "S3 has no regular expressions: its only wildcard is *, once in a value, for any text".into()
            }
            Self::OriginWildcards(text) if is_list(text) => one_element("AllowedOrigin", text),
            Self::OriginWildcards(_) => SEVERAL_PATTERNS.into(),
            Self::AllowedHeader { text, .. } if is_list(text) => one_element("AllowedHeader", text),
            Self::ExposeHeader { text, .. } if is_list(text) => one_element("ExposeHeader", text),
            Self::AllowedHeader { invalid, .. } | Self::ExposeHeader { invalid, .. } => match invalid {
                InvalidHeaderName::TooManyWildcards => SEVERAL_PATTERNS.into(),
                InvalidHeaderName::Wildcard => "list each header by its full name, such as ETag".into(),
                InvalidHeaderName::Character => HEADER_CHARACTERS.into(),
            },
            _ => return None,
        };
        Some(hint)
    }
}

fn write(name: &str) -> Cow<'static, str> {
    format!("write {name}").into()
}

fn method_hint(method: &str) -> Cow<'static, str> {
    if method.eq_ignore_ascii_case("OPTIONS") {
        return "leave OPTIONS out: S3 responds to preflights without it".into();
    }
    if is_list(method) {
        return one_element("AllowedMethod", method);
    }
    let methods = AllowedMethod::ALL.map(AllowedMethod::as_str);
    if method.trim() == "*" {
        return format!("list the methods: {}", methods.join(", ")).into();
    }
    similar(method.trim(), &methods).map_or_else(|| format!("S3 allows {}", methods.join(", ")).into(), write)
}

fn element_hint(name: &str, namespace: &ElementNamespace, known: &[&'static str]) -> Option<Cow<'static, str>> {
    match namespace {
        ElementNamespace::S3 => similar(name, known).map(write),
        _ => Some(format!("write xmlns=\"{NAMESPACE}\", or no xmlns").into()),
    }
}

/// Separators that people put between values, with their names.
const SEPARATORS: [(char, &str); 3] = [(',', "a comma"), (';', "a semicolon"), ('|', "a |")];

fn separator(text: &str) -> Option<&'static str> {
    SEPARATORS.iter().find(|(separator, _)| text.trim().contains(*separator)).map(|(_, name)| *name)
}

/// Returns true where several values stand in the place of one.
fn is_list(text: &str) -> bool {
    separator(text).is_some()
}

fn one_element(element: &str, text: &str) -> Cow<'static, str> {
    let separator = separator(text).unwrap_or("a separator");
    format!("{separator} does not separate values: write one {element} for each").into()
}

/// Returns true for what no origin and no pattern has: anchors, escapes, groups, sets.
fn is_regular_expression(text: &str) -> bool {
    let is_enclosed = text.starts_with('^') || text.ends_with('$');
    is_enclosed || ["\\.", "/.*", ".+", "(?", "[a-z", "[^"].iter().any(|part| text.contains(part))
}

/// The values of a JSON string that are separated by commas, each as a string.
fn one_by_one(string: &str) -> String {
    string.trim_matches('"').split(',').map(|value| format!("\"{}\"", value.trim())).collect::<Vec<_>>().join(", ")
}

/// The known name that this one was meant to be: another case, the plural that JSON has and XML has not, or the words of another
/// tool.
pub(super) fn similar<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = |name: &str| {
        let name = name.replace(['_', '-'], "").to_ascii_lowercase();
        name.trim_end_matches('s').replace("allowed", "allow").replace("exposed", "expose")
    };
    known.iter().copied().find(|known| plain(known) == plain(name))
}

#[cfg(test)]
mod tests {
    use crate::{Document, Format};

    fn hints(text: &str) -> Vec<Option<String>> {
        let errors = Document::parse(text.as_bytes(), Format::detect(text.as_bytes())).unwrap_err();
        errors.iter().map(|error| error.hint().map(Into::into)).collect()
    }

    #[test]
    fn a_hint_says_what_to_write() {
        let rule = |content: &str| {
            format!(
                "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>\
                 {content}</CORSRule></CORSConfiguration>"
            )
        };
        for (document, expected) in [
            (rule("<AllowedMethod>get</AllowedMethod>"), Some("write GET")),
            (
                rule("<AllowedMethod>Options</AllowedMethod>"),
                Some("leave OPTIONS out: S3 responds to preflights without it"),
            ),
            (rule("<AllowedMethod>PATCH</AllowedMethod>"), Some("S3 allows GET, PUT, HEAD, POST, DELETE")),
            (rule("<AllowedOrigin>*.*</AllowedOrigin>"), Some("write one value for each pattern, with one * each")),
            (rule("<AllowedHeader>*-*</AllowedHeader>"), Some("write one value for each pattern, with one * each")),
            (rule("<ExposeHeader>x-*</ExposeHeader>"), Some("list each header by its full name, such as ETag")),
            (rule("<ExposeHeader>a b</ExposeHeader>"), Some(super::HEADER_CHARACTERS)),
            (rule("<AllowedHeaders>*</AllowedHeaders>"), Some("write AllowedHeader")),
            (rule("<maxageseconds>1</maxageseconds>"), Some("write MaxAgeSeconds")),
            (rule("<Comment>1</Comment>"), None),
            (rule("<MaxAgeSeconds>1h</MaxAgeSeconds>"), Some("write whole seconds, such as 600")),
            ("<corsconfiguration/>".into(), Some("write CORSConfiguration")),
            (
                "<CORSConfiguration xmlns='u'/>".into(),
                Some("write xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\", or no xmlns"),
            ),
            (
                "[{\"AllowedOrigins\":[\"*\"],\"AllowedMethods\":[\"GET\"],\"ExposeHeader\":[]}]".into(),
                Some("write ExposeHeaders"),
            ),
            ("[]".into(), Some("to remove a bucket's rules, delete its configuration")),
            ("<CORSConfiguration>".into(), None),
        ] {
            assert_eq!(hints(&document), [expected.map(str::to_owned)], "{document}");
        }
    }
}
