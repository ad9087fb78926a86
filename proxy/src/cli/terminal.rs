//! Text for a person at a terminal: whether it has colour, and which.

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};

pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const NOTE: Style = AnsiColor::Cyan.on_default().bold();
pub(super) const STRONG: Style = Style::new().bold();
const DOCUMENT: Style = AnsiColor::Cyan.on_default();

/// Returns true if output gets colour: on a terminal, unless `NO_COLOR` or `CLICOLOR=0` is set; everywhere with `CLICOLOR_FORCE`.
pub(super) fn has_colour<S: RawStream>(stream: &S) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// A text in a style, or as it is.
pub(super) fn styled(text: &str, style: Style, has_colour: bool) -> String {
    if has_colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

/// A text without what could steer a terminal: control characters but newlines, and those that change the direction of what follows.
pub(super) fn plain(text: &str) -> String {
    let steers = |char: char| {
        let is_direction =
            matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        is_direction || (char.is_control() && char != '\n')
    };
    text.chars().map(|char| if steers(char) { char::REPLACEMENT_CHARACTER } else { char }).collect()
}

/// An explanation as standard output shows it. It may come from a proxy that is not ours.
pub(super) fn explanation(text: &str, has_colour: bool) -> String {
    let text = plain(text);
    if !has_colour {
        return text;
    }
    text.lines().map(|line| in_colour(line) + "\n").collect()
}

fn in_colour(line: &str) -> String {
    for (start, style) in [
        ("ALLOWED", GOOD),
        ("DENIED", BAD),
        ("nearest is rule", STRONG),
        ("to allow this request", STRONG),
        ("it allows nothing else", STRONG),
        ("in the browser", STRONG),
        ("rule by rule", STRONG),
        ("CORS headers of the response", STRONG),
        ("S3's message", STRONG),
        ("  warning", WARNING),
        ("  note", NOTE),
    ] {
        if let Some(rest) = line.strip_prefix(start) {
            return styled(start, style, true) + rest;
        }
    }
    if line.trim_start().starts_with('<') {
        return styled(line, DOCUMENT, true);
    }
    // The clauses that do not hold.
    if line.starts_with("  rule ") {
        line.replace(" NO", &format!(" {}", styled("NO", BAD, true)))
    } else {
        line.to_owned()
    }
}
