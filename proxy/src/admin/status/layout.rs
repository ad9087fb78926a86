//! What the sections are built of: tables that scroll inside themselves, lists that end, and text from elsewhere made fit to be shown.

use maud::{Markup, PreEscaped, html};
use std::fmt::Write;
use std::time::SystemTime;

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

/// A table; `id` is its own on the page. It can be scrolled by keyboard, too, so it can have the focus.
pub(super) fn table(id: &str, caption: &str, columns: &[&str], bodies: &Markup) -> Markup {
    html! {
        div.scroll role="region" aria-labelledby=(id) tabindex="0" {
            table {
                caption id=(id) { (caption) }
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                (bodies)
            }
        }
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

/// A moment, in UTC.
pub(super) fn moment(at: SystemTime) -> Markup {
    let at = humantime::format_rfc3339_seconds(at).to_string();
    html! { time datetime=(at) { (at) } }
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
