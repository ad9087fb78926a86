//! The response times of the last hour: the median and the 95th percentile of each minute, estimated from a histogram.

use super::chart::{Chart, by_minute, entry, line};
use super::layout::{number, table};
use crate::observe::{RequestCounts, quantile};
use crate::telemetry::DURATION_BOUNDS;
use maud::{Markup, html};
use std::time::SystemTime;

/// The shares of the requests whose slowest one is shown, with their classes in the style sheet and their names for people.
const SHARES: [(f64, &str, &str); 2] = [(0.95, "p95", "95th percentile"), (0.5, "median", "median")];
const COLUMNS: [&str; 4] = ["Minute (UTC)", "Requests#", "95th percentile#", "Median#"];

/// The shortest duration that the buckets tell apart, in seconds: the scale begins there.
const SHORTEST: f64 = DURATION_BOUNDS[0];
const LONGEST: f64 = match DURATION_BOUNDS {
    [.., longest] => longest,
};
/// The least number of powers of ten that the scale has.
const LEAST_DECADES: i32 = 2;

/// The requests that ended in some minutes.
struct Ended {
    count: u64,
    /// The slowest of each of the [`SHARES`], in seconds.
    slowest: [Option<f64>; SHARES.len()],
}

pub(super) fn chart(minutes: &[RequestCounts], now: SystemTime) -> Markup {
    let (hour, each) = (Ended::of(&RequestCounts::sum(minutes)), minutes.iter().map(Ended::of).collect::<Vec<_>>());
    let decades = decades(&each);
    let legend = html! { @for (text, (_, class, _)) in hour.listed().iter().zip(SHARES) { (entry(class, text)) } };
    let tip = |(at, ended): (String, &Ended)| {
        (ended.count > 0).then(|| format!("{at}: {} of {}", ended.listed().join(", "), requests(ended.count)))
    };
    let chart = Chart {
        id: "durations",
        title: "Response times",
        summary: &format!("In the last hour, of {}: {}.", requests(hour.count), hour.listed().join(", ")),
        legend,
        scale: &(0..=decades).rev().map(|decade| said(SHORTEST * 10_f64.powi(decade))).collect::<Vec<_>>(),
        marks: html! { @for (place, (_, class, _)) in SHARES.iter().enumerate() { path.(class) d=(path(&each, place, decades)) {} } },
        tips: &by_minute(&each, now).map(tip).collect::<Vec<_>>(),
        table: as_table(&hour, &each, now),
    };
    chart.html(now)
}

impl Ended {
    fn of(minutes: &RequestCounts) -> Self {
        let counts = &minutes.by_duration;
        Self {
            count: counts.iter().sum(),
            slowest: SHARES.map(|(share, ..)| quantile(counts, &DURATION_BOUNDS, share)),
        }
    }

    /// Each share with its slowest request.
    fn listed(&self) -> Vec<String> {
        let shown = SHARES.iter().zip(self.slowest);
        shown
            .map(|((.., name), slowest)| format!("{name} {}", slowest.map_or_else(|| "none".to_owned(), duration)))
            .collect()
    }

    fn row(&self, at: &str) -> Markup {
        html! {
            tr {
                th scope="row" { (at) }
                td.number { (number(self.count)) }
                @for slowest in self.slowest { td.number { @if let Some(slowest) = slowest { (duration(slowest)) } @else { "none" } } }
            }
        }
    }
}

/// The powers of ten above the shortest duration that a scale needs.
fn decades(minutes: &[Ended]) -> i32 {
    let longest = minutes.iter().flat_map(|ended| ended.slowest).flatten().fold(SHORTEST, f64::max);
    // The bounds of the buckets end it: no more than six.
    (LEAST_DECADES..).find(|decade| SHORTEST * 10_f64.powi(*decade) >= longest).unwrap_or(LEAST_DECADES)
}

/// The line of a share. The scale is logarithmic, since a download takes a thousand times as long as a preflight.
fn path(minutes: &[Ended], share: usize, decades: i32) -> String {
    let height = |seconds: f64| (seconds.max(SHORTEST) / SHORTEST).log10() / f64::from(decades);
    let heights = minutes.iter().map(|ended| ended.slowest.get(share).copied().flatten().map(height));
    line(&heights.collect::<Vec<_>>())
}

fn as_table(hour: &Ended, each: &[Ended], now: SystemTime) -> Markup {
    let rows = html! {
        tbody {
            (hour.row("All"))
            @for (at, ended) in by_minute(each, now).rev().filter(|(_, ended)| ended.count > 0) { (ended.row(&at)) }
        }
    };
    html! {
        p.hint {
            "From a request's head to the end of its response, estimated from the buckets of " code { "s3cors_http_request_duration_seconds" }
            " as Prometheus does."
        }
        (table("durations-table", "Response times of the last hour, and of each minute with requests, the latest first", &COLUMNS, &rows))
    }
}

fn requests(count: u64) -> String {
    format!("{} {}", number(count), if count == 1 { "request" } else { "requests" })
}

/// A duration that was estimated: no more is known of one that is outside the buckets.
fn duration(seconds: f64) -> String {
    if seconds < SHORTEST {
        format!("below {}", said(SHORTEST))
    } else if seconds >= LONGEST {
        format!("{} or more", said(LONGEST))
    } else {
        said(seconds)
    }
}

/// A duration with two or three digits and a unit.
fn said(seconds: f64) -> String {
    let (value, unit) = if seconds < 0.999_5 { (seconds * 1_000.0, "ms") } else { (seconds, "s") };
    let rounded = (value * 10.0).round() / 10.0;
    if rounded >= 10.0 || rounded.fract() == 0.0 {
        format!("{rounded:.0} {unit}")
    } else {
        format!("{rounded:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_as_exactly_as_they_are_known() {
        for (seconds, text) in [
            (0.000_5, "below 1 ms"),
            (0.001, "1 ms"),
            (0.002_34, "2.3 ms"),
            (0.0251, "25 ms"),
            (0.999_6, "1 s"),
            (1.75, "1.8 s"),
            (120.4, "120 s"),
            (300.0, "300 s or more"),
        ] {
            assert_eq!(duration(seconds), text, "{seconds}");
        }
    }

    #[test]
    fn the_scale_is_as_high_as_the_slowest_needs() {
        let of = |slowest| [Ended { count: 1, slowest: [slowest; SHARES.len()] }];
        for (slowest, powers) in [(None, 2), (Some(0.000_5), 2), (Some(0.1), 2), (Some(0.11), 3), (Some(300.0), 6)] {
            assert_eq!(decades(&of(slowest)), powers, "{slowest:?}");
        }
        assert_eq!(path(&of(Some(0.01)), 0, 2), "M601 50.0h8");
        assert_eq!(path(&of(Some(0.000_1)), 1, 2), "M601 100.0h8", "what no bucket tells apart is at the bottom");
    }
}
