//! Who is turned away, why, and what would let them in.

use super::layout::{Rows, foreign, moment, more, rows, table};
use super::remedy::{Shown, remedy};
use super::why::why;
use crate::admin::Admin;
use crate::admin::denial::explain_denial;
use crate::explain::{Explained, Question, explain_request};
use crate::observe::{Denial, RequestGroup};
use crate::rules::Snapshot;
use maud::{Markup, html};
use s3_cors::Reason;

/// The most rejections that the page shows.
const MOST: usize = 25;

const COLUMNS: [&str; 6] = ["Origin", "Request", "Requests", "Why", "What would allow it", "Last"];

pub(super) fn body(admin: &Admin) -> Markup {
    let (rejections, live) = (admin.rejections.top(), admin.rules.live());
    if rejections.is_empty() {
        return html! { p { "No request was rejected." } };
    }
    let Rows { html, left_out } = rows(&rejections, MOST, |rejection| row(admin, &live, rejection));
    html! {
        p { "A page at one of these origins sees a CORS error. The heaviest come first; the reasons are those of the live rules." }
        (table("rejected", "Rejected requests by origin and reason", &COLUMNS, &html! { tbody { (html) } }))
        (more(left_out, "api/rejections"))
    }
}

fn row(admin: &Admin, live: &Snapshot, rejection: &RequestGroup) -> Markup {
    let denial = admin.recent_denials.find(&rejection.request_id);
    let explained = explain(live, rejection, denial.as_ref());
    html! {
        tr {
            th scope="row" { @if rejection.origin.is_empty() { "none that a browser sends" } @else { (foreign(&rejection.origin)) } }
            td { (rejection.kind) " " (foreign(&rejection.method)) " to " (foreign(&rejection.bucket)) }
            td.number { (count(rejection)) }
            td.sentences { (then_and_now(rejection, explained.as_ref())) }
            td.sentences { @if let Some(explained) = explained.as_ref().filter(|explained| !explained.allowed) { (remedy(explained, Shown::Rule)) } }
            td {
                (moment(rejection.last_seen)) " "
                @if denial.is_some() {
                    a href={ "status?request_id=" (rejection.request_id) "#answer" } { (rejection.request_id) }
                } @else {
                    (foreign(&rejection.request_id))
                }
            }
        }
    }
}

/// What is not certain of a count came to the row with its place.
fn count(rejection: &RequestGroup) -> Markup {
    let least = rejection.count.saturating_sub(rejection.error);
    html! { @if rejection.error > 0 { (least) " to " } (rejection.count) }
}

/// Why the live rules deny it, or that they no longer do; where no request can be asked about, what was refused.
fn then_and_now(rejection: &RequestGroup, now: Option<&Explained>) -> Markup {
    match now {
        Some(now) if now.allowed => html! {
            "Refused for its " (rejection.reason)
            @if let Some(detail) = &rejection.detail { " " (foreign(detail)) }
            ". Now allowed: " (why(now))
        },
        Some(now) => why(now),
        None => html! {
            "Reason: " (rejection.reason) @if let Some(detail) = &rejection.detail { ", refused: " (foreign(detail)) }
        },
    }
}

/// What the live rules say to the last of these requests, as far as it is known: of one that is no longer kept, one refused header.
fn explain(live: &Snapshot, rejection: &RequestGroup, denial: Option<&Denial>) -> Option<Explained> {
    match denial {
        Some(denial) => explain_denial(denial, live),
        None => {
            let question = known(rejection);
            explain_request(live.bucket(question.bucket), &question).ok()
        }
    }
}

fn known(rejection: &RequestGroup) -> Question<'_> {
    let is_header = rejection.reason == Reason::Header;
    Question {
        // The label of a document that is not a bucket's own finds the same document, but for that of no bucket.
        bucket: Some(&*rejection.bucket).filter(|label| *label != crate::rules::Slot::Service.label()),
        origin: &rejection.origin,
        method: &rejection.method,
        request_headers: rejection.detail.as_deref().filter(|_| is_header),
    }
}
