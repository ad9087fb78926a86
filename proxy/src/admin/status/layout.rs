//! What the sections are built of: tables that scroll inside themselves, lists that end, and text from elsewhere made fit to be shown.

use maud::{Markup, PreEscaped, html};
use std::fmt::Write;
use std::time::{Duration, SystemTime};

/// The most bytes of rows that a table has, whatever is in them.
const MAX_ROWS_LENGTH: usize = 24 * 1024;
/// The longest text that a cell shows, in characters.
const MAX_SHOWN: usize = 300;
/// The longest that one of several shows.
const MAX_OF_SEVERAL: usize = 120;

/// The first rows of a table.
pub(super) struct Rows {
    pub(super) html: Markup,
    /// How many there are beyond them.
    pub(super) left_out: usize,
}

/// The rows of the first items: at most so many, and no more bytes than a table may have.
pub(super) fn rows<T>(items: &[T], most: usize, row: impl Fn(&T) -> Markup) -> Rows {
    let (mut html, mut shown) = (String::new(), 0);
    for item in items.iter().take(most) {
        let row = row(item).into_string();
        if shown > 0 && html.len() + row.len() > MAX_ROWS_LENGTH {
            break;
        }
        html.push_str(&row);
        shown += 1;
    }
    Rows { html: PreEscaped(html), left_out: items.len() - shown }
}

/// A table; `id` is its own on the page, and a column whose name ends in `#` has numbers. It can be scrolled by keyboard, too, so it can have the focus.
pub(super) fn table(id: &str, caption: &str, columns: &[&str], bodies: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-labelledby=(id) tabindex="0" {
            table {
                caption id=(id) { (caption) }
                thead { tr { @for column in columns { (head(column)) } } }
                (bodies)
            }
        }
    }
}

fn head(column: &str) -> Markup {
    match column.strip_suffix('#') {
        Some(column) => html! { th.number scope="col" { (column) } },
        None => html! { th scope="col" { (column) } },
    }
}

/// Says how many items are not shown, and where they are.
pub(super) fn more(left_out: usize, place: &str) -> Markup {
    html! { @if left_out > 0 { p { "And " (left_out) " more: " a href=(place) { "/" (place) } } } }
}

/// A text from elsewhere: a request, a file, a name. It can neither be longer than its cell nor hide or turn around what is beside it.
pub(super) fn foreign(text: &str) -> Markup {
    html! { code { (visible(text, MAX_SHOWN)) } }
}

/// The first of several texts from elsewhere, and how many more there are.
pub(super) fn several<T: AsRef<str>>(texts: &[T], most: usize) -> Markup {
    html! {
        @for (place, text) in texts.iter().take(most).enumerate() {
            @if place > 0 { ", " }
            code { (visible(text.as_ref(), MAX_OF_SEVERAL)) }
        }
        @if texts.len() > most { " and " (texts.len() - most) " more" }
    }
}

/// A text with at most so many characters, in which those that cannot be seen are written as escapes.
pub(super) fn visible(text: &str, most: usize) -> String {
    let (mut shown, mut chars) = (String::new(), text.chars());
    for char in chars.by_ref().take(most) {
        if is_unseen(char) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "{}", char.escape_unicode());
        } else {
            shown.push(char);
        }
    }
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Controls, and the format characters that join, hide or turn around text (Unicode, general category Cf).
const fn is_unseen(char: char) -> bool {
    matches!(char, '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// A moment, in UTC, and how long ago it was.
pub(super) fn moment(at: SystemTime) -> Markup {
    let utc = humantime::format_rfc3339_seconds(at).to_string();
    let passed = SystemTime::now().duration_since(at).unwrap_or_default();
    html! { time datetime=(utc) { (utc) } " " span.ago { (ago(passed)) } }
}

/// The largest unit of a duration that has passed.
pub(super) fn ago(passed: Duration) -> String {
    let seconds = passed.as_secs();
    match seconds {
        0..10 => "just now".to_owned(),
        10..60 => format!("{seconds} s ago"),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..172_800 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// A number, with a comma before each three digits.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// The colour of a state, which words say too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Warning,
    Bad,
    /// Neither is known, or it is no matter of good and bad.
    Neutral,
}

impl Tone {
    /// The class of the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warn",
            Self::Bad => "bad",
            Self::Neutral => "neutral",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_elsewhere_is_cut_escaped_and_visible() {
        for (text, shown) in [
            ("<b>&\"", "<code>&lt;b&gt;&amp;&quot;</code>"),
            ("a\u{202e}b\n", "<code>a\\u{202e}b\\u{a}</code>"),
            ("фото", "<code>фото</code>"),
            ("", "<code></code>"),
        ] {
            assert_eq!(foreign(text).into_string(), shown, "{text:?}");
        }
        assert_eq!(visible("äöü", 2), "äö…");
        assert_eq!(visible("äö", 2), "äö");
    }

    #[test]
    fn a_duration_that_has_passed_has_one_unit() {
        for (seconds, said) in [
            (0, "just now"),
            (9, "just now"),
            (10, "10 s ago"),
            (59, "59 s ago"),
            (60, "1 min ago"),
            (3_599, "59 min ago"),
            (3_600, "1 h ago"),
            (172_799, "47 h ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(ago(Duration::from_secs(seconds)), said);
        }
        let future = SystemTime::now() + Duration::from_secs(600);
        assert!(moment(future).into_string().ends_with("just now</span>"), "a clock that was set back is no fault");
    }

    #[test]
    fn long_numbers_are_grouped() {
        for (value, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(value), shown);
        }
    }

    #[test]
    fn the_rows_of_a_table_end_by_number_and_by_length() {
        let long = "x".repeat(MAX_ROWS_LENGTH / 3);
        for (items, most, shown) in
            [(vec!["a"; 5], 3, 3), (vec!["a"; 2], 3, 2), (vec![&*long; 9], 9, 3), (vec![], 3, 0)]
        {
            let rows = rows(&items, most, |item| html! { (item) });
            assert_eq!(rows.left_out, items.len() - shown, "{} of {most}", items.len());
        }
        let one = ["x".repeat(MAX_ROWS_LENGTH + 1)];
        assert_eq!(rows(&one, 1, |item| html! { (item) }).left_out, 0, "a table that has rows shows one");
    }
}
