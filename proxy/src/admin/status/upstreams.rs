//! Where requests go.

use super::layout::{Rows, foreign, rows, several, table};
use crate::admin::Admin;
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
                td { @if state.is_up { "up" } @else { strong.bad { "down" } } }
                td { @if addresses.is_empty() { "not resolved" } @else { (several(&addresses, MOST)) } }
            }
        }
    });
    html! {
        (table("upstream-states", "Upstreams and their addresses", &["Upstream", "State", "Addresses"], &html! { tbody { (html) } }))
        @if left_out > 0 { p { "And " (left_out) " more, which the metric " code { "s3cors_upstream_up" } " has." } }
    }
}
