//! Why a request is denied, in a sentence or two: the clause, and what it refuses.

use super::layout::{foreign, several, visible};
use crate::explain::{Explained, RuleExplained};
use maud::{Markup, html};
use s3_cors::{Clause, Reason};

/// The most rules that the sentences name.
const MOST_RULES: usize = 3;
/// The most headers that a sentence names.
const MOST_HEADERS: usize = 8;
/// The longest sentence from elsewhere, in characters.
const MAX_SENTENCE: usize = 400;

/// Of a granted request, the rule that grants it; of another, the clause that denies it and what that refuses.
pub(super) fn why(explained: &Explained) -> Markup {
    if let Some(rule) = explained.rule {
        return html! { "Rule " (rule) " allows it." };
    }
    match explained.reason {
        Reason::NoRules => html! {
            "The bucket has no CORS rules, so no page may read what it holds"
            @if let Some(missing) = &explained.without_rules {
                @for (place, sentence) in missing.sentences().iter().enumerate() {
                    @if place == 0 { ": " } @else { "; " }
                    (visible(sentence, MAX_SENTENCE))
                }
            }
            "."
        },
        Reason::Origin => html! {
            "No rule allows the origin " (foreign(&explained.origin))
            @if let Some(sentence) = nearest_rule(explained) { ": " (visible(sentence, MAX_SENTENCE)) }
            "."
        },
        Reason::Method => nearest(explained, Clause::Method, |_| {
            html! { " allows the origin, but not the method " (foreign(&explained.method)) "." }
        }),
        Reason::Header => nearest(explained, Clause::Header, |rule| {
            html! { " allows the origin and the method, but not " (headers(&rule.refused_headers)) "." }
        }),
        _ => html! {
            "It is no CORS request that a browser sends."
            @if let Some(message) = &explained.message { " S3 says: " (foreign(message)) }
        },
    }
}

/// Where the origin stopped matching the rule that comes nearest.
fn nearest_rule(explained: &Explained) -> Option<&String> {
    let nearest = explained.nearest_rule?;
    explained.rules.iter().find(|rule| rule.rule == nearest)?.why.first()
}

/// A sentence for each of the first rules that come as far as this clause and fail there.
fn nearest(explained: &Explained, clause: Clause, says: impl Fn(&RuleExplained) -> Markup) -> Markup {
    let near = explained.rules.iter().filter(|rule| rule.failed == Some(clause));
    let near: Vec<_> = near.collect();
    html! {
        @for (place, rule) in near.iter().take(MOST_RULES).enumerate() {
            @if place > 0 { " " }
            "Rule " (rule.rule) @if let Some(id) = &rule.id { " (" (foreign(id)) ")" }
            (says(rule))
        }
        @if near.len() > MOST_RULES { " The same holds for " (near.len() - MOST_RULES) " more rules." }
    }
}

fn headers(names: &[String]) -> Markup {
    html! { @if names.len() == 1 { "the header " } @else { "the headers " } (several(names, MOST_HEADERS)) }
}
