//! The decisions of the last hour: how many a minute, by outcome.

use super::chart::{Chart, bars, by_minute, entry, round_end};
use super::layout::{number, table};
use crate::observe::RequestCounts;
use maud::{Markup, html};
use s3_cors::Outcome;
use std::time::SystemTime;

/// The outcomes from the bottom of a bar, with their classes in the style sheet and their names for people.
const OUTCOMES: [(Outcome, &str, &str); 4] = [
    (Outcome::Allowed, "allowed", "allowed"),
    (Outcome::Denied, "denied", "denied"),
    (Outcome::NoRules, "no-rules", "no rules"),
    (Outcome::SameOrigin, "same-origin", "same origin"),
];
const COLUMNS: [&str; 5] = ["Minute (UTC)", "Allowed#", "Denied#", "No rules#", "Same origin#"];

/// The decisions of some minutes, in the order of [`OUTCOMES`].
type Counts = [u64; OUTCOMES.len()];

pub(super) fn chart(minutes: &[RequestCounts], now: SystemTime) -> Markup {
    let (hour, each) = (counts(&RequestCounts::sum(minutes)), minutes.iter().map(counts).collect::<Vec<_>>());
    let end = round_end(each.iter().map(|counts| counts.iter().sum()).max().unwrap_or_default());
    let legend =
        html! { @for (text, (_, class, _)) in listed(&hour, true).iter().zip(OUTCOMES) { (entry(class, text)) } };
    let marks =
        html! { @for (path, (_, class, _)) in bars(&each, end).iter().zip(OUTCOMES) { path.(class) d=(path) {} } };
    let tip = |(at, counts): (String, &Counts)| {
        let some = listed(counts, false);
        (!some.is_empty()).then(|| format!("{at}: {}", some.join(", ")))
    };
    let chart = Chart {
        id: "decisions",
        title: "Decisions a minute",
        summary: &format!("In the last hour: {}.", listed(&hour, true).join(", ")),
        legend,
        scale: &[number(end), number(end / 2), "0".to_owned()],
        marks,
        tips: &by_minute(&each, now).map(tip).collect::<Vec<_>>(),
        table: as_table(&hour, &each, now),
    };
    chart.html(now)
}

fn counts(minutes: &RequestCounts) -> Counts {
    OUTCOMES.map(|(outcome, ..)| minutes.by_outcome.get(outcome as usize).copied().unwrap_or_default())
}

/// Each outcome with its count, or each that there was.
fn listed(counts: &Counts, is_zero_shown: bool) -> Vec<String> {
    let shown = OUTCOMES.iter().zip(counts).filter(|(_, count)| is_zero_shown || **count > 0);
    shown.map(|((.., name), count)| format!("{name} {}", number(*count))).collect()
}

fn as_table(hour: &Counts, each: &[Counts], now: SystemTime) -> Markup {
    let row = |at: &str, counts: &Counts| {
        html! { tr { th scope="row" { (at) } @for count in counts { td.number { (number(*count)) } } } }
    };
    let rows = html! {
        tbody {
            (row("All", hour))
            @for (at, counts) in by_minute(each, now).rev().filter(|(_, counts)| counts.iter().any(|count| *count > 0)) {
                (row(&at, counts))
            }
        }
    };
    table(
        "decisions-table",
        "Decisions of the last hour, and of each minute with some, the latest first",
        &COLUMNS,
        &rows,
    )
}
