//! Pictures of the last hour, as SVG without a script: a column for each minute, stretched to the width that there is. The text beside
//! them is HTML, so that it stays legible on a phone.

use maud::{Markup, html};
use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The columns: an hour of minutes, and the one that has begun.
pub(super) const COLUMNS: usize = 61;
/// The width of a column, and the part of it that a bar fills.
const COLUMN: usize = 10;
const BAR: usize = 8;
/// The height of the picture.
const HEIGHT: f64 = 100.0;
/// The room above it for bars that are taller than they would be, since what there was can be seen.
const ABOVE: f64 = 6.0;
/// The least height of a bar.
const LEAST: f64 = 1.5;

/// A picture of the last hour.
pub(super) struct Chart<'c> {
    /// The beginning of the names of its parts on the page.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// The numbers of the hour, in a sentence.
    pub(super) summary: &'c str,
    pub(super) legend: Markup,
    /// The labels of the horizontal lines from the top, evenly apart.
    pub(super) scale: &'c [String],
    /// The bars or lines.
    pub(super) marks: Markup,
    /// The text under the pointer for each minute that the process has seen, the oldest first; none where nothing happened.
    pub(super) tips: &'c [Option<String>],
    /// The same numbers as a table.
    pub(super) table: Markup,
}

impl Chart<'_> {
    pub(super) fn html(&self, now: SystemTime) -> Markup {
        let Self { id, title, summary, legend, scale, marks, tips, table } = self;
        let unseen = COLUMNS.saturating_sub(tips.len());
        html! {
            figure.panel.chart {
                figcaption { h3 id={ (id) "-title" } { (title) } ul.legend { (legend) } }
                div.plot {
                    div.scale aria-hidden="true" { @for label in *scale { span { (label) } } }
                    svg.picture role="img" aria-labelledby={ (id) "-title" } aria-describedby={ (id) "-summary" }
                        viewBox={ "0 " (-ABOVE) " " (COLUMNS * COLUMN) " " (HEIGHT + ABOVE) } preserveAspectRatio="none" {
                        title { (title) }
                        desc id={ (id) "-summary" } { (summary) }
                        path.grid d=(grid(scale.len())) {}
                        @if unseen > 0 { rect.unseen x="0" y="0" width=(unseen * COLUMN) height=(HEIGHT) {} }
                        (marks)
                        @for (place, tip) in tips.iter().enumerate() {
                            @if let Some(tip) = tip {
                                rect.tip x=((unseen + place) * COLUMN) y=(-ABOVE) width=(COLUMN) height=(HEIGHT + ABOVE) { title { (tip) } }
                            }
                        }
                    }
                    div.times aria-hidden="true" { @for ago in [60, 45, 30, 15, 0] { span { (clock(now, ago)) } } }
                }
                @if unseen > 0 { p.hint { "Grey: before the start of this process." } }
                details { summary { "As a table" } (table) }
            }
        }
    }
}

/// An entry of a legend, with a sample of what the class draws.
pub(super) fn entry(class: &str, text: &str) -> Markup {
    html! { li { span.sample.(class) aria-hidden="true" {} (text) } }
}

fn grid(lines: usize) -> String {
    let mut path = String::new();
    let last = lines.saturating_sub(1).max(1);
    for line in 0..lines {
        // Writing to a String cannot fail.
        let _ = write!(path, "M0 {:.1}h{}", HEIGHT * line as f64 / last as f64, COLUMNS * COLUMN);
    }
    path
}

/// The values of minutes, the oldest first and the last one of now, each with its time of day.
pub(super) fn by_minute<T>(values: &[T], now: SystemTime) -> impl DoubleEndedIterator<Item = (String, &T)> {
    values.iter().enumerate().map(move |(place, value)| (clock(now, values.len() - 1 - place), value))
}

/// The time of day of a minute, in UTC.
fn clock(now: SystemTime, minutes_ago: usize) -> String {
    let passed = Duration::from_secs(60 * minutes_ago as u64);
    let at = now.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(passed).as_secs();
    format!("{:02}:{:02}", at / 3_600 % 24, at / 60 % 60)
}

/// The end of a scale of counts that ends at a round number, with a whole number in its middle.
pub(super) fn round_end(most: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        if let Some(end) = [2, 4, 10].map(|factor| unit.saturating_mul(factor)).into_iter().find(|end| *end >= most) {
            return end;
        }
        unit = unit.saturating_mul(10);
    }
}

/// The bars of each series, the first at the bottom; `minutes` has the counts of the series. What there was can be seen, however little.
pub(super) fn bars<const SERIES: usize>(minutes: &[[u64; SERIES]], end: u64) -> [String; SERIES] {
    let mut paths = [const { String::new() }; SERIES];
    let unseen = COLUMNS.saturating_sub(minutes.len());
    for (place, counts) in minutes.iter().enumerate() {
        let (x, mut y) = ((unseen + place) * COLUMN + (COLUMN - BAR) / 2, HEIGHT);
        for (path, count) in paths.iter_mut().zip(counts).filter(|(_, count)| **count > 0) {
            let height = (HEIGHT * *count as f64 / end as f64).max(LEAST);
            y -= height;
            let _ = write!(path, "M{x} {y:.1}h{BAR}v{height:.1}h-{BAR}z");
        }
    }
    paths
}

/// A line through the values of the minutes, as parts of the height; a minute without a value interrupts it.
pub(super) fn line(values: &[Option<f64>]) -> String {
    let mut path = String::new();
    let unseen = COLUMNS.saturating_sub(values.len());
    let is_drawn = |place: usize| values.get(place).is_some_and(Option::is_some);
    for (place, value) in values.iter().enumerate() {
        let Some(value) = value else { continue };
        let (x, y) = ((unseen + place) * COLUMN, HEIGHT * (1.0 - value));
        let goes_on = place > 0 && is_drawn(place - 1);
        let _ = match (goes_on, is_drawn(place + 1)) {
            (true, _) => write!(path, "L{} {y:.1}", x + COLUMN / 2),
            (false, true) => write!(path, "M{} {y:.1}", x + COLUMN / 2),
            // A line of one point could not be seen.
            (false, false) => write!(path, "M{} {y:.1}h{BAR}", x + (COLUMN - BAR) / 2),
        };
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_the_next_round_number() {
        for (most, end) in [(0, 2), (2, 2), (3, 4), (5, 10), (11, 20), (41, 100), (1_001, 2_000), (u64::MAX, u64::MAX)]
        {
            assert_eq!(round_end(most), end, "{most}");
        }
    }

    #[test]
    fn bars_stand_on_each_other_at_the_right_end() {
        let [first, second] = bars(&[[0, 0], [50, 1], [0, 100]], 100);
        assert_eq!(first, "M591 50.0h8v50.0h-8z");
        assert_eq!(second, "M591 48.5h8v1.5h-8zM601 0.0h8v100.0h-8z", "one of a hundred can be seen");
    }

    #[test]
    fn a_line_ends_where_there_is_no_value() {
        assert_eq!(line(&[Some(0.0), Some(0.5), None, Some(1.0)]), "M575 100.0L585 50.0M601 0.0h8");
        assert_eq!(line(&[None; 5]), "");
    }

    #[test]
    fn the_time_of_a_minute_is_of_this_day_or_the_one_before() {
        let at = UNIX_EPOCH + Duration::from_secs(86_400 * 3 + 60 * 30 + 59);
        assert_eq!([0, 30, 31].map(|ago| clock(at, ago)), ["00:30", "00:00", "23:59"]);
        assert_eq!(clock(UNIX_EPOCH, 60), "00:00");
    }
}
