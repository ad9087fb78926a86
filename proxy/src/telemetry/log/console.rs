//! The log as a person reads it at a terminal: short lines, in colour where the terminal has it.
//!
//! Decides how a line looks. A terminal obeys what it is sent, and paths, origins and messages come from requests: all that is not plain
//! text is escaped. Must not know which fields a line has.

use super::line::Scratch;
use super::timestamp::{Timestamp, push_padded};
use std::fmt::{self, Write as _};
use std::io::Write as _;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// The longest value from a request that is shown, in bytes: the whole of it is in the other formats.
const MAX_SHOWN: usize = 256;

/// Colours, by their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Good,
    Neutral,
    Warning,
    Bad,
    Dim,
}

impl Colour {
    pub(super) fn of_status(status: u16) -> Self {
        match status {
            ..=299 => Self::Good,
            300..=399 => Self::Neutral,
            400..=499 => Self::Warning,
            500.. => Self::Bad,
        }
    }

    /// The colour of what CORS decided, by its name.
    pub(super) fn of_outcome(outcome: &str) -> Self {
        match outcome {
            "allowed" => Self::Good,
            "denied" => Self::Bad,
            "no_rules" => Self::Warning,
            _ => Self::Dim,
        }
    }

    fn of_level(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Bad,
            Level::WARN => Self::Warning,
            Level::INFO => Self::Good,
            _ => Self::Dim,
        }
    }

    /// SGR: ECMA-48, 8.3.117.
    const fn begin(self) -> &'static str {
        match self {
            Self::Good => "\x1b[32m",
            Self::Neutral => "\x1b[36m",
            Self::Warning => "\x1b[33m",
            Self::Bad => "\x1b[31m",
            Self::Dim => "\x1b[2m",
        }
    }
}

const END: &str = "\x1b[0m";

impl Scratch {
    /// Begins a line with the time of day.
    pub(super) fn console_line(&mut self, has_colour: bool) -> ConsoleLine<'_> {
        let Self { buffer, timestamp } = self;
        buffer.clear();
        let mut line = ConsoleLine { buffer, has_colour };
        line.coloured(Colour::Dim, |line| {
            timestamp.push_time_of_day(line.buffer);
            line
        });
        line.word(" ");
        line
    }
}

/// A line to which text can be added.
pub(super) struct ConsoleLine<'a> {
    buffer: &'a mut Vec<u8>,
    has_colour: bool,
}

impl<'a> ConsoleLine<'a> {
    /// Adds a text of ours as it is.
    pub(super) fn word(&mut self, word: &'static str) -> &mut Self {
        self.buffer.extend_from_slice(word.as_bytes());
        self
    }

    /// Adds one of our names as words.
    pub(super) fn words(&mut self, name: &str) -> &mut Self {
        self.buffer.extend(name.bytes().map(|byte| if byte == b'_' { b' ' } else { byte }));
        self
    }

    /// Adds a text that comes from a request, bounded and escaped; a space too, so that no value looks like the end of it.
    pub(super) fn foreign(&mut self, value: &str) -> &mut Self {
        let cut = value.get(..value.floor_char_boundary(MAX_SHOWN)).unwrap_or(value);
        if cut.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.buffer.extend_from_slice(cut.as_bytes());
        } else {
            for character in cut.chars() {
                // A `Vec` accepts every write.
                let _ = match character {
                    ' ' => self.buffer.write_all(b"\\x20"),
                    _ if is_plain(character) => write!(self.buffer, "{character}"),
                    _ => write!(self.buffer, "{}", character.escape_debug()),
                };
            }
        }
        if cut.len() < value.len() {
            self.word("…");
        }
        self
    }

    /// The same, filled up with spaces to a width.
    pub(super) fn padded(&mut self, value: &str, width: usize) -> &mut Self {
        self.foreign(value);
        let missing = width.saturating_sub(value.len());
        self.buffer.extend(std::iter::repeat_n(b' ', missing));
        self
    }

    /// Adds a whole number.
    pub(super) fn number(&mut self, value: u64) -> &mut Self {
        push_padded(self.buffer, value, 1);
        self
    }

    /// Adds seconds as milliseconds, or as seconds where there are ten or more.
    pub(super) fn duration(&mut self, seconds: f64) -> &mut Self {
        // What is no number or below 0 becomes 0.
        let tenths = (seconds * 10_000.0).round() as u64;
        match tenths {
            ..100 => self.number(tenths / 10).word(".").number(tenths % 10).word(" ms"),
            100..100_000 => self.number(tenths / 10).word(" ms"),
            _ => self.number(tenths / 10_000).word(".").number(tenths / 1_000 % 10).word(" s"),
        }
    }

    /// Adds what `add` adds, in a colour.
    pub(super) fn coloured(&mut self, colour: Colour, add: impl FnOnce(&mut Self) -> &mut Self) -> &mut Self {
        if !self.has_colour {
            return add(self);
        }
        self.word(colour.begin());
        add(self).word(END)
    }

    /// Ends the line and returns it with its newline.
    pub(super) fn end(self) -> &'a [u8] {
        self.buffer.push(b'\n');
        self.buffer
    }
}

/// Returns true for a character that only prints: no control character, nothing that changes the direction or hides what follows.
fn is_plain(character: char) -> bool {
    matches!(character, ' '..='~') || (!character.is_ascii() && character.escape_debug().len() == 1)
}

/// The form of lines that are not about one request.
pub(super) struct ConsoleEvents {
    pub(super) has_colour: bool,
}

impl<S, N> FormatEvent<S, N> for ConsoleEvents
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut time = Vec::new();
        Timestamp::default().push_time_of_day(&mut time);
        let level = *event.metadata().level();
        let paint = |colour: Colour| if self.has_colour { (colour.begin(), END) } else { ("", "") };
        let ((dim, end), (begin, _)) = (paint(Colour::Dim), paint(Colour::of_level(level)));
        write!(writer, "{dim}{}{end} {begin}{level:<5}{end}", String::from_utf8_lossy(&time))?;
        let mut fields = EventFields { writer, before: dim, end, result: Ok(()) };
        event.record(&mut fields);
        fields.result?;
        writeln!(fields.writer)
    }
}

/// Writes the message, and each field as `name=value`.
struct EventFields<'w> {
    writer: Writer<'w>,
    before: &'static str,
    end: &'static str,
    result: fmt::Result,
}

impl EventFields<'_> {
    fn write(&mut self, field: &Field, value: fmt::Arguments<'_>) -> fmt::Result {
        let Self { writer, before, end, .. } = self;
        match field.name() {
            // What the `log` crate adds to its lines.
            name if name.starts_with("log.") => Ok(()),
            "message" => writer.write_char(' ').and_then(|()| Plain(writer).write_fmt(value)),
            name => write!(writer, " {before}{name}={end}").and_then(|()| Plain(writer).write_fmt(value)),
        }
    }
}

impl Visit for EventFields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // A backslash is that of an escape: what comes from a request is fit for a log already.
        let is_word = !value.is_empty() && !value.contains([' ', '"', '=']);
        if is_word || field.name() == "message" {
            self.record_debug(field, &format_args!("{value}"));
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.result.is_ok() {
            self.result = self.write(field, format_args!("{value:?}"));
        }
    }
}

/// Writes text with everything escaped that could steer a terminal, newlines too.
struct Plain<'a, 'w>(&'a mut Writer<'w>);

impl fmt::Write for Plain<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|character| match character {
            _ if is_plain(character) => self.0.write_char(character),
            _ => write!(self.0, "{}", character.escape_debug()),
        })
    }
}

#[cfg(test)]
mod tests;
