//! What to write instead of what S3 rejects, where that is known. S3 says nothing of the kind.

use super::model::{InvalidConfiguration, InvalidRule, MAX_RULES};
use super::problem::{ElementNamespace, Problem};
use super::{RULE_ELEMENTS, xml};
use crate::{AllowedMethod, InvalidHeaderName};
use std::borrow::Cow;

const SEVERAL_PATTERNS: &str = "write one value for each pattern, with one * each";
const HEADER_CHARACTERS: &str = "a header name has letters, digits and !#$%&'*+-.^_`|~ only";

impl Problem {
    /// What to write instead, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        let hint: Cow<'static, str> = match self {
            Self::NotUtf8(_) => "save the document as UTF-8".into(),
            Self::DocumentType => "remove the DOCTYPE".into(),
            Self::MisplacedDeclaration => "move the XML declaration to the first line, or remove it".into(),
            Self::UnknownEntity(_) => "write the character itself, or & as &amp;".into(),
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
            Self::OriginWildcards(_) => SEVERAL_PATTERNS.into(),
            Self::AllowedHeader { invalid, .. } | Self::ExposeHeader { invalid, .. } => match invalid {
                InvalidHeaderName::TooManyWildcards => SEVERAL_PATTERNS.into(),
                InvalidHeaderName::Wildcard => "list each header by its full name".into(),
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
    let methods = AllowedMethod::ALL.map(AllowedMethod::as_str);
    similar(method.trim(), &methods).map_or_else(|| format!("S3 allows {}", methods.join(", ")).into(), write)
}

fn element_hint(name: &str, namespace: &ElementNamespace, known: &[&'static str]) -> Option<Cow<'static, str>> {
    match namespace {
        ElementNamespace::S3 => similar(name, known).map(write),
        _ => Some(format!("write xmlns=\"{}\", or no xmlns", xml::NAMESPACE).into()),
    }
}

/// The known name that this one was meant to be: another case, or the plural that JSON has and XML has not.
fn similar<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let singular = |name: &str| name.trim_end_matches(['s', 'S']).to_ascii_lowercase();
    known.iter().copied().find(|known| singular(known) == singular(name))
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
            (rule("<ExposeHeader>x-*</ExposeHeader>"), Some("list each header by its full name")),
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
