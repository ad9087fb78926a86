//! Where requests go: the servers of each upstream, the routes of buckets, and how much a fallback still serves.

use super::layout::{Rows, Tone, foreign, moment, number, rows, several, table};
use crate::admin::Admin;
use crate::config::WrittenRoute;
use crate::telemetry::FallbackResult;
use crate::upstream::UpstreamState;
use maud::{Markup, html};

/// The most upstreams, the most addresses of one, and the most routes that the page shows.
const MOST: usize = 20;

pub(super) fn body(admin: &Admin) -> Markup {
    let states = admin.upstream_states();
    let is_named = states.iter().any(|state| state.name.is_some());
    let Rows { html, left_out } = rows(&states, MOST, |state| {
        let addresses: Vec<_> = state.addresses.iter().map(ToString::to_string).collect();
        html! {
            tr {
                th scope="row" { (foreign(&state.url)) }
                @if is_named { td { @if let Some(name) = &state.name { (name) } } }
                td { (up_or_down(state)) }
                td { @if addresses.is_empty() { "not resolved" } @else { (several(&addresses, MOST)) } }
            }
        }
    });
    let columns =
        if is_named { &["Upstream", "Name", "State", "Addresses"][..] } else { &["Upstream", "State", "Addresses"] };
    html! {
        (table("upstream-states", "Upstreams and their addresses", columns, &html! { tbody { (html) } }))
        @if left_out > 0 { p { "And " (left_out) " more, which the metric " code { "s3cors_upstream_up" } " has." } }
        @if !admin.routes.is_empty() { (routes(admin)) }
        @if admin.routes.have_fallback() { (fallback(admin)) }
    }
}

fn routes(admin: &Admin) -> Markup {
    let Rows { html, left_out } = rows(admin.routes.written(), MOST, |route: &WrittenRoute| {
        html! {
            tr {
                th scope="row" { (foreign(&route.bucket)) }
                td { (foreign(&route.upstream)) }
                td { @if let Some(fallback) = &route.fallback { (foreign(fallback)) } }
            }
        }
    });
    let default = admin.upstreams.default_one().name().unwrap_or_default();
    html! {
        (table("routes", "Routes of buckets, the first that matches", &["Bucket", "Upstream", "Fallback"], &html! { tbody { (html) } }))
        @if left_out > 0 { p { "And " (left_out) " more." } }
        p { "Everything else, and the list of all buckets, goes to " strong { (default) } "." }
    }
}

/// Says how much is still read from fallbacks: nothing, for long enough, means that they can go.
fn fallback(admin: &Admin) -> Markup {
    let fallbacks = &admin.metrics.upstreams.fallbacks;
    let [found, missing, refused, failed] = FallbackResult::ALL.map(|result| fallbacks.get(result));
    let tone = if refused + failed == 0 { Tone::Good } else { Tone::Bad };
    html! {
        p {
            "Since the start, " strong { (number(found)) } " objects were read from a fallback"
            @if let Some(last) = fallbacks.last_found() { ", the last at " (moment(last)) }
            "; " (number(missing)) " were missing there too; "
            strong.(tone.class()) { (number(refused + failed)) " could not be read" } "."
        }
    }
}

fn up_or_down(state: &UpstreamState) -> Markup {
    match (state.is_up, state.is_known) {
        (true, true) => html! { strong.good { "up" } },
        (true, false) => html! { "not asked yet" },
        (false, _) => html! { strong.bad { "down" } },
    }
}
