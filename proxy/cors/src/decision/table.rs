//! A configuration prepared for requests: header values built, origins indexed, patterns lower-cased.
//!
//! Everything that a request does not change is prepared here, so that a decision is comparisons and clones of shared bytes.

use super::origins::{OriginIndex, RuleSet};
use super::terms::{Credentials, TermSet, Terms};
use crate::{CorsConfiguration, CorsRule};
use std::sync::Arc;

/// The rules of one bucket, immutable and prepared.
#[derive(Clone, Debug)]
pub struct RuleTable {
    rules: Box<[Arc<CompiledRule>]>,
    origins: OriginIndex,
}

/// One rule, prepared. Its origins are in its table's index.
#[derive(Debug)]
pub struct CompiledRule {
    number: usize,
    name: Box<str>,
    id: WrittenId,
    is_for_any: bool,
    pub(crate) terms: Arc<Terms>,
}

/// The ID of a rule in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WrittenId {
    None,
    /// An empty ID names nothing: the rule is called by its number.
    Empty,
    /// The rule's name.
    Name,
}

impl RuleTable {
    /// Prepares a configuration.
    #[must_use]
    pub fn new(configuration: &CorsConfiguration, credentials: Credentials) -> Self {
        Self::with_terms(configuration, |rule, is_for_any| Arc::new(Terms::new(rule, is_for_any, credentials)))
    }

    /// Prepares a configuration. Its rules use the terms of the set where it has equal ones, and the others are added to it.
    #[must_use]
    pub fn sharing(configuration: &CorsConfiguration, credentials: Credentials, terms: &mut TermSet) -> Self {
        Self::with_terms(configuration, |rule, is_for_any| terms.of(rule, is_for_any, credentials))
    }

    fn with_terms(configuration: &CorsConfiguration, mut terms: impl FnMut(&CorsRule, bool) -> Arc<Terms>) -> Self {
        let origins = OriginIndex::new(configuration);
        let rules = configuration.rules().iter().enumerate();
        let rules = rules.map(|(place, rule)| {
            let is_for_any = origins.allows_any(place);
            Arc::new(CompiledRule::new(place + 1, rule, is_for_any, terms(rule, is_for_any)))
        });
        Self { rules: rules.collect(), origins }
    }

    /// The rules, in order.
    #[must_use]
    pub fn rules(&self) -> &[Arc<CompiledRule>] {
        &self.rules
    }

    /// The configuration that the table was made of, equal in every part. It is put together anew: the table keeps only what a request
    /// needs, and what the rules of all tables share.
    ///
    /// ```
    /// # use s3_cors::{Credentials, Document, Format, RuleTable};
    /// let document = br#"[{"AllowedOrigins": ["https://app.example"], "AllowedMethods": ["GET"], "AllowedHeaders": ["X-A"]}]"#;
    /// let document = Document::parse(document, Format::Json)?;
    /// let table = RuleTable::new(document.configuration(), Credentials::S3);
    /// assert_eq!(table.configuration(), *document.configuration());
    /// # Ok::<(), s3_cors::DocumentErrors>(())
    /// ```
    #[must_use]
    #[expect(clippy::expect_used, reason = "each rule, and their number, is that of a configuration")]
    pub fn configuration(&self) -> CorsConfiguration {
        let rules = self.rules.iter().zip(self.origins.list().by_rule());
        let rules = rules.map(|(rule, origins)| {
            let written = rule.terms.written().rule(origins).expect("a rule of a configuration");
            written.with_id(rule.written_id().map(str::to_owned))
        });
        CorsConfiguration::new(rules.collect()).expect("the rules of a configuration")
    }

    /// Returns true if both were made of the same configuration, to be used in the same way.
    #[must_use]
    pub fn means_the_same_as(&self, other: &Self) -> bool {
        let rules = || self.rules.iter().zip(&other.rules);
        self.rules.len() == other.rules.len()
            && self.origins.list() == other.origins.list()
            && rules().all(|(own, other)| own.written_id() == other.written_id())
            && rules().all(|(own, other)| Arc::ptr_eq(&own.terms, &other.terms) || own.terms == other.terms)
    }

