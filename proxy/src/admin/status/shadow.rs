//! What the shadow rules would decide otherwise.

use super::layout::{Rows, foreign, moment, more, rows, table};
use crate::admin::{Admin, Shadow};
use crate::observe::{Direction, ShadowChange};
use maud::{Markup, html};

/// The most changes that the page shows.
const MOST: usize = 25;
/// The most errors of the candidate set.
const MOST_ERRORS: usize = 10;

const COLUMNS: [&str; 6] = ["Origin", "Request", "Would be", "Requests#", "Why", "Last"];

/// `None` where there is no candidate set.
pub(super) fn body(admin: &Admin) -> Option<Markup> {
    admin.shadow.as_ref().map(compared)
}

fn compared(shadow: &Shadow) -> Markup {
    let (store, report) = (shadow.rules.store(), shadow.decisions.report());
    let (errors, Rows { html, left_out }) = (store.errors(), rows(&report.changes, MOST, row));
    html! {
        p {
            "The rules in " (foreign(&store.path().to_string_lossy())) " decide nothing. Since " (moment(report.since)) ", "
            (report.compared) " requests were compared with them."
        }
        @if !errors.is_empty() {
            p { "Not valid, so that requests that they would decide are not compared:" }
            ul { @for error in errors.iter().take(MOST_ERRORS) { li { (foreign(&error.to_string())) } } }
        }
        @if report.changes.is_empty() {
            p { "No request would be decided otherwise." }
        } @else {
            (table("shadow-changes", "Requests that would be decided otherwise", &COLUMNS, &html! { tbody { (html) } }))
            (more(left_out, "api/shadow"))
        }
    }
}

fn row(change: &ShadowChange) -> Markup {
    let requests = &change.requests;
    let least = requests.count.saturating_sub(requests.error);
    html! {
        tr {
            th scope="row" { @if requests.origin.is_empty() { "none that a browser sends" } @else { (foreign(&requests.origin)) } }
            td { (requests.kind) " " (foreign(&requests.method)) " to " (foreign(&requests.bucket)) }
            td { (would_be(change.direction)) }
            td.number { @if requests.error > 0 { (least) " to " } (requests.count) }
            td { (why(change)) }
            td { (moment(requests.last_seen)) " " (foreign(&requests.request_id)) }
        }
    }
}

const fn would_be(direction: Direction) -> &'static str {
    match direction {
        Direction::AllowedToDenied => "denied",
        Direction::DeniedToAllowed => "allowed",
        Direction::OtherGrant => "allowed with another header",
    }
}

fn why(change: &ShadowChange) -> Markup {
    let detail = change.requests.detail.as_deref();
    html! {
        @match change.direction {
            Direction::AllowedToDenied => {
                "the live rule " (foreign(&change.rule)) " grants it; by the shadow rules the reason is " (change.requests.reason)
                @if let Some(detail) = detail { ": " (foreign(detail)) }
            }
            Direction::DeniedToAllowed => {
                "the shadow rule " (foreign(&change.rule)) " grants it; live, the reason is " (change.requests.reason)
                @if let Some(detail) = detail { ": " (foreign(detail)) }
            }
            Direction::OtherGrant => {
                "the shadow rule " (foreign(&change.rule)) " says otherwise: " (foreign(detail.unwrap_or_default()))
            }
        }
    }
}
