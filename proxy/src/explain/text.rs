//! An explanation as text.

use super::rule::RuleExplained;
use super::{Explained, Proposal};
use s3_cors::Outcome;
use std::fmt;

/// The longest list of rules that is shown; the JSON form has all.
const MAX_RULES: usize = 5;

/// The answer comes first: the verdict, then what to change. S3's own sentence, the longest and the least telling, is the last.
impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_verdict(f)?;
        if self.allowed {
            self.fmt_browser(f)?;
        }
        if let Some(without_rules) = &self.without_rules {
            without_rules.sentences().iter().try_for_each(|sentence| writeln!(f, "  {}", printable(sentence)))?;
        }
        self.fmt_change(f)?;
        self.fmt_rules(f)?;
        if !self.allowed {
            self.fmt_browser(f)?;
        }
        if self.status.is_none() && !self.allowed {
            writeln!(f, "  the response is the upstream's with its status, without Access-Control-Allow-Origin")?;
        }
        for note in &self.notes {
            writeln!(f, "  note: {}", printable(note))?;
        }
        if !self.response_headers.is_empty() {
            writeln!(f, "CORS headers of the response:")?;
        }
        for (name, value) in &self.response_headers {
            writeln!(f, "  {name}: {value}")?;
        }
        self.message.iter().try_for_each(|message| writeln!(f, "S3's message: {message}"))
    }
}

impl Explained {
    fn fmt_verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.allowed { "ALLOWED" } else { "DENIED" };
        write!(f, "{verdict}: {} from {}", self.method, self.origin)?;
        if let Some(bucket) = &self.bucket {
            write!(f, " to bucket {}", printable(bucket))?;
        }
        let outcome = self.outcome.map_or("none", Outcome::as_str);
        match self.status {
            Some(status) => writeln!(f, " (status {status}, outcome {outcome}, reason {})", self.reason),
            None => writeln!(f, " (no preflight, outcome {outcome}, reason {})", self.reason),
        }
    }

    fn fmt_change(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rule) = self.nearest_rule {
            write!(f, "nearest is rule {rule}; ")?;
        }
        match (&self.proposal, &self.cannot) {
            (Some(proposal), _) => write!(f, "to allow this request:\n{proposal}"),
            (None, Some(cannot)) => writeln!(f, "{cannot}"),
            (None, None) => Ok(()),
        }
    }

    fn fmt_browser(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.browser.iter().try_for_each(|browser| write!(f, "{browser}"))
    }

    /// The first rules, with the one that was taken or came nearest in any case.
    fn fmt_rules(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.rules.is_empty() {
            writeln!(f, "rule by rule:")?;
        }
        let telling = self.rule.or(self.nearest_rule);
        let others = if telling.is_some() { MAX_RULES - 1 } else { MAX_RULES };
        let mut first = self.rules.iter().filter(|rule| Some(rule.rule) != telling).map(|rule| rule.rule);
        let last = first.by_ref().take(others).last().unwrap_or(0);
        let is_shown = |rule: &&RuleExplained| rule.rule <= last || Some(rule.rule) == telling;
        self.rules.iter().filter(is_shown).try_for_each(|rule| writeln!(f, "{rule}"))?;
        match first.count() {
            0 => Ok(()),
            1 => writeln!(f, "  1 more rule: --format json shows it"),
            more => writeln!(f, "  {more} more rules: --format json shows them"),
        }
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
