//! An explanation as text.

use super::rule::RuleExplained;
use super::{Explained, Proposal};
use s3_cors::Outcome;
use std::fmt;

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.allowed { "ALLOWED" } else { "DENIED" };
        write!(f, "{verdict}: {} from {}", self.method, self.origin)?;
        if let Some(bucket) = &self.bucket {
            write!(f, " to bucket {}", printable(bucket))?;
        }
        let outcome = self.outcome.map_or("none", Outcome::as_str);
        match self.status {
            Some(status) => writeln!(f, " (status {status}, outcome {outcome}, reason {})", self.reason)?,
            None => writeln!(f, " (no preflight, outcome {outcome}, reason {})", self.reason)?,
        }
        if let Some(message) = &self.message {
            writeln!(f, "  {message}")?;
        }
        if self.status.is_none() && !self.allowed {
            writeln!(f, "  the response is the upstream's with its status, without Access-Control-Allow-Origin")?;
        }
        for note in &self.notes {
            writeln!(f, "  note: {}", printable(note))?;
        }
        if let Some(without_rules) = &self.without_rules {
            without_rules.sentences().iter().try_for_each(|sentence| writeln!(f, "  {}", printable(sentence)))?;
        }
        for rule in &self.rules {
            writeln!(f, "{rule}")?;
        }
        if let Some(rule) = self.nearest_rule {
            write!(f, "nearest is rule {rule}; ")?;
        }
        match (&self.proposal, &self.cannot) {
            (Some(proposal), _) => write!(f, "to allow this request:\n{proposal}")?,
            (None, Some(cannot)) => writeln!(f, "{cannot}")?,
            (None, None) => {}
        }
        for (name, value) in &self.response_headers {
            writeln!(f, "  {name}: {value}")?;
        }
        self.browser.iter().try_for_each(|browser| write!(f, "{browser}"))
    }
}

impl fmt::Display for RuleExplained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  rule {}", self.rule)?;
        if let Some(id) = &self.id {
            write!(f, " ({id})")?;
        }
        let clause = |holds: bool| if holds { "yes" } else { "NO" };
        write!(
            f,
            ": origin {}, method {}, headers {}",
            clause(self.origin),
            clause(self.method),
            clause(self.headers)
        )?;
        if !self.refused_headers.is_empty() {
            write!(f, " (not allowed: {})", self.refused_headers.join(", "))?;
        }
        for sentence in self.shown() {
            write!(f, "\n    {}", printable(sentence))?;
        }
        Ok(())
    }
}

/// What to do comes first, then what it means, then the rule as it can be pasted.
impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.what.iter().chain([&self.means]) {
            writeln!(f, "  {}", printable(line))?;
        }
        for warning in &self.warnings {
            writeln!(f, "  warning: {}", printable(warning))?;
        }
        writeln!(f, "it allows nothing else; rule {} is then:", self.rule)?;
        write!(f, "{}", self.rule_xml)
    }
}

/// What came from a document must not steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }).collect()
}
