//! Where requests go.

use super::layout::{Rows, foreign, rows, several, table};
use crate::admin::Admin;
use crate::upstream::UpstreamState;
use maud::{Markup, html};

/// The most upstreams, and the most addresses of one, that the page shows.
const MOST: usize = 20;

pub(super) fn body(admin: &Admin) -> Markup {
    let states = admin.upstreams.states();
    let Rows { html, left_out } = rows(&states, MOST, |state| {
        let addresses: Vec<_> = state.addresses.iter().map(ToString::to_string).collect();
        html! {
            tr {
                th scope="row" { (foreign(&state.url)) }
                td { (up_or_down(state)) }
                td { @if addresses.is_empty() { "not resolved" } @else { (several(&addresses, MOST)) } }
            }
        }
    });
    html! {
        (table("upstream-states", "Upstreams and their addresses", &["Upstream", "State", "Addresses"], &html! { tbody { (html) } }))
        @if left_out > 0 { p { "And " (left_out) " more, which the metric " code { "s3cors_upstream_up" } " has." } }
    }
}

fn up_or_down(state: &UpstreamState) -> Markup {
    match (state.is_up, state.is_known) {
        (true, true) => html! { strong.good { "up" } },
        (true, false) => html! { "not asked yet" },
        (false, _) => html! { strong.bad { "down" } },
    }
}
