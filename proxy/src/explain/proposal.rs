//! The change that would allow a request, or why there is none.

use s3_cors::{CannotAllow, Change, CorsConfiguration, CorsRule, Wanted, smallest_change};
use serde::Serialize;

/// The smallest change that allows the request and nothing else.
#[derive(Clone, Debug, Serialize)]
pub struct Proposal {
    /// The rule that is new or widened, from 1.
    pub rule: usize,
    /// What to do, a line for each value.
    pub what: Vec<String>,
    /// Who can do what afterwards.
    pub means: String,
    /// The whole document afterwards, in XML.
    pub xml: String,
    /// The whole document afterwards, in the JSON of the AWS CLI.
    pub json: CorsConfiguration,
    /// What to warn about in it that is not to be warned about now.
    pub warnings: Vec<String>,
    /// The rule afterwards, in XML.
    #[serde(skip)]
    pub rule_xml: String,
}

impl Proposal {
    pub(super) fn new(configuration: Option<&CorsConfiguration>, wanted: &Wanted) -> Result<Self, CannotAllow> {
        let change = smallest_change(configuration, wanted)?;
        let warnings = change.warnings.iter().map(|warning| match warning.hint() {
            Some(hint) => format!("{}: {}; hint: {hint}", warning.code(), warning.message()),
            None => format!("{}: {}", warning.code(), warning.message()),
        });
        Ok(Self {
            rule: change.rule,
            what: change.what(),
            means: change.meaning.to_string(),
            warnings: warnings.collect(),
            rule_xml: rule_xml(&change),
            xml: change.xml,
            json: change.configuration,
        })
    }
}

/// The element of the rule.
fn rule_xml(change: &Change) -> String {
    let rule = change.configuration.rules().get(change.rule - 1).cloned();
    elements(rule.into_iter().collect())
}

/// The elements of rules: the document of these rules alone, without what is around them.
pub(super) fn elements(rules: Vec<CorsRule>) -> String {
    let alone = CorsConfiguration::new(rules).ok().and_then(|alone| alone.to_xml().ok());
    let lines = alone.as_deref().unwrap_or_default().lines().filter(|line| line.starts_with("  "));
    lines.map(|line| format!("{line}\n")).collect()
}
