//! The strip at the top: whether the process takes requests, whether everything in the rules' place is live, whether the upstreams are
//! there, how many requests were rejected. Below it, what is wrong with the rules.

use super::layout::{Rows, Tone, foreign, moment, more, number, rows, several, table, visible};
use crate::admin::Admin;
use crate::observe::RequestCounts;
use crate::rules::{Outcome, Remark, SourceError};
use crate::upstream::UpstreamState;
use maud::{Markup, html};

/// The most errors, and the most remarks, that the page shows.
const MOST: usize = 20;
/// The longest text of an error, in characters, with its path.
const MAX_PROBLEM: usize = 600;
/// The most changed buckets that the page names.
const MOST_CHANGED: usize = 3;

/// A cell of the strip.
struct Tile {
    name: &'static str,
    tone: Tone,
    word: Markup,
    more: Markup,
}

/// The state in a word or a few, its colour, and what it means.
struct Condition {
    word: &'static str,
    tone: Tone,
    means: &'static str,
}

impl Condition {
    /// Readiness is about the process alone; for people, a proxy whose upstreams are down is not well.
    fn of(why_not_ready: Option<&'static str>, upstreams: &[UpstreamState]) -> Self {
        if let Some(word) = why_not_ready {
            return Self { word, tone: Tone::Bad, means: "no new requests should be sent here" };
        }
        let up = upstreams.iter().filter(|state| state.is_up).count();
        let is_known = upstreams.iter().any(|state| state.is_up && state.is_known);
        let (word, tone, means) = match upstreams.len() - up {
            0 if is_known => ("ready", Tone::Good, "takes requests, and an upstream answers"),
            0 => ("ready", Tone::Neutral, "takes requests; none has reached an upstream yet"),
            _ if up > 0 => ("ready", Tone::Warning, "takes requests; not every upstream answers"),
            1 => ("upstream down", Tone::Bad, "only preflights are answered"),
            _ => ("upstreams down", Tone::Bad, "only preflights are answered"),
        };
        Self { word, tone, means }
    }
}

/// The state in a word or a few.
pub(super) fn word(admin: &Admin) -> &'static str {
    Condition::of(admin.readiness.why_not(), &admin.upstream_states()).word
}

pub(super) fn body(admin: &Admin) -> Markup {
    let (errors, remarks) = (admin.rules.errors(), admin.rules.remarks());
    let upstreams = admin.upstream_states();
    let state = Condition::of(admin.readiness.why_not(), &upstreams);
    let mut tiles = vec![
        Tile { name: "State", tone: state.tone, word: html! { (state.word) }, more: html! { (state.means) } },
        rules(admin, errors.len()),
        of_upstreams(&upstreams),
        rejected(&RequestCounts::sum(&admin.last_hour.minutes())),
    ];
    tiles.extend((admin.writing)().map(writes));
    html! {
        dl.strip {
            @for Tile { name, tone, word, more } in tiles {
                div.tile.(tone.class()) { dt { (name) } dd { strong { (word) } } dd.more { (more) } }
            }
        }
        @if !errors.is_empty() { (problems(&errors)) }
        @if !remarks.is_empty() { (notes(&remarks)) }
    }
}

fn rules(admin: &Admin, errors: usize) -> Tile {
    let live = admin.rules.live();
    let count = live.rule_count();
    let tone = match (errors, count) {
        (0, 0) => Tone::Warning,
        (0, _) => Tone::Good,
        _ => Tone::Bad,
    };
    let word = html! { (number(count as u64)) @if count == 1 { " rule" } @else { " rules" } @if errors > 0 { ", not all valid" } };
    let more =
        html! { "from " (foreign(&admin.rules.path().to_string_lossy())) "; last reload: " (last_reload(admin)) };
    Tile { name: "Rules", tone, word, more }
}

fn last_reload(admin: &Admin) -> Markup {
    let Some(last) = admin.rules.last_reload() else { return html! { "none since the start" } };
    html! {
        (last.outcome.as_str()) " at " (moment(last.at))
        @if last.outcome != Outcome::Rejected && !last.changed.is_empty() { ", changed: " (several(&last.changed, MOST_CHANGED)) }
    }
}