    /// The places of the rules that allow this origin.
    pub(crate) fn rules_for(&self, origin: &str) -> RuleSet {
        self.origins.rules_for(origin.as_bytes())
    }

    /// The rules at these places, in order.
    pub(crate) fn at(&self, places: RuleSet) -> impl Iterator<Item = &Arc<CompiledRule>> {
        places.iter().filter_map(|place| self.rules.get(place))
    }
}

impl CompiledRule {
    fn new(number: usize, rule: &CorsRule, is_for_any: bool, terms: Arc<Terms>) -> Self {
        let (id, name) = match rule.id() {
            None => (WrittenId::None, None),
            Some("") => (WrittenId::Empty, None),
            Some(name) => (WrittenId::Name, Some(name)),
        };
        Self { number, name: name.map_or_else(|| number.to_string().into(), Into::into), id, is_for_any, terms }
    }

    /// The rule's place in the document, from 1.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }

    /// The rule's ID, if it has one that is not empty.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        (self.id == WrittenId::Name).then_some(&self.name)
    }

    /// The ID in the document, which may be empty.
    fn written_id(&self) -> Option<&str> {
        match self.id {
            WrittenId::None => None,
            WrittenId::Empty => Some(""),
            WrittenId::Name => Some(&self.name),
        }
    }

    /// The rule's ID, or its number: what metrics, logs and explanations call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether `*` is among the origins. The grant is then `*`, for every origin and without credentials. It is not known what S3
    /// grants when other origins stand before the `*`; this choice never adds credentials.
    pub(crate) const fn grants_any_origin(&self) -> bool {
        self.is_for_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Format};

    #[test]
    fn a_configuration_is_read_back_as_it_was_written() {
        let get = r#""AllowedMethods": ["GET"]"#;
        let mut others = Vec::new();
        for document in [
            format!(r#"[{{"AllowedOrigins": ["https://a"], {get}}}]"#),
            format!(r#"[{{"AllowedOrigins": ["https://a"], {get}, "ID": ""}}]"#),
            format!(r#"[{{"AllowedOrigins": ["https://a"], {get}, "ID": "1"}}]"#),
            format!(r#"[{{"AllowedOrigins": ["https://b", "*", "", "https://*.é", "https://b"], {get}}}]"#),
            format!(r#"[{{"AllowedOrigins": ["https://a"], {get}}}, {{"AllowedOrigins": ["https://a"], {get}}}]"#),
            format!(r#"[{{"AllowedOrigins": ["https://a"], {get}, "AllowedHeaders": ["X-b", "x-B", "*", "a*B"]}}]"#),
            format!(r#"[{{"AllowedOrigins": ["https://a"], {get}, "ExposeHeaders": ["", "ETag", "ETag"]}}]"#),
            format!(r#"[{{"AllowedOrigins": ["https://a"], {get}, "MaxAgeSeconds": -1}}]"#),
            r#"[{"AllowedOrigins": ["https://a"], "AllowedMethods": ["PUT", "GET", "PUT"]}]"#.to_owned(),
        ] {
            let document = Document::parse(document.as_bytes(), Format::Json).unwrap();
            let table = RuleTable::new(document.configuration(), Credentials::S3);
            assert_eq!(&table.configuration(), document.configuration());
            assert!(table.means_the_same_as(&RuleTable::new(document.configuration(), Credentials::S3)));
            // Of a grant to every origin, credentials are no part.
            let never = RuleTable::new(document.configuration(), Credentials::Never);
            assert_eq!(table.means_the_same_as(&never), table.origins.allows_any(0));
            assert!(others.iter().all(|other: &RuleTable| !other.means_the_same_as(&table)));
            others.push(table);
        }
    }
}
