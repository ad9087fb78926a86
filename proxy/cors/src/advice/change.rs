//! The smallest change of a document that allows a request and nothing else.
//!
//! S3 takes the first rule whose every clause holds, so that a rule at the end changes no decision but those that no rule made. It is
//! therefore always exact, and never wrong. A rule that is there is widened instead where that adds fewer values, allows nothing but
//! the request, and takes no request from a later rule, whose grant could differ.

use super::cannot::CannotAllow;
use super::exact::allows;
use super::meaning::Meaning;
use super::wanted::Wanted;
use crate::{
    AllowedMethod, CorsConfiguration, CorsRule, Document, DocumentErrors, Format, HeaderPattern, MAX_DOCUMENT_LENGTH,
    OriginPattern, Warning,
};
use quick_xml::escape::escape;

/// A change of a document, as a whole and in both its forms. Each form was read again: it passes every check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Change {
    /// The document afterwards.
    pub configuration: CorsConfiguration,
    /// The document afterwards in XML.
    pub xml: String,
    /// The document afterwards in JSON.
    pub json: String,
    /// The rule that is new or that is widened, from 1.
    pub rule: usize,
    /// What becomes of it.
    pub place: Place,
    /// The values that are added.
    pub added: Vec<Value>,
    /// Who can do what afterwards.
    pub meaning: Meaning,
    /// What is to warn about in the document afterwards and was not before; the places are those in `xml`.
    pub warnings: Vec<Warning>,
}

/// Where values are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a rule that is there.
    Rule,
    /// In a new rule after the others.
    NewRule,
    /// In the only rule of a new document.
    NewDocument,
}

/// A value of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `AllowedOrigin`
    Origin(OriginPattern),
    /// `AllowedMethod`
    Method(AllowedMethod),
    /// `AllowedHeader`
    Header(HeaderPattern),
}

impl Value {
    /// As an element of XML.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let (name, text) = match self {
            Self::Origin(origin) => ("AllowedOrigin", origin.as_str()),
            Self::Method(method) => ("AllowedMethod", method.as_str()),
            Self::Header(header) => ("AllowedHeader", header.as_str()),
        };
        format!("<{name}>{}</{name}>", escape(text))
    }
}

impl Change {
    /// What to do, a line for each value.
    #[must_use]
    pub fn what(&self) -> Vec<String> {
        let rule = self.rule;
        let mut lines: Vec<_> =
            self.added.iter().map(|value| format!("add {} in rule {rule}", value.to_xml())).collect();
        if let (Some(line), Some(first)) = (lines.first_mut(), self.added.first()) {
            match self.place {
                Place::Rule => {}
                Place::NewRule => *line = format!("add {} in a new rule {rule} after the others", first.to_xml()),
                Place::NewDocument => *line = format!("add {} in rule {rule} of a new document", first.to_xml()),
            }
        }
        lines
    }
}

/// The smallest change of a document that allows a request: the one that adds the fewest values, in the first rule where there are
/// several. Afterwards no request is allowed that was not before, but this one and those that ask for fewer of its headers; what was
/// granted before is granted by the same rule. Of a rule with a further method, the grant lists that method too.
///
/// A new rule exposes no header and has no `MaxAgeSeconds`: what a page reads, and for how long a browser keeps the grant, is no part
/// of a request, and each would be a guess.
///
/// # Errors
/// [`CannotAllow`] when the request is allowed already, or no such document is valid.
pub fn smallest_change(configuration: Option<&CorsConfiguration>, wanted: &Wanted) -> Result<Change, CannotAllow> {
    let rules = configuration.map(CorsConfiguration::rules).unwrap_or_default();
    if let Some(place) = rules.iter().position(|rule| wanted.is_allowed_by(rule)) {
        return Err(CannotAllow::Allowed(place + 1));
    }
    let widened = (0..rules.len()).filter_map(|at| widened(rules, at, wanted)).min_by_key(|(_, added)| added.len());
    let (at, place, added) = match (widened, configuration) {
        (Some((at, added)), _) => (at, Place::Rule, added),
        (None, Some(_)) => (rules.len(), Place::NewRule, values(wanted)),
        (None, None) => (0, Place::NewDocument, values(wanted)),
    };
    let mut rules = rules.to_vec();
    match rules.get_mut(at) {
        Some(rule) => *rule = with(rule, &added),
        None => rules.push(rule_for(wanted)),
    }
    let after = CorsConfiguration::new(rules).map_err(|_| CannotAllow::FullDocument)?;
    let (xml, json, read) = written(&after)?;
    let warnings = new_warnings(configuration, &read);
    let meaning = Meaning::new(configuration, wanted);
    Ok(Change { configuration: after, xml, json, rule: at + 1, place, added, meaning, warnings })
}

