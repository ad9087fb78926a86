//! Whether the process takes requests, and whether everything in the rules' place is live.

use super::layout::{Rows, foreign, moment, more, rows, several, table, visible};
use crate::admin::Admin;
use crate::rules::{Outcome, Remark, SourceError};
use maud::{Markup, html};

/// The most errors, and the most remarks, that the page shows.
const MOST: usize = 20;
/// The longest text of an error, in characters, with its path.
const MAX_PROBLEM: usize = 600;
/// The most changed buckets that the page names.
const MOST_CHANGED: usize = 10;

/// The state in a word or a few.
pub(super) fn word(admin: &Admin) -> &'static str {
    admin.readiness.why_not().unwrap_or("ready")
}

pub(super) fn body(admin: &Admin) -> Markup {
    let (errors, remarks) = (admin.rules.errors(), admin.rules.remarks());
    html! {
        dl {
            dt { "State" } dd { strong { (word(admin)) } }
            dt { "Rules" } dd { (admin.rules.live().rule_count()) " live, from " (foreign(&admin.rules.path().to_string_lossy())) }
            @if let Some(writing) = (admin.writing)() { dt { "PutBucketCors" } dd { (writes(writing)) } }
            dt { "Last reload" } dd { (last_reload(admin)) }
        }
        @if errors.is_empty() {
            p { "Everything in the place of the rules is live." }
        } @else {
            (problems(&errors))
        }
        @if !remarks.is_empty() { (notes(&remarks)) }
    }
}

/// Whether the rules can be written by request, and what that means.
fn writes(writing: &'static str) -> Markup {
    let why = match writing {
        "allowed" => "the upstream refuses broken signatures",
        "disabled" => "the upstream does not refuse a broken signature, so that anyone could write",
        _ => "the upstream was not asked yet, or did not answer",
    };
    html! { strong { (writing) } ": " (why) }
}

fn last_reload(admin: &Admin) -> Markup {
    let Some(last) = admin.rules.last_reload() else { return html! { "none since the start" } };
    html! {
        @if last.outcome == Outcome::Rejected { strong { (last.outcome.as_str()) } } @else { (last.outcome.as_str()) }
        " at " (moment(last.at))
        @if !last.changed.is_empty() { ", changed: " (several(&last.changed, MOST_CHANGED)) }
    }
}

/// What is wrong, a row for each place.
fn problems(errors: &[SourceError]) -> Markup {
    let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
    let places: Vec<_> = texts.iter().flat_map(|text| text.lines()).collect();
    let Rows { html, left_out } = rows(&places, MOST, |place| html! { li { code { (visible(place, MAX_PROBLEM)) } } });
    html! {
        p.bad { strong { "Not everything is live." } " What is not valid changes nothing: the last good rules stay." }
        ul { (html) }
        (more(left_out, "api/rules"))
    }
}

fn notes(remarks: &[Remark]) -> Markup {
    let Rows { html, left_out } = rows(remarks, MOST, |remark| {
        html! {
            tr {
                th scope="row" { (foreign(&remark.path().to_string_lossy())) }
                td { (remark.message()) @if let Some(hint) = remark.hint() { "; " (hint) } }
            }
        }
    });
    html! {
        (table("remarks", "Notes on the rules", &["File", "What"], &html! { tbody { (html) } }))
        @if left_out > 0 { p { "And " (left_out) " more, which the log has." } }
    }
}
