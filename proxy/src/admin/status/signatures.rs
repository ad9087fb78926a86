//! Requests whose signature the upstream refused: no matter of CORS, although a page sees the same 403.

use super::layout::{Rows, foreign, moment, more, rows, table};
use crate::admin::Admin;
use crate::observe::{RefusedSignature, SignatureGroup};
use maud::{Markup, html};

/// The most groups that the page shows.
const MOST: usize = 25;

const COLUMNS: [&str; 6] = ["Asked for", "Requests#", "Asked as", "Cause", "What to do", "Last"];

/// `None` where no signature was refused.
pub(super) fn body(admin: &Admin) -> Option<Markup> {
    let groups = admin.refused_signatures.groups();
    if groups.is_empty() {
        return None;
    }
    let Rows { html, left_out } = rows(&groups, MOST, row);
    Some(html! {
        p { "The upstream refused the signatures of these requests, or took them in another form than they came in. No rule of CORS is why." }
        (table("refused-signatures", "Refused signatures", &COLUMNS, &html! { tbody { (html) } }))
        (more(left_out, "metrics"))
    })
}

fn row(group: &SignatureGroup) -> Markup {
    let RefusedSignature {
        request_id,
        at,
        bucket,
        method,
        cause,
        header,
        client_host,
        sent_host,
        is_healed,
        advice,
        ..
    } = &group.latest;
    html! {
        tr {
            th scope="row" { (foreign(client_host)) " (" (foreign(method)) ", " (foreign(bucket)) ")" }
            td.number { (group.count) }
            td {
                (foreign(sent_host))
                @if *is_healed { ", and taken" } @else {
                    @if let Some(name) = &group.worked_as { ", refused; " (foreign(name)) " worked since" } @else { ", refused" }
                }
            }
            td { (cause) @if let Some(header) = header { ": " (foreign(header)) } }
            td { (advice) }
            td { (moment(*at)) " " (foreign(request_id)) }
        }
    }
}
