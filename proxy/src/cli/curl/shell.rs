//! The words of a line, as a shell has them.
//!
//! Browsers write for two shells. For bash with `$'…'` where a text has a quote or a character outside ASCII, which POSIX has not, and
//! which is replaced before a crate for POSIX words reads the line. For cmd with `^` before what it would take for its own.

use std::iter::Peekable;
use std::str::Chars;

/// The words; `None` where a quote is not closed.
pub(super) fn words(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let line = if is_of_cmd(line) { without_carets(line) } else { with_plain_quotes(line)? };
    shlex::split(&line)
}

/// The line of the other shell never has a `^` before a quote, or at the end of a line.
fn is_of_cmd(line: &str) -> bool {
    line.contains("^\"") || line.lines().any(|line| line.trim_end().ends_with('^'))
}

/// Each character after a `^` is itself; a line's end is a space.
fn without_carets(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars().filter(|character| *character != '\r');
    while let Some(character) = characters.next() {
        let character = if character == '^' { characters.next().unwrap_or(' ') } else { character };
        text.push(if character == '\n' { ' ' } else { character });
    }
    text
}

/// With each `$'…'` as POSIX writes the same text.
fn with_plain_quotes(line: &str) -> Option<String> {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    let (mut single, mut double) = (false, false);
    while let Some(character) = characters.next() {
        match character {
            '$' if !single && !double && characters.peek() == Some(&'\'') => {
                characters.next();
                text.push_str(&shlex::try_quote(&unescaped(&mut characters)?).ok()?);
                continue;
            }
            '\\' if !single => {
                // A line that goes on, also one with the line end of Windows. The crate makes an empty word of it.
                match characters.next().filter(|next| *next != '\r').or_else(|| characters.next()) {
                    Some('\n') => {}
                    next => text.extend([character].into_iter().chain(next)),
                }
                continue;
            }
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            _ => {}
        }
        text.push(character);
    }
    Some(text)
}

/// What `$'…'` stands for, to its closing quote (bash, "ANSI-C Quoting"); of the escapes those that browsers write.
fn unescaped(characters: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut text = String::new();
    loop {
        match characters.next()? {
            '\'' => return Some(text),
            '\\' => text.push(match characters.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => numbered(characters, 4),
                'x' => numbered(characters, 2),
                other => other,
            }),
            other => text.push(other),
        }
    }
}

fn numbered(characters: &mut Peekable<Chars<'_>>, digits: usize) -> char {
    let mut number = 0;
    for _ in 0..digits {
        let Some(digit) = characters.peek().and_then(|next| next.to_digit(16)) else { break };
        characters.next();
        number = number * 16 + digit;
    }
    char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER)
}
