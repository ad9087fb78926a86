//! The reason why a source has no keys, as text that operators read.
//!
//! Decides: what of an error may be shown. Programs and servers write into it what they like, and errors of parsers quote what they
//! read, which may be a secret.

use super::https::SendError;
use reqsign_core::Error;
use std::borrow::Cow;
use std::io;

/// The longest reason, in characters: it becomes a log line and a line of a page.
const LONGEST: usize = 400;
/// The length of Amazon's secrets. Session tokens are longer.
const SECRET: usize = 40;
const HIDDEN: &str = "...";

/// Says why, with causes of kinds that quote no one.
pub(super) fn reason(error: &Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    let shown = causes.filter(|cause| cause.is::<Error>() || cause.is::<SendError>() || cause.is::<io::Error>());
    let mut words = vec![error.to_string()];
    words.extend(shown.map(ToString::to_string));
    words.dedup();
    printable(&words.join(": "))
}

/// A single line, cut, without anything that looks like a secret.
fn printable(text: &str) -> String {
    let without_secrets: String = text.split_inclusive(|each: char| !is_of_secret(each)).map(without_secret).collect();
    let lines = without_secrets.split(|each: char| each.is_control() || each.is_whitespace());
    let line = lines.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}{HIDDEN}", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// Hides a word that is as long as a secret, and keeps the character after it.
fn without_secret(piece: &str) -> Cow<'_, str> {
    let word = piece.trim_end_matches(|each| !is_of_secret(each));
    if word.len() < SECRET {
        return piece.into();
    }
    format!("{HIDDEN}{}", piece.get(word.len()..).unwrap_or_default()).into()
}

/// A character of base64, in which Amazon's secrets and tokens are.
const fn is_of_secret(each: char) -> bool {
    matches!(each, 'A'..='Z' | 'a'..='z' | '0'..='9' | '+' | '/' | '=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_without_secrets() {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        for (text, shown) in [
            ("no such profile: work", "no such profile: work".to_owned()),
            ("a\r\nb\u{1b}[31mc\t\td", "a b [31mc d".to_owned()),
            (&format!("+ aws_secret={secret}\nfailed"), "+ aws_... failed".to_owned()),
            (&format!("key \"{secret}\", token '{}'", secret.repeat(9)), "key \"...\", token '...'".to_owned()),
            ("/usr/local/bin/get-credentials: not found", "/usr/local/bin/get-credentials: not found".to_owned()),
            (&"e ".repeat(500), format!("{}...", "e ".repeat(200))),
            ("ä", "ä".to_owned()),
            ("", String::new()),
        ] {
            assert_eq!(printable(text), shown, "{text}");
        }
    }

    #[test]
    fn causes_are_shown_unless_they_quote_what_they_read() {
        let unreadable = serde_json::from_str::<u32>("\"5ECRET\"").unwrap_err();
        let cases = [
            (Error::unexpected("outer").with_source(Error::unexpected("inner")), "outer: inner"),
            (Error::unexpected("outer").with_source(SendError::TimedOut), "outer: no response within 4 s"),
            (Error::unexpected("same").with_source(Error::unexpected("same")), "same"),
            (Error::unexpected("cannot be parsed").with_source(unreadable), "cannot be parsed"),
        ];
        for (error, shown) in cases {
            assert_eq!(reason(&error), shown);
        }
    }
}