/// What to add to a rule so that it allows the request and nothing else, if there is such a thing. A rule allows every origin of its
/// list with every method and with every set of its headers: all but one of the three lists must be those of the request already.
fn widened(rules: &[CorsRule], at: usize, wanted: &Wanted) -> Option<(usize, Vec<Value>)> {
    let rule = rules.get(at)?;
    let missing = wanted.missing_in(rule);
    let added = match (wanted.has_origin_of(rule), wanted.has_method_of(rule)) {
        (false, true) if wanted.is_only_method_of(rule) && missing.is_empty() => {
            vec![Value::Origin(wanted.origin().clone())]
        }
        (true, false) if wanted.is_only_origin_of(rule) && missing.is_empty() => vec![Value::Method(wanted.method())],
        (true, true) if wanted.is_only_origin_of(rule) && wanted.is_only_method_of(rule) => {
            missing.into_iter().map(Value::Header).collect()
        }
        _ => return None,
    };
    (wanted.has_every_header_of(rule) && !takes_from_a_later_rule(rules, at, wanted)).then_some((at, added))
}

/// Whether the rule, once it allows the request, comes before another that so far grants some of its headers. Of the headers that a
/// later rule allows, all together are the least likely to be allowed by an earlier one.
fn takes_from_a_later_rule(rules: &[CorsRule], at: usize, wanted: &Wanted) -> bool {
    let (until, later) = rules.split_at_checked(at + 1).unwrap_or_default();
    later.iter().filter(|rule| wanted.is_near(rule)).any(|later| {
        let granted: Vec<_> = wanted.headers().iter().filter(|header| allows(later, header)).collect();
        !until.iter().any(|rule| wanted.is_near(rule) && granted.iter().all(|header| allows(rule, header)))
    })
}

fn values(wanted: &Wanted) -> Vec<Value> {
    let origin_and_method = [Value::Origin(wanted.origin().clone()), Value::Method(wanted.method())];
    origin_and_method.into_iter().chain(wanted.headers().iter().cloned().map(Value::Header)).collect()
}

#[expect(clippy::expect_used, reason = "one origin and one method are a rule")]
fn rule_for(wanted: &Wanted) -> CorsRule {
    let rule = CorsRule::new(vec![wanted.origin().clone()], vec![wanted.method()]).expect("an origin and a method");
    rule.with_allowed_headers(wanted.headers().to_vec())
}

/// A rule with more values, at the ends of its lists.
#[expect(clippy::expect_used, reason = "the lists of a rule that become longer are those of a rule")]
fn with(rule: &CorsRule, added: &[Value]) -> CorsRule {
    let (mut origins, mut methods) = (rule.allowed_origins().to_vec(), rule.allowed_methods().to_vec());
    let mut headers = rule.allowed_headers().to_vec();
    for value in added.iter().cloned() {
        match value {
            Value::Origin(origin) => origins.push(origin),
            Value::Method(method) => methods.push(method),
            Value::Header(header) => headers.push(header),
        }
    }
    let wider = CorsRule::new(origins, methods).expect("longer lists");
    wider
        .with_id(rule.id().map(str::to_owned))
        .with_allowed_headers(headers)
        .with_expose_headers(rule.expose_headers().to_vec())
        .with_max_age_seconds(rule.max_age_seconds())
}

/// Both forms, each of which S3 accepts, and the document that the XML is.
fn written(configuration: &CorsConfiguration) -> Result<(String, String, Document), CannotAllow> {
    let unwritable = |error: String| CannotAllow::Unwritable(error.into());
    let xml = configuration.to_xml().map_err(|error| unwritable(error.to_string()))?;
    let json = configuration.to_json().map_err(|error| unwritable(error.to_string()))?;
    if xml.len().max(json.len()) > MAX_DOCUMENT_LENGTH {
        return Err(CannotAllow::TooLong);
    }
    let invalid = |errors: DocumentErrors| unwritable(errors.to_string());
    let read = Document::parse(xml.as_bytes(), Format::Xml).map_err(invalid)?;
    Document::parse(json.as_bytes(), Format::Json).map_err(invalid)?;
    Ok((xml, json, read))
}

/// The warnings of a document that another does not have, or has less often.
fn new_warnings(before: Option<&CorsConfiguration>, after: &Document) -> Vec<Warning> {
    let before = before.and_then(|before| written(before).ok());
    let mut known = before.map(|(_, _, document)| document.warnings()).unwrap_or_default();
    let mut new = after.warnings();
    new.retain(|warning| {
        let place = known.iter().position(|known| known.concern() == warning.concern());
        place.is_none_or(|place| {
            known.swap_remove(place);
            false
        })
    });
    new
}
