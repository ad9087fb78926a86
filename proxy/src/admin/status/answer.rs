//! What the rules say to a request: allowed or denied, why, each rule's part in it, and what would allow it.

use super::layout::{Rows, foreign, moment, more, rows, several, table, visible};
use super::remedy::{Shown, remedy};
use super::why::why;
use crate::admin::denial::what_happened;
use crate::explain::{AllRefused, Explained, RuleExplained};
use crate::observe::Denial;
use maud::{Markup, html};
use s3_cors::Reason;

/// The most rules whose part is shown.
const MOST_RULES: usize = 20;
/// The most headers of a cell.
const MOST_HEADERS: usize = 4;

/// The most sentences about a rule or a browser, and their length in characters.
const MOST_SENTENCES: usize = 6;
const MAX_SENTENCE: usize = 400;

const COLUMNS: [&str; 5] = ["Rule", "Origin", "Method", "Headers", "Why"];

/// The answer; `place` is where all of it is.
pub(super) fn answer(explained: &Explained, all: Option<&AllRefused>, place: &str) -> Markup {
    html! {
        p.verdict { (verdict(explained.allowed)) ": " (request(explained)) }
        p { (why(explained)) }
        @if !explained.allowed { (remedy(explained, all, Shown::Document)) }
        (beside(explained))
        @if !explained.rules.is_empty() { (by_rule(&explained.rules, place)) }
        @if !explained.response_headers.is_empty() { (headers(explained)) }
    }
}

/// Notes on the request, and what a browser does with the responses.
fn beside(explained: &Explained) -> Markup {
    html! {
        @if !explained.notes.is_empty() { h4 { "Notes" } (list(&explained.notes)) }
        @if let Some(browser) = &explained.browser {
            h4 { (visible(&browser.summary(), MAX_SENTENCE)) }
            (list(&browser.why))
        }
    }
}

fn list(sentences: &[String]) -> Markup {
    html! { ul.notes { @for sentence in sentences.iter().take(MOST_SENTENCES) { li { (visible(sentence, MAX_SENTENCE)) } } } }
}

/// What was decided about a denied request when it came.
pub(super) fn then(denial: &Denial) -> Markup {
    html! {
        p.hint {
            "The request " (foreign(&denial.request_id)) ", " (denial.kind) " for " (foreign(&denial.path)) ", was denied at "
            (moment(denial.at))
            @if denial.reason == Reason::NoRules { " because " (foreign(denial.group())) " has no rules" }
            @else { " by the rules of " (foreign(&denial.label)) }
            ", reason " (denial.reason)
            @if let Some(detail) = &denial.detail { ", refused: " (foreign(detail)) }
            ". " (what_happened(denial))
        }
        @if !denial.is_whole {
            p { "The request was longer than what is kept of it, so the rules may say something else to it." }
        }
    }
}

fn verdict(allowed: bool) -> Markup {
    html! { @if allowed { strong.good { "Allowed" } } @else { strong.bad { "Denied" } } }
}

fn request(explained: &Explained) -> Markup {
    html! {
        (foreign(&explained.method)) " from " (foreign(&explained.origin))
        @if let Some(bucket) = &explained.bucket { " to the bucket " (foreign(bucket)) } @else { " without a bucket" }
    }
}

fn by_rule(findings: &[RuleExplained], place: &str) -> Markup {
    let Rows { html, left_out } = rows(findings, MOST_RULES, |rule| {
        html! {
            tr {
                th scope="row" { (rule.rule) @if let Some(id) = &rule.id { " " (foreign(id)) } }
                td { (clause(rule.origin)) }
                td { (clause(rule.method)) }
                td {
                    (clause(rule.headers))
                    @if !rule.refused_headers.is_empty() { ", not " (several(&rule.refused_headers, MOST_HEADERS)) }
                }
                td.sentences { (sentences(&rule.why)) }
            }
        }
    });
    html! {
        (table("findings", "What each rule allows of it", &COLUMNS, &html! { tbody { (html) } }))
        (more(left_out, place))
    }
}

fn sentences(sentences: &[String]) -> Markup {
    html! { @for sentence in sentences.iter().take(MOST_SENTENCES) { p { (visible(sentence, MAX_SENTENCE)) } } }
}

fn clause(holds: bool) -> Markup {
    html! { @if holds { "yes" } @else { strong.bad { "no" } } }
}

fn headers(explained: &Explained) -> Markup {
    let body = html! {
        tbody {
            @for (name, value) in &explained.response_headers {
                tr { th scope="row" { (foreign(name)) } td { (foreign(value)) } }
            }
        }
    };
    table("granted", "The headers of the response", &["Header", "Value"], &body)
}
