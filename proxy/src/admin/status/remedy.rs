//! The rule that would allow a denied request, and what it would mean.

use super::layout::visible;
use crate::explain::{AllRefused, Explained, Proposal};
use maud::{Markup, html};

/// The most steps, and the most warnings, that are shown.
const MOST: usize = 8;
/// The longest sentence, in characters.
const MAX_SENTENCE: usize = 600;

/// How much of the document is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// The rule that is new or widened, folded up.
    Rule,
    /// The rule, and the whole document, ready to be pasted.
    Document,
}

impl Shown {
    /// The longest XML that is shown, in bytes: half a rule is no rule.
    const fn most(self) -> usize {
        match self {
            Self::Rule => 2 * 1024,
            Self::Document => 8 * 1024,
        }
    }
}

/// What would allow it, or why nothing in rules can; first, what would allow all that its page was refused.
pub(super) fn remedy(explained: &Explained, all: Option<&AllRefused>, shown: Shown) -> Markup {
    html! {
        @if let Some(all) = all { (everything(all, shown)) }
        @if let Some(proposal) = &explained.proposal {
            details open[shown == Shown::Document && all.is_none()] {
                summary { "The rule that would allow it" @if all.is_some() { " alone" } }
                (meaning(proposal))
                (xml(&proposal.rule_xml, shown))
            }
            @if shown == Shown::Document {
                details {
                    summary { "The whole document with that rule" @if all.is_some() { " alone" } }
                    (xml(&proposal.xml, shown))
                }
            }
        }
        @if let Some(cannot) = &explained.cannot { p { (sentence(cannot)) } }
    }
}

fn everything(all: &AllRefused, shown: Shown) -> Markup {
    html! {
        details open {
            summary { "The rule that would allow all that this origin was refused: " (all.methods.join(", ")) }
            (xml(&all.rules_xml, shown))
        }
        details {
            summary { "The whole document with all of it" }
            (xml(&all.xml, shown))
        }
    }
}

fn meaning(proposal: &Proposal) -> Markup {
    html! {
        ul { @for step in proposal.what.iter().take(MOST) { li { (sentence(step)) } } }
        @if proposal.what.len() > MOST { p { "And " (proposal.what.len() - MOST) " more changes, as the rule shows." } }
        p { "With it, " (sentence(&proposal.means)) "." }
        @for warning in proposal.warnings.iter().take(MOST) { p { strong { "Warning" } " " (sentence(warning)) } }
    }
}

fn xml(xml: &str, shown: Shown) -> Markup {
    html! {
        @if xml.len() > shown.most() {
            p { "Its XML is too long for this page; " code { "/api/explain" } " has it." }
        } @else {
            // One click selects all of it.
            pre.copied { code { (xml) } }
        }
    }
}

fn sentence(text: &str) -> String {
    visible(text, MAX_SENTENCE)
}
