//! Who is turned away, why, and what would let them in.

use super::layout::{Rows, foreign, moment, more, number, rows, several};
use super::remedy::{Shown, remedy};
use super::why::why;
use crate::admin::Admin;
use crate::admin::denial::explain_in_place_of;
use crate::explain::{Explained, Question, explain_request};
use crate::observe::{AskedTogether, Denial, RequestGroup};
use maud::{Markup, html};
use s3_cors::Reason;

/// The most rejections that the page shows.
const MOST: usize = 25;

/// The label of requests whose bucket is not certain: no bucket's name begins so.
const SEVERAL: &str = "_other";
/// The most headers that a sentence names.
const MOST_HEADERS: usize = 8;

pub(super) fn body(admin: &Admin) -> Markup {
    let (heaviest, all) = admin.rejections.heaviest(MOST);
    if heaviest.is_empty() {
        return html! { p.panel.empty { "No request was rejected." } };
    }
    let Rows { html, left_out } = rows(&heaviest, MOST, |rejection| card(admin, rejection));
    html! {
        p.hint { "A page at one of these origins sees a CORS error. The heaviest come first; the reasons are those of the live rules." }
        ol.cards { (html) }
        (more(left_out + all - heaviest.len(), "api/rejections"))
    }
}

fn card(admin: &Admin, rejection: &RequestGroup) -> Markup {
    let denial = admin.recent_denials.find(&rejection.request_id);
    let together = denial.as_ref().map(|_| admin.recent_denials.asked_together(rejection));
    let explained = explain(admin, rejection, denial.as_ref().zip(together.as_ref()));
    html! {
        li.panel.card {
            div.count { strong { (count(rejection)) } @if rejection.count == 1 { " time" } @else { " times" } }
            div.request {
                p.origin { @if rejection.origin.is_empty() { "No origin that a browser sends" } @else { (foreign(&rejection.origin)) } }
                p { (rejection.kind) " " (foreign(&rejection.method)) " to " (foreign(&rejection.bucket)) }
            }
            div.last {
                p { "last " (moment(rejection.last_seen)) }
                p {
                    "request "
                    @if denial.is_some() {
                        a href={ "status?request_id=" (rejection.request_id) "#answer" } { (rejection.request_id) }
                    } @else {
                        (foreign(&rejection.request_id))
                    }
                }
            }
            p.why {
                (then_and_now(rejection, explained.as_ref()))
                @if let Some(together) = together.filter(|together| together.differ) { " " (differ(&together)) }
            }
            @if let Some(explained) = explained.as_ref().filter(|explained| !explained.allowed) {
                div.fix { (remedy(explained, None, Shown::Rule)) }
            }
        }
    }
}

/// What is not certain of a count came to the row with its place.
fn count(rejection: &RequestGroup) -> Markup {
    let least = rejection.count.saturating_sub(rejection.error);
    html! { @if rejection.error > 0 { (number(least)) " to " } (number(rejection.count)) }
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

/// The requests of a row need not ask for the same headers, and one rule is to allow all of them.
fn differ(together: &AskedTogether) -> Markup {
    let names: Vec<_> = together.request_headers.split(',').collect();
    html! {
        "Together, those that are still kept ask for " (several(&names, MOST_HEADERS))
        @if !together.is_whole { " and others" }
        "."
    }
}

/// Asks the live rules about these requests, as far as they are known: about one with the headers of all that are still kept; if the last
/// one is no longer kept, about one with the refused header.
fn explain(admin: &Admin, rejection: &RequestGroup, kept: Option<(&Denial, &AskedTogether)>) -> Option<Explained> {
    let Some((denial, together)) = kept else {
        let (live, question) = (admin.rules.live(), known(rejection));
        let is_of_several = &*rejection.bucket == SEVERAL;
        let bucket = if is_of_several { live.without_rules() } else { live.bucket(question.bucket) };
        let mut explained = explain_request(bucket, &question).ok()?;
        if is_of_several {
            explained.deny_change_to_ambiguous();
        } else {
            explained.tell_of_missing_rules(&admin.rules);
        }
        return Some(explained);
    };
    let own = Question::of_denial(denial);
    let request_headers = Some(&*together.request_headers).filter(|names| !names.is_empty());
    let question = if together.differ { Question { request_headers, ..own } } else { own };
    explain_in_place_of(denial, &question, denial.is_whole && together.is_whole, &admin.rules)
}

fn known(rejection: &RequestGroup) -> Question<'_> {
    let is_header = rejection.reason == Reason::Header;
    Question {
        kind: rejection.kind,
        // The label of a document that is not a bucket's own finds the same document, but for that of no bucket.
        bucket: Some(&*rejection.bucket).filter(|label| *label != crate::rules::Slot::Service.label()),
        origin: &rejection.origin,
        method: &rejection.method,
        request_headers: rejection.detail.as_deref().filter(|_| is_header),
    }
}