fn of_upstreams(states: &[UpstreamState]) -> Tile {
    let (all, up) = (states.len(), states.iter().filter(|state| state.is_up).count());
    let unknown = states.iter().filter(|state| state.is_up && !state.is_known).count();
    let tone = match up {
        0 => Tone::Bad,
        _ if up < all => Tone::Warning,
        _ if unknown == all => Tone::Neutral,
        _ => Tone::Good,
    };
    let more = html! {
        @if up < all {
            "Down: " (several(&states.iter().filter(|state| !state.is_up).map(|state| &*state.url).collect::<Vec<_>>(), 2))
        } @else if unknown > 0 {
            (unknown) " not asked yet, taken to be up"
        } @else {
            "answered when last asked"
        }
    };
    Tile { name: "Upstreams", tone, word: html! { (up) " of " (all) " up" }, more }
}

fn rejected(hour: &RequestCounts) -> Tile {
    let tone = if hour.rejected == 0 { Tone::Good } else { Tone::Warning };
    let decisions = hour.by_outcome.iter().sum();
    let more = html! {
        "in the last hour, of " (number(decisions)) @if decisions == 1 { " CORS decision" } @else { " CORS decisions" }
    };
    let word = if hour.rejected == 0 {
        html! { "none" }
    } else {
        html! { (number(hour.rejected)) }
    };
    Tile { name: "Rejected", tone, word, more }
}

/// Says whether the rules can be written by request, and what that means.
fn writes(writing: &'static str) -> Tile {
    let (tone, why) = match writing {
        "allowed" => (Tone::Good, "the upstream refuses broken signatures"),
        "disabled" => (Tone::Bad, "the upstream does not refuse a broken signature, so that anyone could write"),
        _ => (Tone::Neutral, "the upstream was not asked yet, or did not answer"),
    };
    Tile { name: "PutBucketCors", tone, word: html! { (writing) }, more: html! { (why) } }
}

/// What is wrong, a row for each place.
fn problems(errors: &[SourceError]) -> Markup {
    let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
    let places: Vec<_> = texts.iter().flat_map(|text| text.lines()).collect();
    let Rows { html, left_out } = rows(&places, MOST, |place| html! { li { code { (visible(place, MAX_PROBLEM)) } } });
    html! {
        div.panel.problems {
            p.bad { strong { "Not everything is live." } " What is not valid changes nothing: the last good rules stay." }
            ul { (html) }
            (more(left_out, "api/rules"))
        }
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
        div.panel {
            (table("remarks", "Notes on the rules", &["File", "What"], &html! { tbody { (html) } }))
            @if left_out > 0 { p { "And " (left_out) " more, which the log has." } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_green_only_while_an_upstream_is_known_to_answer_and_none_is_down() {
        let upstream = |(is_up, is_known)| UpstreamState {
            name: None,
            url: String::new(),
            is_up,
            is_known,
            addresses: Vec::new(),
        };
        let (up, unknown, down) = ((true, true), (true, false), (false, true));
        for (why_not, upstreams, word, tone) in [
            (None, &[up][..], "ready", Tone::Good),
            (None, &[up, unknown], "ready", Tone::Good),
            (None, &[unknown], "ready", Tone::Neutral),
            (None, &[up, down], "ready", Tone::Warning),
            (None, &[unknown, down], "ready", Tone::Warning),
            (None, &[down], "upstream down", Tone::Bad),
            (None, &[down, down], "upstreams down", Tone::Bad),
            (Some("draining"), &[up], "draining", Tone::Bad),
            (Some("not listening yet"), &[down], "not listening yet", Tone::Bad),
        ] {
            let states: Vec<_> = upstreams.iter().copied().map(upstream).collect();
            let state = Condition::of(why_not, &states);
            assert_eq!((state.word, state.tone), (word, tone), "{why_not:?} {upstreams:?}");
        }
    }
}
